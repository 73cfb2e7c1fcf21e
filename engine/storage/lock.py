"""Who works on a store now: locks by name that are never waited for and end with the process that holds them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path

from sqlalchemy import Connection, Engine, exc, text

from engine.shared.errors import Busy, Unavailable
from engine.storage.connect import translate_errors

_locks_here: ContextVar[frozenset[tuple[str, str]]] = ContextVar("held_locks", default=frozenset())

_HOLDER = text("""
    SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND pg_locks.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (classid::bigint << 32) | objid::bigint = :key
""")
_NOTICE_DEAD_PEERS = text("""
    SELECT set_config('tcp_keepalives_idle', '30', false), set_config('tcp_keepalives_interval', '10', false),
           set_config('tcp_keepalives_count', '3', false), set_config('idle_session_timeout', '0', false),
           set_config('application_name', :holder, false)
""")


@contextmanager
def store_lock(engine: Engine, name: str, *, holder: str) -> Iterator[None]:
    """Hold a store's lock of this name for the block; what runs within the block may ask for it again.

    Raises Busy at once if another process or thread holds it, with the text that one gave as `holder`. PostgreSQL keeps
    the first 63 bytes of that text; its lock is on a session of its own, which a pooler must not share out.
    """
    lock = (engine.url.render_as_string(), name)
    if lock in _locks_here.get():
        yield
        return
    with (_database_lock if engine.dialect.name == "postgresql" else _file_lock)(engine, name, holder):
        token = _locks_here.set(_locks_here.get() | {lock})
        try:
            yield
        finally:
            _locks_here.reset(token)


@contextmanager
def _file_lock(engine: Engine, name: str, holder: str) -> Iterator[None]:
    """Beside the database: `helmdesk.db.NAME.lock`, and who holds it in `helmdesk.db.NAME.holder`."""
    from filelock import FileLock, Timeout

    base = f"{Path(str(engine.url.database)).resolve()}.{name}"
    lock, note = FileLock(f"{base}.lock", timeout=0, fallback_to_soft=False), Path(f"{base}.holder")
    try:
        lock.acquire()
    except Timeout:
        raise _busy(name, _text_of(note)) from None
    except OSError as error:
        raise Unavailable(f"{base}.lock can't be held: {error.strerror}; check its permissions and the disk") from error
    try:
        with suppress(OSError):  # a full disk shall not stop work that may need none
            note.write_text(holder, encoding="utf-8")
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


@contextmanager
def _database_lock(engine: Engine, name: str, holder: str) -> Iterator[None]:
    with translate_errors(engine.url):
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
    try:
        with translate_errors(engine.url):
            _take(connection, name, holder)
        yield
    finally:
        with suppress(exc.DBAPIError):  # a session that broke holds nothing
            connection.execute(text("SELECT pg_advisory_unlock_all()"))  # a closed one, until the server notices
        connection.close()


def _take(connection: Connection, name: str, holder: str) -> None:
    schema = connection.execute(text("SELECT current_schema()")).scalar_one()
    digest = hashlib.sha256(f"helmdesk/{schema}/{name}".encode()).digest()
    key = {"key": int.from_bytes(digest[:8], signed=True)}
    connection.execute(_NOTICE_DEAD_PEERS, {"holder": holder})
    if not connection.execute(text("SELECT pg_try_advisory_lock(:key)"), key).scalar_one():
        raise _busy(name, connection.execute(_HOLDER, key).scalar() or "")


def _text_of(note: Path) -> str:
    try:
        return note.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _busy(name: str, holder: str) -> Busy:
    return Busy(f"The {name} lock of this store is held by {holder or 'another process'}; nothing was done")
