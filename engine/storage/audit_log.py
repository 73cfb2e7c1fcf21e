"""The chain of what belongs to no ticket: users, keys and roles, and records that were written without an event."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, text

from engine.contracts import GENESIS, chained
from engine.storage import rows
from engine.storage.access_tables import audit_log
from engine.storage.bulk import insert_rows
from engine.storage.chain import Head

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
        last = chained(row | {"at": row["at"] and row["at"].isoformat()}, last)
        new.append(row | {"hash": last})
    insert_rows(connection, audit_log, new)


def keep_seals(connection: Connection, seals: dict[str, str], entry: Entry | None = None) -> None:
    """Say in the log what records hold (see `engine.storage.seals`), in the entry that tells of them if there is one;
    without either nothing is said."""
    if seals or entry:
        teller = entry or Entry("records", None, "", "system", {})
        append(connection, [teller._replace(data=teller.data | ({"records": seals} if seals else {}))])


def head(connection: Connection) -> Head:
    """The last link."""
    newest = select(audit_log.c.version, audit_log.c.hash).order_by(audit_log.c.version.desc()).limit(1)
    found = connection.execute(newest).one_or_none()
    return Head(*found) if found else Head(0, GENESIS)
