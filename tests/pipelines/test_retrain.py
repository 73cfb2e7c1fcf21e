"""Retraining: due after enough answers, tested on what neither saw, in force only if it is not worse."""

import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, StandardTicket
from engine.shared.errors import BadInput, Conflict
from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.retrain import Retrained, measure_drift, retrain
from pipelines.jobs.triage_tickets import classify
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF
from triage.contracts import TicketText
from triage.feedback.store import ModelRun
from triage.model_files import read_model

WORDS = {"DLP": "florbit", "CFW": "quandle", "SSPM": "wimsel"}
"""What these customers say, which the taxonomy does not know."""


def opened(home: Path, **settings: Any) -> App:
    return open_app(home=home, embedder="wordllama", **settings)


def said(number: int) -> tuple[str, str]:
    label = sorted(WORDS)[number % 3]
    return label, f"Since Monday the {WORDS[label]} of room {number} does not {('start', 'answer', 'stop')[number % 2]}"


def desk(home: Path, tickets: int, *, answers: int | None = None) -> None:
    """So many tickets, six an hour, all classified; the first `answers` of them (else all) answered by a person."""
    with opened(home) as app:
        made = [
            StandardTicket(
                ticket_id=f"T-{n}", source="demo", title=said(n)[1], description="Please help.",
                created_at=AS_OF - timedelta(days=60) + timedelta(hours=n / 6),
            )
            for n in range(tickets)
        ]  # fmt: skip
        app.store.ingest(Delivery(tickets=tuple(made)), at=AS_OF)
        classify(app, Snapshot(app, AS_OF).tickets_now, at=AS_OF)
        for number in range(tickets if answers is None else answers):
            actions.answer_review(app, f"demo:T-{number}", label=said(number)[0], by="ana")


def now() -> datetime:
    """After the answers, which the app's own clock dates."""
    return datetime.now(AS_OF.tzinfo)


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Retrained]:
    home = tmp_path_factory.mktemp("home")
    desk(home, 120)
    with opened(home) as app:
        return home, retrain(app, at=now())


@pytest.fixture
def home(learned: tuple[Path, Retrained], tmp_path: Path) -> Path:
    return Path(shutil.copytree(learned[0], tmp_path / "home"))


def test_enough_answers_ask_for_a_training(learned: tuple[Path, Retrained]) -> None:
    done = learned[1]
    assert (done.reason, done.new_answers) == ("120 new answers, 50 ask for a training", 120)
    assert done.verdict is not None
    assert (done.verdict.tested, done.verdict.takes_over) == (36, True)
    assert done.verdict.challenger_right > done.verdict.champion_right


def test_model_is_a_file_with_data_hash_measures_and_date(learned: tuple[Path, Retrained]) -> None:
    home, done = learned
    assert done.run is not None
    about = read_model(home / "models" / done.run.file).about
    assert about["data_sha256"] == done.run.data_sha256
    assert about["comparison"]["challenger_right"] == done.run.challenger_right
    assert about["trained_at"][:10] == f"{done.run.trained_at:%Y-%m-%d}"
    assert re.fullmatch(r"classifier-\d{8}T\d{12}Z-[0-9a-f]{8}\.model", done.run.file)


def test_newest_tickets_were_not_learned(learned: tuple[Path, Retrained]) -> None:
    home, done = learned
    assert done.run is not None
    texts = read_model(home / "models" / done.run.file).texts
    rooms = {int(room) for text in texts for room in re.findall(r"of room (\d+) ", text)}
    assert rooms == set(range(84))


def test_model_that_took_over_is_in_use(home: Path) -> None:
    with opened(home) as app:
        assert app.triage.local_classifier.name.startswith("trained:")
        (claim,) = app.triage.classifier.classify([TicketText(ticket_id="t", subject="My quandle makes a noise")])
    assert claim.product == "CFW"


def test_same_answers_are_not_learned_twice(home: Path) -> None:
    with opened(home) as app:
        again = retrain(app, at=now())
        assert (again.reason, again.new_answers, again.run) == (None, 0, None)
        assert len(app.triage.feedback.runs()) == 1


def test_answering_one_ticket_again_is_one_new_answer(home: Path) -> None:
    with opened(home) as app:
        for _ in range(60):
            actions.answer_review(app, "demo:T-0", label="DLP", by="ana")
        actions.answer_review(app, "demo:T-1", label="DLP", by="ana")
        again = retrain(app, at=now())
        assert (again.reason, again.new_answers) == (None, 2)


def test_training_that_came_too_late_leaves_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = set((home / "models").iterdir())
    with opened(home) as app:
        store = app.triage.feedback
        (run,), add_run = store.runs(), store.add_run

        def overtaken(late: ModelRun) -> ModelRun:
            add_run(run.model_copy(update={"file": "other.model", "succeeds": run.number}))
            return add_run(late)

        monkeypatch.setattr(store, "add_run", overtaken)
        with pytest.raises(Conflict, match="Another model took over"):
            retrain(app, at=now(), force=True)
    assert set((home / "models").iterdir()) == before


def test_model_named_by_the_setting_wins(home: Path, learned: tuple[Path, Retrained]) -> None:
    assert learned[1].run is not None
    other = shutil.copy(home / "models" / learned[1].run.file, home / "ours.model")
    with opened(home, model=Path(other)) as app:
        assert (app.triage.model_in_force(), app.triage.model_file()) == (None, Path(other))


@pytest.mark.parametrize("content", [None, b"damaged"], ids=["gone", "damaged"])
def test_model_that_cannot_be_read_is_told_of_and_triage_goes_on(home: Path, content: bytes | None) -> None:
    (file,) = (home / "models").glob("classifier-*.model")
    file.unlink() if content is None else file.write_bytes(content)
    warned: list[dict[str, Any]] = []
    with opened(home) as app:
        app.__dict__["log"] = type("Log", (), {"warning": lambda self, event, **told: warned.append(told)})()
        assert app.triage.local_classifier.name.startswith("local:")
    assert file.name in warned[0]["reason"]


def test_drift_is_told_once_there_are_enough_tickets(tmp_path: Path) -> None:
    with opened(tmp_path) as app:
        both = [(n, said(n)[1], 60) for n in range(110)]
        both += [(n, "Our invoice is wrong, please send a new bill for the licence", 3) for n in range(110, 220)]
        made = [
            StandardTicket(ticket_id=f"T-{n}", source="demo", title=text, created_at=AS_OF - timedelta(days=days))
            for n, text, days in both
        ]
        app.store.ingest(Delivery(tickets=tuple(made)), at=AS_OF)
        assert measure_drift(app, at=AS_OF).shifts == ()
        classify(app, Snapshot(app, AS_OF).tickets_now, at=AS_OF)
        found = measure_drift(app, at=AS_OF)
        assert (found.before, found.recent, found.is_shifted) == (110, 110, True)
        assert not measure_drift(app, at=AS_OF - timedelta(days=10)).shifts


def test_too_few_to_test_with_are_told_of_before_learning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    desk(tmp_path, 40)
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    monkeypatch.setattr("pipelines.jobs.retrain._learn", lambda *_, **__: pytest.fail("learned before looking"))
    words = ["--home", str(tmp_path), "triage", "retrain"]
    assert "not due: 40 new answers of 50, 20 after drift" in CliRunner().invoke(command_line, words).output
    refused = CliRunner().invoke(command_line, [*words, "--force"]).exception
    assert str(refused).startswith("Of 40 answered tickets 12 would test the new model, 30 are needed")
    assert "answer about 60 more" in str(refused)
    with opened(tmp_path) as app:
        assert app.triage.feedback.runs() == []


def test_training_that_is_due_with_too_few_to_test_takes_over_nothing(tmp_path: Path) -> None:
    desk(tmp_path, 50)
    with opened(tmp_path) as app:
        done = retrain(app, at=now())
        assert done.verdict is not None
        assert done.verdict.why == "15 tickets to test with, 30 are needed"
        assert app.triage.local_classifier.name.startswith("local:")
        assert [run.took_over for run in app.triage.feedback.runs()] == [False]


def test_nothing_answered_is_nothing_to_learn(tmp_path: Path) -> None:
    with opened(tmp_path) as app, pytest.raises(BadInput, match="helmdesk triage review"):
        retrain(app, at=AS_OF, force=True)
