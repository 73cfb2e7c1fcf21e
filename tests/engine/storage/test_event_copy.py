"""A copy of the events saves reading them again, and never says anything that the database does not."""

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.contracts import Delivery, StandardTicket
from engine.storage import frames, open_store
from engine.storage.sql import SqlStore

AT = datetime(2026, 9, 1, tzinfo=UTC)
COLUMNS = ("ticket_id", "version", "kind", "at", "value", "data")
KINDS = {"kind": ["created", "status"]}


class Desk:
    """A store and the file beside it; `read` is how many rows the database was asked for by the last reading."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, tickets: range = range(30)) -> None:
        self.file, self.copy, self.read = folder / "desk.db", folder / "copy.parquet", 0
        self.store = open_store(f"sqlite:///{self.file}")
        from_sqlite = frames.from_sqlite

        def counted(*given: object) -> pl.DataFrame:
            found = from_sqlite(*given)  # type: ignore[arg-type]
            self.read += found.height
            return found

        monkeypatch.setattr(frames, "from_sqlite", counted)
        self.take_in(*tickets)

    def take_in(self, *numbers: int) -> None:
        tickets = tuple(StandardTicket(ticket_id=f"{n:03}", source="desk", created_at=AT) for n in numbers)
        self.store.ingest(Delivery(tickets=tickets), at=AT)

    def rows_read(self) -> int:
        """Reads by the copy; what comes must be what the database has."""
        self.read = 0
        found = self.store.frame("events", COLUMNS, where=KINDS, copy=self.copy)
        read, self.read = self.read, 0
        order = ["ticket_id", "version"]
        assert_frame_equal(
            found.sort(order), SqlStore(str(self.store.url)).frame("events", COLUMNS, where=KINDS).sort(order)
        )
        return read

    def alter(self, statement: str) -> None:
        """What somebody does by hand, past the triggers."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as connection:
            for trigger in ("events_stay", "events_are_kept"):
                connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            connection.execute(statement)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    desk = Desk(tmp_path, monkeypatch)
    assert desk.rows_read() == 30
    return desk


def test_only_what_is_newer_is_read(desk: Desk) -> None:
    assert desk.rows_read() == 0
    desk.take_in(30, 31)
    assert desk.rows_read() == 2
    desk.take_in(32, 33)
    assert desk.rows_read() == 4  # more than a tenth: the file is written anew
    assert desk.rows_read() == 0


ALTERED = {
    "changed": "UPDATE events SET value = 'closed', hash = replace(hash, substr(hash, 1, 1), 'z') WHERE rowid = 7",
    "removed": "DELETE FROM events WHERE rowid = 7",
    "removed, the newest": "DELETE FROM events WHERE rowid = (SELECT max(rowid) FROM events)",
    "moved": "UPDATE events SET rowid = 1000 WHERE rowid = 7",
    "emptied": "DELETE FROM events",
}


@pytest.mark.parametrize("statement", ALTERED.values(), ids=ALTERED.keys())
def test_all_is_read_again_once_a_row_is_not_as_it_was(desk: Desk, statement: str) -> None:
    desk.alter(statement)
    assert desk.rows_read() == int(SqlStore(str(desk.store.url)).counts()["events"])


def test_all_is_read_again_from_a_restored_backup_that_went_on_otherwise(desk: Desk, tmp_path: Path) -> None:
    desk.store.close()
    shutil.copy(desk.file, tmp_path / "backup.db")
    desk.take_in(*range(30, 40))
    assert desk.rows_read() == 10
    desk.store.close()
    shutil.copy(tmp_path / "backup.db", desk.file)
    for rest in ("-wal", "-shm"):
        desk.file.with_name(desk.file.name + rest).unlink(missing_ok=True)
    assert desk.rows_read() == 30
    desk.take_in(*range(50, 60))
    assert desk.rows_read() == 10


def test_another_database_is_read_whole(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other", monkeypatch, range(100, 131))
    other.copy = desk.copy
    desk.take_in(31)
    assert other.rows_read() == 31
    assert desk.rows_read() == 31


def test_other_rows_or_columns_are_asked_of_the_database(desk: Desk) -> None:
    found = desk.store.frame("events", ["id"], where=KINDS, copy=desk.copy)
    assert (found.columns, found.height) == (["id"], 30)
    assert desk.store.frame("events", COLUMNS, where={"kind": ["status"]}, copy=desk.copy).height == 0


@pytest.mark.parametrize("content", [b"", b"PAR1 nothing of this", None])
def test_a_damaged_copy_is_made_anew(desk: Desk, content: bytes | None) -> None:
    desk.copy.write_bytes(desk.copy.read_bytes()[:-100] if content is None else content)
    assert desk.rows_read() == 30
    assert desk.rows_read() == 0


def test_without_a_place_for_the_copy_all_is_read(desk: Desk, tmp_path: Path) -> None:
    desk.copy = tmp_path / "desk.db" / "no folder" / "copy.parquet"
    assert desk.rows_read() == 30
