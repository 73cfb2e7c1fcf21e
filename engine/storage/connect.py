"""How a database is reached: which addresses are understood, and how SQLite is told to share."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, exc, make_url, text

from engine.shared.errors import BadInput, Conflict, HelmdeskError, NotFound, Unavailable
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
            raise BadInput("sqlite:// names no file; write sqlite:///var/helmdesk.db.")
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
        engine = create_engine(
            parsed,
            json_serializer=as_json,
            hide_parameters=True,
            pool_pre_ping=True,
            connect_args={"options": f"{parsed.query.get('options', '')} -c timezone=UTC".strip()},
        )
        return _translate_all(engine)
    try:
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable(f"{parsed} can't be made: {error.strerror} ({error.filename}); name another file.") from error
    wait = {"timeout": BUSY_TIMEOUT_MS / 1000}
    engine = create_engine(parsed, json_serializer=as_json, hide_parameters=True, connect_args=wait)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("helmdesk_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return _translate_all(engine)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Two that do this to a new file at once: SQLite refuses one without waiting (a wait could be a deadlock)."""
    for more in range(BUSY_TIMEOUT_MS // 50, -1, -1):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or not more:
                raise
        time.sleep(0.05)


def _translate_all(engine: Engine) -> Engine:
    """Whoever uses the engine, and however, gets the desk's own errors for what is no bug."""

    @event.listens_for(engine, "handle_error")
    def _on_error(context: ExceptionContext) -> HelmdeskError | None:
        error = context.sqlalchemy_exception
        return None if error is None or context.is_pre_ping else _translation(engine.url, error)

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    with translate_errors(engine.url), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine, *, lock: int | None = None, within: Connection | None = None) -> Iterator[Connection]:
    """One transaction with the right to write from its start; on PostgreSQL those with the same `lock` take turns.

    `within` is the open transaction of a caller who writes more than this, all or nothing.
    """
    if within is not None:
        yield within
        return
    with translate_errors(engine.url), engine.execution_options(helmdesk_writes=True).begin() as connection:
        if lock is not None and engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        yield connection


@contextmanager
def translate_errors(url: URL) -> Iterator[None]:
    """What a constraint refuses, and what a driver raises beside SQLAlchemy, as the desk's own errors too."""
    try:
        yield
    except exc.StatementError as error:
        known = _translation(url, error)
        if known is None and isinstance(error, exc.IntegrityError):
            known = _integrity(first_line(error.orig))
        if known is None:
            raise
        raise known from error


def _translation(url: URL, error: exc.StatementError) -> HelmdeskError | None:
    """Which database, what broke and what to do, in one line that repeats nothing kept; None for a bug and for a
    refused row, which stay loud, but without the row that PostgreSQL adds to its message."""
    why = first_line(error.orig)
    if isinstance(error, exc.DBAPIError):
        error.args = (f"({type(error.orig).__name__}) {why}",)
    match error:
        case exc.DataError():
            return BadInput(f"The database refuses a value: {why}")
        case exc.DBAPIError() if _is_outside(error):
            return unavailable(url, why)
        case _ if isinstance(error.orig, HelmdeskError):  # a column that refuses its value
            return error.orig
    return None


def _is_outside(error: exc.DBAPIError) -> bool:
    """Whether the database is at fault (locked, full, damaged, gone) and not a statement."""
    if isinstance(error.orig, sqlite3.Error):
        malformed = sqlite3.SQLITE_CORRUPT if str(error.orig) == _MALFORMED else sqlite3.SQLITE_ERROR
        code = getattr(error.orig, "sqlite_errorcode", malformed) & 0xFF
        return code not in {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
    if isinstance(error, exc.ProgrammingError):
        return getattr(error.orig, "sqlstate", None) == _NO_RIGHT
    return isinstance(error, exc.DatabaseError | exc.InterfaceError) and not isinstance(error, exc.IntegrityError)


_NO_RIGHT = "42501"
"""PostgreSQL's code for a user who may not do it."""


def shown(url: URL) -> str:
    """The address without what is secret in it."""
    return url.set(query={}).render_as_string(hide_password=True)


def unavailable(url: URL, why: str) -> HelmdeskError:
    """Conflict where another change came first, else Unavailable; `why` is the database's own line."""
    if "deadlock" in why or "could not serialize" in why:
        return Conflict(f"{shown(url)}: somebody else changes the same ({why}). Try again.")
    other = _for_sqlite(why) if url.get_backend_name() == "sqlite" else EMBEDDED
    return Unavailable(f"{shown(url)} does not answer: {why}; {other}.")


def _for_sqlite(why: str) -> str:
    """What to do; SQLite says `disk I/O error` when a file can't grow."""
    if "locked" in why:
        return "another process is writing, run it again when that is done"
    if "disk is full" in why or "disk I/O" in why:
        return "make room on the disk and run it again, nothing that was kept is lost"
    if "readonly" in why:
        return "this user may not write there: change its permissions or name another HELMDESK_HOME"
    if "not a database" in why or "malformed" in why:
        return "the file is damaged or none of ours: put back a copy or name another HELMDESK_HOME"
    return "check the path"


def _integrity(message: str) -> HelmdeskError:
    lowered = message.lower()
    if "never change" in lowered or "unique" in lowered:
        return Conflict(f"The database refuses the change: {message}. Load again and decide again.")
    if "foreign key" in lowered:
        return NotFound(f"A record belongs to something that is not in the store: {message}.")
    return BadInput(f"The database refuses a value: {message}.")


def first_line(error: BaseException | None) -> str:
    """All that is left of a driver's message afterwards: its other lines, and text that is no UTF-8, are somebody's."""
    line = (str(error).splitlines() or ["no reason given"])[0]
    line = _MALFORMED if line.startswith("Could not decode to UTF-8") else line
    if error is not None and not isinstance(error, HelmdeskError):
        error.args = (line,)
    return line


_MALFORMED = "a text is malformed"
