"""A claim, a draft and a person's answer come with their event: a process killed between the two leaves neither."""

import os
import signal
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Kind
from pipelines import actions
from pipelines.app.container import App
from pipelines.jobs.triage_tickets import classify, draft
from pipelines.snapshot import Snapshot
from tests.pipelines import dying
from tests.pipelines.dying import AT, opened
from tests.ports.examples import LATER, created, delivery, ticket
from tests.processes import ended, meet

TICKETS = 3


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


@pytest.fixture
def app(tmp_path: Path, database_url: str) -> Any:
    with opened(tmp_path, database_url) as made:
        numbers = range(1, TICKETS + 1)
        made.store.ingest(delivery(*map(ticket, numbers), events=tuple(map(created, numbers))), at=LATER)
        yield made


def killed(app: App, work: str, moment: str) -> None:
    done = ended(dying.main, work, moment, app.settings.home, app.settings.database_url)
    assert done.code == -signal.SIGKILL, done.text


def kept(app: App) -> tuple[int, int, int, int, int]:
    """Claims and their events, drafts and theirs, and people's answers."""
    kinds = app.store.frame("events", ["kind"])["kind"].to_list()
    rows = [app.store.frame(table).height for table in ("classifications", "suggestions")]
    return (
        rows[0],
        kinds.count(Kind.CLASSIFIED),
        rows[1],
        kinds.count(Kind.DRAFTED),
        app.triage.feedback.answer_count(),
    )


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_classification_leaves_neither(app: App, moment: str) -> None:
    killed(app, "classify", moment)
    assert kept(app) == (0, 0, 0, 0, 0)
    classify(app, Snapshot(app, AT).tickets_now, at=AT)
    assert kept(app) == (TICKETS, TICKETS, 0, 0, 0)


@pytest.mark.slow
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_killed_drafting_leaves_neither(app: App) -> None:
    classify(app, Snapshot(app, AT).tickets_now, at=AT)
    app.triage.index.close()
    del app.triage.index
    killed(app, "draft", "before")
    assert kept(app) == (TICKETS, TICKETS, 0, 0, 0)
    draft(app, Snapshot(app, AT).tickets_now, at=AT)
    assert kept(app) == (TICKETS, TICKETS, TICKETS, TICKETS, 0)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_answer_leaves_neither(app: App, moment: str) -> None:
    classify(app, Snapshot(app, AT).tickets_now, at=AT)
    killed(app, "review", moment)
    assert (kept(app)[1], kept(app)[4], app.store.ticket("INC1").product) == (TICKETS, 0, None)
    actions.answer_review(app, "INC1", label="ZTNA", by="ana")
    assert (kept(app)[1], kept(app)[4], app.store.ticket("INC1").product) == (TICKETS + 1, 1, "ZTNA")


def test_failing_event_takes_the_claim_back(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> int:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(app.store, "append", full)
        with pytest.raises(OSError, match="no space"):
            classify(app, Snapshot(app, AT).tickets_now, at=AT)
    assert kept(app) == (0, 0, 0, 0, 0)


def answer_as_process(home: Path, database_url: str, label: str) -> None:
    with opened(home, database_url) as app:
        app.store.counts()
        meet()
        for _ in range(10):
            actions.answer_review(app, "INC1", label=label, by=str(os.getpid()))


def test_two_people_at_once_leave_the_last_answer_on_the_ticket(app: App, process_pool: ProcessPoolExecutor) -> None:
    classify(app, Snapshot(app, AT).tickets_now, at=AT)
    home, url = app.settings.home, app.settings.database_url
    given = [process_pool.submit(answer_as_process, home, url, label) for label in ("SWG", "ZTNA")]
    for answers in given:
        answers.result(timeout=120)
    history = app.triage.feedback.review_history("servicenow:INC1")
    told = [event.value for event in app.store.history("servicenow:INC1") if event.kind == Kind.CLASSIFIED]
    assert (len(history), told[1:]) == (20, [answer.label for answer in history])
    assert app.store.ticket("INC1").product == history[-1].label
