"""Decisions reach the handler's system: nothing is lost, nothing goes twice under two keys, nothing old comes last."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer
from structlog.testing import capture_logs
from typer.testing import CliRunner

from engine.contracts import AllocationDecision, Outcome
from engine.plugins.connection import UNTIL_MENDED
from engine.shared.errors import Busy, NotAllowed, NotFound
from engine.storage.outbox import Outbox
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone
from pipelines.cli import exit_code
from pipelines.commands.deliver import deliver as command
from pipelines.jobs.deliver import Delivered, deliver, wait_after
from pipelines.jobs.doctor import decisions_to_hand_over
from tests.pipelines.handler_system import HandlerSystem, handler_system
from tests.ports.examples import LATER, delivery, ticket
from tests.processes import command_line, ended, meet

MINUTE = timedelta(minutes=1)
commands = typer.Typer()
commands.command("deliver")(command)


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> Iterator[HandlerSystem]:
    with handler_system() as server:
        monkeypatch.setenv("HELMDESK_HANDLER", "webhook")
        monkeypatch.setenv("HELMDESK_HANDLER_URL", server.url)
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def app(tmp_path: Path, system: HandlerSystem, database_url: str) -> Iterator[App]:
    with open_app(home=tmp_path, database_url=database_url) as opened:
        opened.store.ingest(delivery(*map(ticket, range(1, 7))), at=LATER)
        yield opened


def decide(app: App, *numbers: int, group: str | None = "g1", minutes: int = 0) -> int:
    made = [
        AllocationDecision(
            ticket_id=f"servicenow:INC{number}", decided_at=LATER + minutes * MINUTE,
            outcome=Outcome.ALLOCATED if group else Outcome.WAITING, group_id=group, group_name=group, rationale="r",
        )
        for number in numbers
    ]  # fmt: skip
    return app.store.record_decisions(made, at=LATER + minutes * MINUTE, destination=app.handler)


def states(app: App) -> dict[str, str]:
    rows = app.store.frame("outbox", ["key", "state"]).rows()
    return {key.removeprefix("servicenow:").replace("/decision/", "-"): state for key, state in rows}


def test_decision_arrives_once_under_its_own_key(app: App, system: HandlerSystem) -> None:
    assert (decide(app, 1, 2), decide(app, 1)) == (2, 0)
    assert deliver(app, at=LATER) == Delivered(2, 0, 0, 0)
    assert deliver(app, at=LATER + MINUTE) == Delivered(0, 0, 0, 0)
    assert system.keys == ["servicenow:INC1/decision/1", "servicenow:INC2/decision/1"]
    assert system.got[0][1]["group_id"] == "g1"


def test_newer_decision_replaces_the_unsent_older(app: App, system: HandlerSystem) -> None:
    decide(app, 1)
    decide(app, 1, group="g2", minutes=1)
    assert deliver(app, at=LATER + MINUTE) == Delivered(1, 0, 0, 0)
    assert (system.keys, system.got[0][1]["group_id"]) == (["servicenow:INC1/decision/2"], "g2")
    assert states(app) == {"INC1-1": "replaced", "INC1-2": "sent"}


def test_decision_to_wait_takes_the_unsent_back(app: App, system: HandlerSystem) -> None:
    decide(app, 1)
    decide(app, 1, group=None, minutes=1)
    assert deliver(app, at=LATER + MINUTE) == Delivered(0, 0, 0, 0)
    assert (system.got, states(app)) == ([], {"INC1-1": "replaced"})


def test_decision_made_while_the_older_fails_takes_its_place(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    decide(app, 1)
    send = app.handler.send

    def slow(payload: Any, *, key: str) -> str:
        decide(app, 1, group="g2", minutes=1)
        return send(payload, key=key)

    with monkeypatch.context() as patch:
        patch.setattr(app.handler, "send", slow)
        patch.setattr(app.handler, "_transport", _refuses)
        assert deliver(app, at=LATER) == Delivered(0, 0, 0, 1)
    assert deliver(app, at=LATER + MINUTE) == Delivered(1, 0, 0, 0)


def _refuses(payload: Any, key: str) -> str:
    from engine.plugins.ports import Refused

    raise Refused(key)


def test_failing_row_waits_and_the_others_go(app: App, system: HandlerSystem) -> None:
    decide(app, 1, 2)
    system.answers = [(500, {}, "")] * 3
    assert deliver(app, at=LATER) == Delivered(1, 1, 0, 0)
    assert deliver(app, at=LATER + MINUTE / 2) == Delivered(0, 0, 0, 0)
    assert deliver(app, at=LATER + MINUTE) == Delivered(1, 0, 0, 0)
    assert set(system.keys) == {"servicenow:INC1/decision/1", "servicenow:INC2/decision/1"}
    assert [wait_after(tries) / MINUTE for tries in (0, 1, 2, 5, 6, 99)] == [1, 2, 4, 32, 60, 60]


def test_system_in_trouble_is_left_alone_after_three_rows(app: App, system: HandlerSystem) -> None:
    decide(app, *range(1, 7))
    system.answers = ["die"] * 9
    assert deliver(app, at=LATER) == Delivered(0, 3, 0, 0)
    assert deliver(app, at=LATER + MINUTE) == Delivered(6, 0, 0, 0)


def test_system_that_is_down_stops_no_decision(app: App, system: HandlerSystem) -> None:
    system.shutdown()
    system.server_close()
    assert decide(app, 1) == 1
    assert deliver(app, at=LATER) == Delivered(0, 1, 0, 0)
    assert decide(app, 2, minutes=1) == 1


def test_pause_asked_for_holds_every_row(app: App, system: HandlerSystem) -> None:
    decide(app, 1, 2, 3)
    system.answers = [(429, {"Retry-After": "600"}, "")]
    assert deliver(app, at=LATER) == Delivered(0, 1, 0, 0)
    assert deliver(app, at=LATER + 9 * MINUTE) == Delivered(0, 0, 0, 0)
    assert deliver(app, at=LATER + 10 * MINUTE) == Delivered(3, 0, 0, 0)


@pytest.mark.parametrize("answer", [(401, {}, ""), (403, {}, ""), (307, {"Location": "http://elsewhere.example/"}, "")])
def test_wrong_settings_refuse_no_decision(app: App, system: HandlerSystem, answer: Any) -> None:
    decide(app, *range(1, 7))
    system.answers = [answer]
    with capture_logs() as log:
        assert deliver(app, at=LATER) == Delivered(0, 1, 0, 0)
    assert ["HELMDESK_HANDLER_" in entry["reason"] for entry in log] == [True]
    assert (len(system.got), set(states(app).values())) == (1, {"pending"})
    assert deliver(app, at=LATER + UNTIL_MENDED) == Delivered(6, 0, 0, 0)


def test_retry_ends_the_rest_of_mended_rows(app: App, system: HandlerSystem) -> None:
    decide(app, 1, 2)
    system.answers = [(401, {}, "")]
    assert deliver(app, at=app.now()) == Delivered(0, 1, 0, 0)
    assert run(app, "--retry", "all").output == "waiting again: 2 decisions\n"
    assert run(app).output == "sent 2, delayed 0, refused 0, replaced 0\n"


def test_what_a_handler_left_behind_is_told_with_the_way_to_mend_it(
    app: App, system: HandlerSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    decide(app, 1, 2)
    system.answers = [(400, {}, "")]
    deliver(app, at=LATER)
    decide(app, 3)
    monkeypatch.setenv("HELMDESK_HANDLER", "bmc")
    left = "2 unsent for webhook, which is not the handler in use (bmc): set HELMDESK_HANDLER=webhook again"
    assert left in run(app, "--refused").output
    assert left in run(app).output
    assert len(system.got) == 2
    assert doctor(app) == ("0 wait, 0 refused, 2 orphaned", True)
    assert run(app, "--drop", "webhook").output == "dropped: 2 decisions for webhook\n"
    assert (doctor(app), app.outbox.unsent()) == (("0 wait, 0 refused, 0 orphaned", False), [])


def doctor(app: App) -> tuple[str, bool]:
    """What it counts, and whether it says how to give up what is orphaned."""
    with open_app(home=app.settings.home, database_url=app.settings.database_url) as opened:
        counts, note = decisions_to_hand_over(opened)
    return counts, "`helmdesk deliver --drop webhook`" in note


def test_doctor_counts_what_waits_and_what_was_refused(app: App, system: HandlerSystem) -> None:
    decide(app, 1, 2)
    system.answers = [(400, {}, ""), (500, {}, ""), (500, {}, ""), (500, {}, "")]
    deliver(app, at=LATER)
    assert doctor(app) == ("1 wait, 1 refused, 0 orphaned", False)


def test_the_handler_in_use_drops_nothing(app: App) -> None:
    decide(app, 1)
    assert isinstance(run(app, "--drop", "webhook").exception, NotAllowed)
    assert isinstance(run(app, "--drop", "bmc").exception, NotFound)
    assert set(states(app).values()) == {"pending"}


def test_refused_waits_for_a_person(app: App, system: HandlerSystem) -> None:
    decide(app, 1, 2)
    system.answers = [(400, {}, "no such group")]
    assert deliver(app, at=LATER) == Delivered(1, 0, 1, 0)
    told = run(app, "--refused").output
    assert "servicenow:INC1/decision/1  to webhook" in told
    assert "answered 400 Bad Request for servicenow:INC1/decision/1: no such group\nrefused: 1 decision\n" in told
    assert run(app, "--retry", "servicenow:INC1/decision/1").output == "waiting again: 1 decision\n"
    assert run(app).output == "sent 1, delayed 0, refused 0, replaced 0\n"
    with pytest.raises(NotFound, match="--refused` lists"):
        app.outbox.retry("servicenow:INC1/decision/1", at=LATER)


def test_newer_decision_settles_a_refused_one(app: App, system: HandlerSystem) -> None:
    decide(app, 1)
    system.answers = [(400, {}, "")]
    deliver(app, at=LATER)
    decide(app, 1, group="g2", minutes=1)
    assert (app.outbox.refused(), states(app)["INC1-1"]) == ([], "replaced")


def run(app: App, *words: str) -> Any:
    settings = app.settings
    os.environ["HELMDESK_DATABASE_URL"] = settings.database_url
    try:
        return CliRunner().invoke(commands, list(words), obj={"home": settings.home})
    finally:
        del os.environ["HELMDESK_DATABASE_URL"]


def test_second_deliverer_sends_nothing(app: App, system: HandlerSystem, process_pool: ProcessPoolExecutor) -> None:
    decide(app, 1)
    words = app.settings.home, app.settings.database_url, system.url
    given = [process_pool.submit(deliver_as_process, *words) for _ in range(2)]
    sent = [future.result(timeout=120) for future in given]
    assert (sum(sent), len(system.got)) == (1, 1)


def deliver_as_process(home: Path, database_url: str, handler_url: str) -> int:
    handler = {"handler": "webhook", "handler_url": handler_url}
    with open_app(home=home, database_url=database_url, **handler) as app:
        app.store.counts()
        meet()
        try:
            return deliver(app, at=LATER).sent
        except Busy:
            return 0


def test_busy_has_an_exit_code_of_its_own(app: App) -> None:
    with alone(app, "deliver"):
        os.environ["HELMDESK_DATABASE_URL"] = app.settings.database_url
        told = ended(command_line, "--home", app.settings.home, "deliver")
        del os.environ["HELMDESK_DATABASE_URL"]
    assert (told.code, exit_code(Busy("x"))) == (6, 6)
    assert f"held by deliver since {app.now():%Y-%m-%d}" in told.text
    assert f"process {os.getpid()} on" in told.text


def die_before_the_mark(home: Path, database_url: str) -> None:
    Outbox.sent = lambda *words, **named: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
    with open_app(home=home, database_url=database_url) as app:
        deliver(app, at=LATER)


def kill_before_the_mark(app: App) -> None:
    done = ended(die_before_the_mark, app.settings.home, app.settings.database_url)
    assert done.code == -signal.SIGKILL, done.text


def test_killed_before_the_mark_sends_the_same_key_again(app: App, system: HandlerSystem) -> None:
    decide(app, 1)
    kill_before_the_mark(app)
    assert deliver_when_free(app) == Delivered(1, 0, 0, 0)
    assert system.keys == ["servicenow:INC1/decision/1"] * 2


def deliver_when_free(app: App) -> Delivered:
    """PostgreSQL sees a killed session a moment later."""
    for _ in range(200):
        try:
            return deliver(app, at=LATER)
        except Busy:
            continue
    raise AssertionError("the lock outlived its process")


def test_killed_before_the_mark_writes_the_file_once(tmp_path: Path) -> None:
    with open_app(home=tmp_path) as app:
        app.store.ingest(delivery(ticket(1), ticket(2)), at=LATER)
        decide(app, 1, 2)
        kill_before_the_mark(app)
        assert deliver(app, at=LATER) == Delivered(2, 0, 0, 0)
    lines = (tmp_path / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["key"] for line in lines] == [f"servicenow:INC{n}/decision/1" for n in (1, 2)]


def test_failing_payload_keeps_no_decision(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(_: AllocationDecision) -> dict[str, Any]:
        raise ZeroDivisionError

    monkeypatch.setattr(app.handler, "payload", breaks)
    with pytest.raises(ZeroDivisionError):
        decide(app, 1)
    assert (app.store.decisions(), states(app), app.store.ticket("INC1").group_id) == ([], {}, None)
