"""The chain of what belongs to no ticket: users, keys and roles, and records that were written without an event."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from pydantic import BaseModel
from sqlalchemy import Connection, select, text

from engine.contracts import GENESIS, chained
from engine.storage import rows
from engine.storage.access_tables import audit_log
from engine.storage.bulk import insert_rows
from engine.storage.chain import Head
from engine.storage.connect import reading
from engine.storage.sql import SqlStore

_TURNS = 7_341_014


class Entry(NamedTuple):
    """One thing that happened; `at` is None where records were written without an instant."""

    kind: str
    at: datetime | None
    subject: str
    actor: str
    data: dict[str, Any]


def append(connection: Connection, entries: Iterable[Entry]) -> None:
    """Number and chain entries in the transaction of what they tell of; writers take turns."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:turns)"), {"turns": _TURNS})
    (version, last), new = head(connection), []
    for entry in entries:
        version += 1
        row = rows.plain(audit_log, {"version": version, **entry._asdict()})
        last = chained(row | {"at": None if entry.at is None else row["at"].isoformat()}, last)
        new.append(row | {"hash": last})
    insert_rows(connection, audit_log, new)


def head(connection: Connection) -> Head:
    """The last link."""
    newest = select(audit_log.c.version, audit_log.c.hash).order_by(audit_log.c.version.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    return Head(*found) if found else Head(0, GENESIS)


class AuditLog:
    """The log of one store."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    def keep(self, records: Sequence[BaseModel], entry: Entry) -> None:
        """Records and what is said of them, both or neither."""
        with self._store.transaction() as connection:
            self._store.put(records, within=connection)
            append(connection, [entry])

    def entries(self) -> list[Entry]:
        """All of them, oldest first."""
        query = select(*(audit_log.c[name] for name in Entry._fields)).order_by(audit_log.c.version)
        with reading(self._store.engine) as connection:
            return [Entry(*row) for row in connection.execute(query)]
