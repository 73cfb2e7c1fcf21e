"""Whether what was recorded is still as it was: every ticket's chain and the log's are walked, compared with what a
publication keeps of them outside the database, and records with what their events say of them."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import groupby
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import polars as pl
from more_itertools import chunked
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    Select,
    String,
    Table,
    exists,
    func,
    select,
    tuple_,
    type_coerce,
)

from engine.contracts import chained
from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.storage import audit_log as log
from engine.storage.access_tables import audit_log
from engine.storage.chain import Head
from engine.storage.connect import reading, writing
from engine.storage.seals import COVERED, OF_ROOMS, RECORDS, Covered
from engine.storage.sql import SqlStore
from engine.storage.tables import events, tickets

HEADS = pl.Schema({"ticket": pl.String(), "version": pl.Int64(), "hash": pl.String()})
"""The last link of each chain; that of the log stands below `LOG`."""
LOG = "audit log"
ROWS_AT_ONCE = 5_000
SEALED_FROM = "sealed_from"
"""The kind of the log's entry after which a row without a seal is broken."""
_SEALING = 7_341_021
_SEALED = ("id", "ticket_id", "version", "kind", "at", "value", "actor", "reason", "sla_effect", "data", "recorded_at")

Part = TypeVar("Part", dict[str, Any], list[Any])


class Broken(NamedTuple):
    """A place in a ticket's history, or in that of `LOG`, that is not as it was recorded, or whose record is not;
    without an event where one is missing."""

    ticket: str
    version: int
    event_id: str | None
    what: str


class Audit(NamedTuple):
    """What was walked, how many places are broken, and the first of them by ticket and version.

    `records` agree with what their events say; `not_covered` are those, by table, of which no event says anything, in
    tables that were not sealed from the first day on.
    """

    tickets: int
    events: int
    found: int
    broken: list[Broken]
    records: int = 0
    not_covered: Mapping[str, int] = MappingProxyType({})


class _Seal(NamedTuple):
    """What an event says of a record, and where it says so."""

    digest: str
    ticket: str
    version: int
    event_id: str | None


class _Walked:
    """What is gathered on the way: the newest seal of each name, of tickets and of the log, and what was counted."""

    def __init__(self) -> None:
        self.of_tickets: dict[str, _Seal] = {}
        self.of_log: dict[str, _Seal] = {}
        self.agreeing = 0
        self.sealed_from: dict[str, int] = {}
        """Tables of which every row has a seal, and the version of the log's entry that says so."""
        self.unsealed: dict[str, list[tuple[str, str]]] = {}
        """By table, names and digests of rows that nothing speaks of."""


def tickets_in(heads: pl.DataFrame) -> int:
    """Of how many tickets these are the heads."""
    return heads.filter(pl.col("ticket") != LOG).height


def chain_heads(store: SqlStore, *, before: pl.DataFrame | None = None) -> pl.DataFrame:
    """The heads of all chains (schema `HEADS`), to be kept outside the database.

    `before` are those kept last: a ticket whose chain does not go on from there keeps its old head, so that a chain
    that was written anew shows however often is published after that.
    """
    last = (events.c.ticket_id == tickets.c.id) & (events.c.version == tickets.c.version)
    every = select(tickets.c.id, events.c.version, events.c.hash).join(events, last)
    with reading(store.engine) as connection:
        written = log.head(connection)
        entry = _frame([(LOG, *written)] if written.version else [])
        if before is None:
            return pl.concat([_frame(connection.execute(every).all()), entry]).sort("ticket")
        rows = connection.execute(select(tickets.c.id, tickets.c.version)).tuples().all()
        versions = pl.DataFrame(rows, schema={name: HEADS[name] for name in ("ticket", "version")}, orient="row")
        same = before.join(versions, on=["ticket", "version"], how="semi")  # whatever stands there, the old head stays
        now = pl.concat([_among(connection, versions.join(same, on="ticket", how="anti")), entry])
        moved = before.join(pl.concat([same, now]), on=list(HEADS), how="anti")
        contradicted = moved.join(_among(connection, moved), on=list(HEADS), how="anti")
    return pl.concat([same, now.join(contradicted, on="ticket", how="anti"), contradicted]).sort("ticket")


def _among(connection: Connection, heads: pl.DataFrame) -> pl.DataFrame:
    """The events and the entry that stand at these versions."""
    place = tuple_(events.c.ticket_id, events.c.version)
    query = select(events.c.ticket_id, events.c.version, events.c.hash)
    places = list(heads.select("ticket", "version").iter_rows())
    found = [
        tuple(row)
        for some in chunked(places, ROWS_PER_TRANSACTION)
        for row in connection.execute(query.where(place.in_(some)))
    ]
    versions = [version for ticket, version in places if ticket == LOG]
    entries = select(audit_log.c.version, audit_log.c.hash).where(audit_log.c.version.in_(versions))
    return _frame([*found, *((LOG, *row) for row in connection.execute(entries))])


def _frame(rows: Any) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(HEADS)
    return pl.DataFrame(columns, schema=HEADS, orient="col")


def verify(
    store: SqlStore, published: pl.DataFrame | None = None, *, also: Sequence[Covered] = (), limit: int = 100
) -> Audit:
    """Walk all chains in one transaction, some thousand events in memory at a time, and hold them against the heads
    that were published (schema `HEADS`), and the desk's records and those of the rooms (`also`) against their seals;
    at most `limit` broken places are listed."""
    heads = {} if published is None else {ticket: Head(*link) for ticket, *link in published.iter_rows()}
    counts, walked = {"found": 0}, _Walked()

    def every() -> Iterator[Broken]:
        for one in _every_break(connection, heads, walked, (*COVERED, *also)):
            counts["found"] += 1
            yield one

    with reading(store.engine) as connection:
        for table in (tickets, events):
            counts[table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
        broken = nsmallest(limit, every(), key=lambda one: (one.ticket, one.version))
    return Audit(
        counts["tickets"], counts["events"], counts["found"], broken, walked.agreeing,
        {table: len(rows) for table, rows in walked.unsealed.items() if table not in walked.sealed_from},
    )  # fmt: skip


def seal_from_now_on(engine: Engine) -> None:
    """Say in the log that from now on each row of the covered tables has a seal: rows that have none are sealed as they
    are found. Those of other rooms count from when their table is empty. Tables it was said of before stay as they are.

    The instant is the database's own.
    """
    with writing(engine, lock=_SEALING) as connection:
        walked = _Walked()
        for _ in _every_break(connection, {}, walked, COVERED):
            """What is broken is for `verify` to tell."""
        empty = [name for name in OF_ROOMS if not _has_rows(connection, name)]
        new = sorted({*(covered.table.name for covered in COVERED), *empty} - set(walked.sealed_from))
        if not new:
            return
        now = connection.execute(select(func.now())).scalar_one()
        at = now if now.tzinfo else now.replace(tzinfo=UTC)
        found = [seal for table in new for seal in walked.unsealed.get(table, ())]
        data: list[dict[str, Any]] = [{RECORDS: dict(some)} for some in chunked(found, ROWS_PER_TRANSACTION)]
        entries = [*data, {"tables": new}]
        log.append(connection, [log.Entry(SEALED_FROM, at, "", "system", one) for one in entries])


def _has_rows(connection: Connection, name: str) -> bool:
    table = Table(name, MetaData(), Column("ticket_id", String))
    return connection.execute(select(table).limit(1)).first() is not None


def _every_break(
    connection: Connection, published: dict[str, Head], walked: _Walked, covered: Iterable[Covered]
) -> Iterator[Broken]:
    unseen = dict(published)
    yield from _breaks(LOG, _with_tables(_walk_log(connection), walked), unseen.pop(LOG, None), walked.of_log)
    for ticket, rows in groupby(_walk(connection), key=lambda row: row["ticket_id"]):
        yield from _breaks(ticket, rows, unseen.pop(ticket, None), walked.of_tickets)
    for table in covered:
        yield from _records(connection, table, walked)
    for name in walked.of_tickets | walked.of_log:
        yield _gone(name, walked, "was removed")
    has_events = exists(select(events.c.id).where(events.c.ticket_id == tickets.c.id))
    for ticket, reached in connection.execute(select(tickets.c.id, tickets.c.version).where(~has_events)):
        if known := max(reached, unseen.pop(ticket, Head()).version):
            yield Broken(ticket, 1, None, f"missing, as are all up to {known}, which the ticket had reached")
    for ticket, head in unseen.items():
        yield Broken(ticket, 1, None, f"missing with its whole ticket, which was published with {head.version} events")


def _with_tables(rows: Iterable[dict[str, Any]], walked: _Walked) -> Iterator[dict[str, Any]]:
    """The same rows; what they say of sealed tables is kept."""
    for row in rows:
        if row["kind"] == SEALED_FROM:
            for table in _part_of(row["data"], "tables", []):
                walked.sealed_from.setdefault(str(table), row["version"])
        yield row


def _records(connection: Connection, covered: Covered, walked: _Walked) -> Iterator[Broken]:
    """Rows that are not as their newest seal says; each seal is taken away with its row."""
    names = dict.fromkeys((*covered.key, *covered.columns))
    for row in _raw(connection, [covered.table.c[name] for name in names]):
        name, digest = covered.seal(row)
        seals = [found[name] for found in (walked.of_tickets, walked.of_log) if name in found]
        if not seals:
            walked.unsealed.setdefault(covered.table.name, []).append((name, digest))
            if covered.table.name in walked.sealed_from:
                yield Broken(LOG, walked.sealed_from[covered.table.name], None, f"its record {name} is not sealed: "
                             "it was put in by something else than the desk")  # fmt: skip
        elif digest in {seal.digest for seal in seals}:
            walked.agreeing += 1
        else:
            yield _gone(name, walked, "was changed")
        walked.of_tickets.pop(name, None)
        walked.of_log.pop(name, None)


def _gone(name: str, walked: _Walked, what: str) -> Broken:
    """The place that says what the record was; a name by content is shown without it, and its row may be either."""
    seal = walked.of_tickets.get(name) or walked.of_log[name]
    shown = name.removesuffix(f"/{seal.digest}")
    return Broken(*seal[1:], f"its record {shown} {what if shown == name else 'was changed or removed'}")


def _breaks(
    ticket: str, rows: Iterable[dict[str, Any]], published: Head | None, seals: dict[str, _Seal]
) -> Iterator[Broken]:
    """Where one chain, in the order of its versions, is broken; what it says of records is added to `seals`."""
    last, name, reached = Head(), None, 0 if ticket == LOG else None
    for row in rows:
        seal, reached = row.pop("hash"), row.pop("reached")
        version, name = row["version"], row.get("id")
        for record, digest in _seals_in(row["data"]):
            seals[record] = _Seal(digest, ticket, version, name)
        if why := _fault(row, seal, last, published):
            yield Broken(ticket, min(version, last.version + 1), name if version <= last.version + 1 else None, why)
        last = Head(version, seal)
    if reached is None:
        yield Broken(ticket, last.version, name, "the ticket of this event is not in the store")
    elif last.version > reached:
        yield Broken(ticket, last.version, name, f"was put in: the ticket has {reached} events")
    elif last.version < max(reached, published.version if published else 0):
        known = max(reached, published.version if published else 0)
        yield Broken(ticket, last.version + 1, None, f"missing, as are all up to {known}, which the ticket had reached")


def _fault(row: dict[str, Any], seal: str, last: Head, published: Head | None) -> str | None:
    """What is wrong with an event that follows `last`; its content is unchecked after a gap."""
    version = row["version"]
    if version <= last.version:
        return "stands there twice"
    if version > last.version + 1:
        return "missing" if version == last.version + 2 else f"missing, as are all up to {version - 1}"
    if seal != _seal(row, last.hash):
        return "was changed" if version == 1 else "was changed, or the event before it was replaced"
    if published and version == published.version and seal != published.hash:
        return "was written anew since it was published, with what stands before it"
    return None


def _seal(row: dict[str, Any], previous: str) -> str | None:
    """The hash that belongs to an event as it stands there now; None where its JSON is none."""
    try:
        data = row["data"] if isinstance(row["data"], dict) else json.loads(row["data"])
        instants = {name: row[name] and _iso(row[name]) for name in ("at", "recorded_at") if name in row}
        return chained(row | instants | {"data": data}, previous)
    except (ValueError, TypeError):
        return None


def _iso(moment: Any) -> str:
    """SQLite keeps `2026-03-02 09:00:00.000000`, of which a hash covers `2026-03-02T09:00:00+00:00`."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    return f"{str(moment).replace(' ', 'T', 1).removesuffix('.000000')}+00:00"


def _seals_in(data: Any) -> Iterator[tuple[str, str]]:
    """The seals in an event's data, whatever was put there."""
    if isinstance(data, str) and f'"{RECORDS}"' not in data:
        return
    found = _part_of(data, RECORDS, {})
    yield from ((name, digest) for name, digest in found.items() if isinstance(digest, str))


def _part_of(data: Any, name: str, otherwise: Part) -> Part:
    """What stands below a name in an event's data, if it is of the kind of `otherwise`."""
    try:
        found = (data if isinstance(data, dict) else json.loads(data)).get(name, otherwise)
    except (ValueError, TypeError, AttributeError):
        return otherwise
    return found if isinstance(found, type(otherwise)) else otherwise


def _walk(connection: Connection) -> Iterator[dict[str, Any]]:
    """All events by ticket and version as the database holds them, whatever was put there; `reached` is the version of
    their ticket, None without one."""
    ticket = events.c.ticket_id if connection.dialect.name == "sqlite" else events.c.ticket_id.collate("C")
    query = select(*_as_held(connection, [events.c[name] for name in (*_SEALED, "hash")]))
    query = query.add_columns(tickets.c.version.label("reached"))
    joined = query.outerjoin_from(events, tickets, tickets.c.id == events.c.ticket_id)
    return _streamed(connection, joined.order_by(ticket, events.c.version))


def _walk_log(connection: Connection) -> Iterator[dict[str, Any]]:
    """The entries of the log in their order; nothing says how many it `reached` but they themselves."""
    query = select(*_as_held(connection, list(audit_log.c)), audit_log.c.version.label("reached"))
    return _streamed(connection, query.order_by(audit_log.c.version))


def _raw(connection: Connection, columns: Sequence[Column[Any]]) -> Iterator[dict[str, Any]]:
    return _streamed(connection, select(*_as_held(connection, columns)))


def _as_held(connection: Connection, columns: Sequence[Column[Any]]) -> list[Any]:
    """SQLite holds whatever was put into a column, which its type might not read."""
    if connection.dialect.name != "sqlite":
        return list(columns)
    return [type_coerce(column, String).label(column.name) for column in columns]


def _streamed(connection: Connection, query: Select[Any]) -> Iterator[dict[str, Any]]:
    streamed = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query)
    return (dict(row) for row in streamed.mappings())
