"""The slice of sure claims, second opinions, answers that teach at once and learned phrases, through their doors."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from typer.testing import CliRunner

from engine.access import User, UserRole
from engine.contracts import Agent, Contact, Delivery, StandardTicket, Status
from engine.shared.errors import Conflict, NotAllowed
from engine.storage.audit import verify
from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.cli import command_line
from pipelines.jobs.audit import COVERED
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import text_of, triage_tickets
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF
from triage.contracts import Classification
from triage.feedback.reviews import is_spot_check

SQL = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def delivered(
    number: int, title: str = "Help", text: str = "Something.", status: Status = Status.NEW
) -> StandardTicket:
    return StandardTicket(ticket_id=f"INC-{number}", source="northlight", ticket_number=f"INC-{number}", title=title,
                          description=text, created_at=AS_OF, status=status)  # fmt: skip


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    monkeypatch.setenv("HELMDESK_EMBEDDER", "wordllama")
    with open_app(home=tmp_path, embedder="wordllama") as opened:
        yield opened


def claimed(app: App, count: int, *, unsure: int = 0) -> None:
    """So many tickets, every second one closed; claimed SWG, surely but for the last few."""
    states = (Status.NEW, Status.CLOSED)
    app.store.ingest(Delivery(tickets=tuple(delivered(n, status=states[n % 2]) for n in range(count))), at=AS_OF)
    texts = [text_of(ticket) for ticket in app.store.tickets()]
    last = {f"northlight:INC-{n}" for n in range(count - unsure, count)}
    claims = [
        Classification(id=f"c-{one.ticket_id}", ticket_id=one.ticket_id, product="SWG", urgency="low",
                       confidence=0.4 if one.ticket_id in last else 0.9, reasoning="says SWG",
                       needs_review=one.ticket_id in last, model_used="local", created_at=AS_OF)
        for one in texts
    ]  # fmt: skip
    app.triage.store.save_classifications(texts, claims, at=AS_OF)


def drawn(app: App) -> set[str]:
    policy = app.policies.learning.honest_slice
    every = app.triage.feedback.sure(lambda _: True)
    return {claim.ticket_id for claim, _ in every if is_spot_check(claim, policy)}


def run(app: App, *words: object) -> Any:
    return CliRunner().invoke(command_line, ["--home", str(app.settings.home), "triage", *map(str, words)])


def test_queue_has_the_slice_open_and_closed_and_the_unsure(app: App) -> None:
    claimed(app, 400, unsure=20)
    queue, slice_ = actions.review_queue(app), drawn(app)
    sure = [one for one in queue if one.question.ticket_id in slice_]
    assert {one.question.ticket_id for one in sure} == slice_
    assert {one.is_open for one in sure} == {True, False}
    assert all(one.is_open for one in queue if one not in sure)
    assert [one in sure for one in queue[:11]] == [at % 5 == 0 for at in range(11)]


def test_spot_check_is_blind_until_it_is_answered(app: App) -> None:
    claimed(app, 200)
    ticket = next(iter(drawn(app)))
    shown = run(app, "review", ticket).output + run(app, "review").output
    assert "SWG 90%" not in shown
    assert "says SWG" not in shown
    assert "slice" not in shown
    told = run(app, "review", ticket, "--label", "DLP", "--by", "ana").output
    assert "is about DLP, triage said SWG and was sure (90%): one of the random slice" in told
    assert ticket not in {one.question.ticket_id for one in actions.review_queue(app)}


def test_some_unsure_questions_look_alike(app: App) -> None:
    claimed(app, 400, unsure=400)
    blind = [one for one in actions.review_queue(app, closed=True) if one.question.is_blind]
    assert 0.15 < len(blind) / 400 < 0.35


def test_report_speaks_for_the_slice_first(app: App) -> None:
    claimed(app, 400, unsure=20)
    publish(app, Snapshot(app, app.now()))
    size = len(drawn(app))
    assert run(app, "report").output.splitlines()[1] == (
        f"when it is sure (380 of 400 tickets): not known yet: 0 of {size} of the random slice answered: "
        "helmdesk triage review"
    )
    for place, ticket in enumerate(sorted(drawn(app))[:10]):
        actions.answer_review(app, ticket, label="DLP" if place == 0 else "SWG", by="ana")
    outside = next(c.ticket_id for c, _ in app.triage.feedback.sure(lambda _: True) if c.ticket_id not in drawn(app))
    actions.answer_review(app, outside, label="DLP", by="ana")
    publish(app, Snapshot(app, app.now()))
    told = run(app, "report").output.splitlines()
    assert told[1] == (
        f"when it is sure (380 of 400 tickets), people agree 90% [60%–98%], n = 10 of the random slice of {size}"
    )
    assert "over all its claims" not in told[2]
    with MartReader(app.settings.marts_folder) as reader:
        rows = {row["claims"]: row for row in reader.frame("honesty").to_dicts()}
    assert (rows["sure"]["answered"], rows["sure"]["agreed"], rows["unsure"]["drawn"]) == (10, 9, 20)
    assert rows["all"]["share_agreed"] is None


@pytest.fixture
def shared(request: pytest.FixtureRequest, tmp_path: Path, sqlite_file: Any) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'helmdesk.db'}"
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.mark.parametrize("shared", SQL, indirect=True)
def test_of_two_at_once_the_later_is_given_the_others_answer(shared: str, tmp_path: Path) -> None:
    ready = Barrier(2)
    with open_app(home=tmp_path, database_url=shared) as first, open_app(home=tmp_path, database_url=shared) as second:
        claimed(first, 6)

        def answer(app: App, by: str, label: str) -> Any:
            ready.wait()
            return actions.answer_review(app, "INC-4", label=label, by=by)

        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(answer, (first, second), ("ana", "ben"), ("SWG", "DLP")))
        history = first.triage.feedback.review_history("northlight:INC-4")
        earlier, later = sorted(both, key=lambda one: len(one.before))
        assert [one.answered_by for one in history] == [earlier.answered_by, later.answered_by]
        assert [one.label for one in later.before] == [earlier.label]
        assert actions.reviewers_agree(first) == (1, 0)


def test_who_comes_second_knows_it_and_answers_too(app: App) -> None:
    claimed(app, 6)
    run(app, "review", "INC-2", "--label", "SWG", "--by", "ana")
    shown = run(app, "review", "INC-2").output
    assert "ana answered it" in shown
    assert "yours is a second opinion" in shown
    told = run(app, "review", "INC-2", "--label", "DLP", "--by", "ben").output.splitlines()
    assert told[1].startswith("a second opinion: ana answered SWG; your answer counts now, ")
    assert actions.reviewers_agree(app) == (1, 0)


WORDS = "The heron of our office in Graz is grey since Monday and nobody here knows what it should be"


def test_an_answer_counts_in_the_very_next_triage(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, "Grey heron", WORDS),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    before = app.triage.store.latest(["northlight:INC-1"])["northlight:INC-1"]
    label = "DLP" if before.product != "DLP" else "CASB"
    actions.answer_review(app, "INC-1", label=label, by="ana")
    app.store.ingest(Delivery(tickets=(delivered(2, "Grey heron!", WORDS.replace("Graz", "Linz")),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    claim = app.triage.store.latest(["northlight:INC-2"])["northlight:INC-2"]
    assert (claim.product, claim.needs_review) == (label, False)
    assert "answered so before (ticket northlight:INC-1)" in claim.reasoning
    actions.answer_review(app, "INC-1", label=before.product, by="ben")
    app.store.ingest(Delivery(tickets=(delivered(3, "Grey heron", WORDS),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    assert "answered so before" not in app.triage.store.latest(["northlight:INC-3"])["northlight:INC-3"].reasoning


def learned(app: App) -> None:
    """Answers on 24 tickets, six a label; those about DLP tell of a grey heron of Petra's."""
    about = {
        "DLP": "the grey heron of Petra",
        "SWG": "the white page",
        "CFW": "the hidden rule",
        "CASB": "the lost share",
    }
    texts = [(label, f"{words} stands in office {chr(97 + n)}{chr(98 + n)}") for label, words in about.items()
             for n in range(6)]  # fmt: skip
    app.store.ingest(Delivery(tickets=tuple(delivered(n, "Help", text) for n, (_, text) in enumerate(texts))), at=AS_OF)
    app.store.put(
        [
            Contact(id="p", name="Petra Novak", email="p@acme.example"),
            Agent(id="cleo", name="Cleo", email="cleo@desk.example"),
        ]
    )
    app.store.put([User(id="cleo", name="Cleo", roles=(UserRole.SUPERVISOR,)),
                   User(id="ana", name="Ana", roles=(UserRole.AGENT,))])  # fmt: skip
    triage_tickets(app, Snapshot(app, AS_OF))
    for number, (label, _) in enumerate(texts):
        actions.answer_review(app, f"INC-{number}", label=label, by="ana")


def test_a_phrase_is_used_once_a_lead_accepts_it(app: App) -> None:
    learned(app)
    shown = run(app, "phrases").output
    assert "DLP        “grey heron”  6 answered texts, 0 of other labels" in shown
    assert "etra" not in shown
    assert "grey heron" not in app.triage.taught_taxonomy.product.labels["DLP"].phrases
    before = app.triage.classifier
    with pytest.raises(NotAllowed):
        actions.decide_phrase(app, "grey heron", label="DLP", is_accepted=True, user=app.store.get(User, "ana"))
    done = run(app, "phrases", "--accept", "grey heron", "--label", "DLP", "--by", "cleo")
    assert done.output == "“grey heron” for DLP is used from the next triage on\n"
    assert "grey heron" in app.triage.taught_taxonomy.product.labels["DLP"].phrases
    assert app.triage.classifier is not before
    app.store.ingest(Delivery(tickets=(delivered(90, "A grey heron", "Grey heron."),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    claim = app.triage.store.latest(["northlight:INC-90"])["northlight:INC-90"]
    assert (claim.product, "reads like “grey heron”" in claim.reasoning) == ("DLP", True)
    assert (found := verify(app.store, also=COVERED)).found == 0, found


def test_a_refused_phrase_is_proposed_no_more(app: App) -> None:
    learned(app)
    run(app, "phrases", "--refuse", "grey heron", "--label", "DLP", "--by", "cleo")
    assert "heron" not in run(app, "phrases").output
    assert isinstance(
        run(app, "phrases", "--accept", "grey heron", "--label", "DLP", "--by", "cleo").exception, Conflict
    )
    log = app.store.frame("audit_log", ["kind", "subject", "actor"]).filter(kind="phrase_refused")
    assert log.row(0) == ("phrase_refused", "grey heron", "cleo")
