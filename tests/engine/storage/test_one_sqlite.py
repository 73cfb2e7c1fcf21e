"""One process uses one copy of SQLite: a second one would drop the file locks of the first and lose writes."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.contracts import Delivery, StandardTicket
from engine.shared.errors import Unavailable
from engine.storage import open_store
from engine.storage.audit import Broken, verify
from engine.storage.sql import SqlStore
from engine.storage.tables import events, tickets
from tests.ports.examples import ANA
from tests.ports.racers import claim

AT = datetime(2026, 9, 1, tzinfo=UTC)


def delivery(number: int) -> Delivery:
    return Delivery(tickets=(StandardTicket(ticket_id=str(number), source="desk", created_at=AT),))


def seen_by_another_process(file: Path) -> int:
    code = (
        f"import sqlite3; print(sqlite3.connect({str(file)!r}).execute('select count(*) from tickets').fetchone()[0])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return int(run.stdout)


def test_writes_after_a_frame_are_seen_by_everybody(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    store = open_store(f"sqlite:///{file}")
    for number in range(1, 4):
        store.ingest(delivery(number), at=AT)
        assert store.frame("tickets").height == number
        assert seen_by_another_process(file) == number


def test_a_full_disk_is_one_clear_error_and_loses_nothing(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
    store.ingest(delivery(1), at=AT)
    many = Delivery(
        tickets=tuple(StandardTicket(ticket_id=str(n), source="desk", created_at=AT) for n in range(3000)),
    )

    def full(connection: sqlite3.Connection, *_: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages + 20}")

    event.listen(store.engine, "connect", full)  # type: ignore[attr-defined]
    store.close()
    with pytest.raises(Unavailable, match=r"full; make room on the disk"):
        store.ingest(many, at=AT)
    event.remove(store.engine, "connect", full)  # type: ignore[attr-defined]
    store.close()
    assert store.ingest(many, at=AT).rejected == 0
    assert store.counts()["tickets"] == 3000


def test_replacing_the_row_does_not_replace_its_owner(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
    store.ingest(delivery(1), at=AT)
    claim(store, "desk:1", ANA)
    columns = ", ".join(column.name for column in tickets.c)
    given = columns.replace("owner_id", "'eve'").replace("accepted_by", "'eve'")
    replacing = f"INSERT OR REPLACE INTO tickets ({columns}) SELECT {given} FROM tickets"
    with (
        closing(sqlite3.connect(tmp_path / "desk.db")) as stranger,
        pytest.raises(sqlite3.IntegrityError, match="owner"),
    ):
        stranger.execute(replacing)
    assert store.ticket("desk:1").owner_id == ANA


def test_an_event_replaced_without_an_update_is_found(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'desk.db'}")
    assert isinstance(store, SqlStore)
    store.ingest(delivery(1), at=AT)
    claim(store, "desk:1", ANA)
    columns = ", ".join(column.name for column in events.c)
    with closing(sqlite3.connect(tmp_path / "desk.db")) as stranger:
        given = columns.replace("actor", "'eve'")
        stranger.execute(f"INSERT OR REPLACE INTO events ({columns}) SELECT {given} FROM events WHERE version = 1")
        stranger.commit()
    assert verify(store).broken == [Broken("desk:1", 1, "desk:1/created", "was changed")]
