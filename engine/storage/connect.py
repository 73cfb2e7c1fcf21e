"""How a database is reached: which addresses are understood, and how SQLite is told to share."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url, text

from engine.errors import BadInput, Conflict, HelmdeskError, NotFound, Unavailable
from engine.storage.text import as_json

BUSY_TIMEOUT_MS = 30_000
EMBEDDED = "the embedded alternative is sqlite:///var/helmdesk.db"


def address(url: str) -> URL:
    """The address with its driver. Raises BadInput for a database that is not supported."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        shown = url.partition("://")[0] if "@" in url else url  # what may hold a password is not repeated
        raise BadInput(f"{shown!r} is no database address; write sqlite:///var/helmdesk.db, for example.") from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed.set(drivername="sqlite")
        case "sqlite":
            raise BadInput("sqlite:// names no file; write sqlite:///var/helmdesk.db, or memory:// to keep nothing.")
        case "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise BadInput(f"{other} is not supported; use sqlite:///… or postgresql+psycopg://…")


def engine_for(url: str, *, foreign_keys: bool = True) -> Engine:
    """An engine whose SQLite transactions begin at once: IMMEDIATE for those marked by `writing`, else for reading.

    A deferred transaction that reads first and writes later fails with "database is locked" under load.
    """
    parsed = address(url)
    if parsed.get_backend_name() == "postgresql":
        return create_engine(
            parsed,
            json_serializer=as_json,
            pool_pre_ping=True,
            connect_args={"options": f"{parsed.query.get('options', '')} -c timezone=UTC".strip()},
        )
    try:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{parsed} can't be made: {error.strerror} ({error.filename}); name another file.") from error
    engine = create_engine(parsed, json_serializer=as_json, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("helmdesk_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    with told_for_people(engine.url), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, lock: int | None = None, within: Connection | None = None) -> Iterator[Connection]:
    """One transaction with the right to write from its start; on PostgreSQL those with the same `lock` take turns.

    `within` is the open transaction of a caller who writes more than this, all or nothing.
    """
    if within is not None:
        yield within
        return
    with told_for_people(engine.url), engine.execution_options(helmdesk_writes=True).begin() as connection:
        if lock is not None and engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        yield connection


@contextmanager
def told_for_people(url: URL) -> Iterator[None]:
    """Database errors as the desk's own: which database, what broke, what to do. Bugs (bad SQL) stay loud."""
    try:
        yield
    except exc.IntegrityError as error:
        raise _integrity(str(error.orig)) from error
    except exc.DataError as error:
        raise BadInput(f"The database refuses a value: {_first_line(error.orig)}") from error
    except exc.ProgrammingError:
        raise
    except exc.DatabaseError as error:
        raise _no_answer(url, _first_line(error.orig)) from error
    except exc.StatementError as error:
        if isinstance(error.orig, HelmdeskError):  # a column that refuses its value
            raise error.orig from None
        raise


def _no_answer(url: URL, why: str) -> HelmdeskError:
    where = url.render_as_string(hide_password=True)
    if "deadlock" in why or "could not serialize" in why:
        return Conflict(f"{where}: somebody else changes the same ({why}). Try again.")
    other = _for_sqlite(why) if url.get_backend_name() == "sqlite" else EMBEDDED
    return Unavailable(f"{where} does not answer: {why}; {other}.")


def _for_sqlite(why: str) -> str:
    """What to do; SQLite says `disk I/O error` when a file can't grow."""
    if "disk is full" in why or "disk I/O" in why:
        return "make room on the disk and run it again, nothing that was kept is lost"
    if "readonly" in why:
        return "this user may not write there: change its permissions or name another HELMDESK_HOME"
    if "not a database" in why or "malformed" in why:
        return "the file is damaged or none of ours: put back a copy or name another HELMDESK_HOME"
    return "check the path"


def _integrity(message: str) -> HelmdeskError:
    said, lowered = message.splitlines()[0], message.lower()
    if "never change" in lowered or "unique" in lowered:
        return Conflict(f"The database refuses the change: {said}. Load again and decide again.")
    if "foreign key" in lowered:
        return NotFound(f"A record belongs to something that is not in the store: {said}.")
    return BadInput(f"The database refuses a value: {said}.")


def _first_line(error: BaseException | None) -> str:
    return (str(error).splitlines() or ["no reason given"])[0]
