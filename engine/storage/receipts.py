"""What other systems posted, byte for byte: kept before it is acknowledged, read later, once."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from more_itertools import chunked
from sqlalchemy import Connection, Engine, bindparam, func, or_, select, update

from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.shared.errors import NotFound
from engine.storage import rows
from engine.storage.bulk import insert_rows
from engine.storage.connect import reading, writing
from engine.storage.tables import receipts
from engine.storage.text import clean

WAITING, INGESTED, REJECTED = "waiting", "ingested", "rejected"
_LOCK = 7_341_017


class Posted(NamedTuple):
    """A payload as it came in. `key_id` says by which key, or that it was signed; never the key itself."""

    source: str
    body: bytes
    received_at: datetime
    key_id: str
    idempotency_key: str | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Receipt(NamedTuple):
    """A payload that is kept. `is_new` is false where it was kept before, as its number and instant then say;
    `is_same` is false where it came under a key that another body had come under, and is not kept."""

    id: int
    received_at: datetime
    is_new: bool
    is_same: bool


class Unread(NamedTuple):
    """A receipt that waits to be taken in."""

    id: int
    source: str
    body: bytes
    received_at: datetime


class Finding(NamedTuple):
    """What became of a receipt; of one that was taken in, `error` names what of it was not."""

    id: int
    state: str
    error: str | None = None


class Status(NamedTuple):
    """A receipt as anybody may see it who may ask."""

    receipt: int
    source: str
    received_at: datetime
    state: str
    error: str | None


class Receipts:
    """Fulfils: once `keep` returns, a process that is killed loses nothing. With SQLite's `synchronous = NORMAL` a
    power failure may lose the last transactions; PostgreSQL waits for its disk."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, posted: Sequence[Posted]) -> list[Receipt]:
        """One receipt each, in their order, in one transaction. The same source and body, or the same source and
        idempotency key, is the same receipt."""
        with writing(self._engine, lock=_LOCK) as connection:
            before = _Index(connection, posted)
            new, keys = dict[tuple[str, str], Posted](), set(before.by_key)
            for one in posted:
                place, key = (one.source, one.digest), (one.source, one.idempotency_key)
                if place not in before.by_digest and place not in new and key not in keys:
                    new[place] = one
                    keys |= {key} if one.idempotency_key is not None else set()
            insert_rows(connection, receipts, [_row(one) for one in new.values()])
            after = _Index(connection, posted) if new else before
        unseen = set(new)
        found = []
        for one in posted:
            place = (one.source, one.digest)
            row = after.by_digest.get(place) or after.by_key[(one.source, one.idempotency_key)]
            found.append(Receipt(row.id, row.received_at, place in unseen, row.digest == one.digest))
            unseen.discard(place)
        return found

    def waiting(self, limit: int) -> list[Unread]:
        """The first ones that nobody has taken in, in the order in which they came."""
        columns = [receipts.c[name] for name in Unread._fields]
        query = select(*columns).where(receipts.c.state == WAITING).order_by(receipts.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [Unread(*row) for row in connection.execute(query)]

    def mark(self, findings: Iterable[Finding]) -> None:
        statement = update(receipts).where(receipts.c.id == bindparam("receipt"))
        became = statement.values(state=bindparam("became"), error=bindparam("why"))
        for some in chunked(findings, ROWS_PER_TRANSACTION):
            rows_of = [{"receipt": one.id, "became": one.state, "why": one.error and clean(one.error)} for one in some]
            with writing(self._engine) as connection:
                connection.execute(became, rows_of)

    def status(self, number: int, *, source: str | None = None) -> Status:
        """Raises NotFound, also for a receipt of another source than the one that is given."""
        columns = [receipts.c.id, *(receipts.c[name] for name in Status._fields[1:])]
        query = select(*columns).where(receipts.c.id == number)
        if source is not None:
            query = query.where(receipts.c.source == source)
        with reading(self._engine) as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"There is no receipt {number}{f' of {source}' if source else ''}.")
        return Status(*row)

    def troubled(self, *, limit: int) -> list[Status]:
        """Those of which something was not taken in, the newest first."""
        columns = [receipts.c.id, *(receipts.c[name] for name in Status._fields[1:])]
        query = select(*columns).where(receipts.c.error.is_not(None)).order_by(receipts.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return [Status(*row) for row in connection.execute(query)]

    def counts(self) -> dict[str, int]:
        """By state; a state without a receipt is not among them."""
        with reading(self._engine) as connection:
            found = connection.execute(select(receipts.c.state, func.count()).group_by(receipts.c.state))
            return dict(found.tuples().all())


class _Index:
    """Those of the kept receipts that some posted ones may be, by digest and by idempotency key."""

    def __init__(self, connection: Connection, posted: Sequence[Posted]) -> None:
        self.by_digest: dict[tuple[str, str], Any] = {}
        self.by_key: dict[tuple[str, str | None], Any] = {}
        columns = [receipts.c[name] for name in ("id", "source", "digest", "idempotency_key", "received_at")]
        for some in chunked(posted, ROWS_PER_TRANSACTION):
            same = receipts.c.digest.in_([one.digest for one in some])
            keys = [one.idempotency_key for one in some if one.idempotency_key is not None]
            named = receipts.c.idempotency_key.in_(keys)
            for row in connection.execute(select(*columns).where(or_(same, named))):
                self.by_digest[(row.source, row.digest)] = row
                if row.idempotency_key is not None:
                    self.by_key[(row.source, row.idempotency_key)] = row


def _row(posted: Posted) -> dict[str, Any]:
    fields = {**posted._asdict(), "digest": posted.digest, "state": WAITING, "error": None}
    return rows.plain(receipts, fields)
