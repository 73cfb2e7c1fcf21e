"""Whether the history is still as it was recorded: every ticket's chain is walked, and compared with what a publication
keeps of it outside the database."""

import json
from collections.abc import Iterator
from datetime import datetime
from heapq import nsmallest
from itertools import groupby
from typing import Any, NamedTuple

import polars as pl
from more_itertools import chunked
from sqlalchemy import Connection, String, exists, func, select, tuple_, type_coerce

from engine.contracts import chained
from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.storage.chain import Head
from engine.storage.connect import reading
from engine.storage.sql import SqlStore
from engine.storage.tables import events, tickets

HEADS = pl.Schema({"ticket": pl.String(), "version": pl.Int64(), "hash": pl.String()})
"""The last link of each ticket's chain."""
ROWS_AT_ONCE = 5_000
_SEALED = ("id", "ticket_id", "version", "kind", "at", "value", "actor", "reason", "sla_effect", "data", "recorded_at")


class Broken(NamedTuple):
    """A place in a ticket's history that is not as it was recorded; without an event where one is missing."""

    ticket: str
    version: int
    event_id: str | None
    what: str


class Audit(NamedTuple):
    """What was walked, how many places are broken, and the first of them by ticket and version."""

    tickets: int
    events: int
    found: int
    broken: list[Broken]


def chain_heads(store: SqlStore, *, before: pl.DataFrame | None = None) -> pl.DataFrame:
    """The heads of all chains (schema `HEADS`), to be kept outside the database.

    `before` are those kept last: a ticket whose chain does not go on from there keeps its old head, so that a chain
    that was written anew shows however often is published after that.
    """
    last = (events.c.ticket_id == tickets.c.id) & (events.c.version == tickets.c.version)
    query = select(tickets.c.id, events.c.version, events.c.hash).join(events, last)
    with reading(store.engine) as connection:
        now = _frame(connection.execute(query).all())
        if before is None:
            return now.sort("ticket")
        moved = before.join(now, on=list(HEADS), how="anti")
        contradicted = moved.join(_among(connection, moved), on=list(HEADS), how="anti")
    return pl.concat([now.join(contradicted, on="ticket", how="anti"), contradicted]).sort("ticket")


def _among(connection: Connection, heads: pl.DataFrame) -> pl.DataFrame:
    """The events that stand at these versions."""
    place = tuple_(events.c.ticket_id, events.c.version)
    query = select(events.c.ticket_id, events.c.version, events.c.hash)
    places = list(heads.select("ticket", "version").iter_rows())
    return _frame(
        [
            row
            for some in chunked(places, ROWS_PER_TRANSACTION)
            for row in connection.execute(query.where(place.in_(some)))
        ]
    )


def _frame(rows: Any) -> pl.DataFrame:
    columns = list(zip(*rows, strict=True)) or [()] * len(HEADS)
    return pl.DataFrame(columns, schema=HEADS, orient="col")


def verify(store: SqlStore, published: pl.DataFrame | None = None, *, limit: int = 100) -> Audit:
    """Walk all chains in one transaction, some thousand events in memory at a time, and hold them against the heads
    that were published (schema `HEADS`); at most `limit` broken places are listed."""
    heads = {} if published is None else {ticket: Head(*link) for ticket, *link in published.iter_rows()}
    counts = {"found": 0}

    def every() -> Iterator[Broken]:
        for one in _every_break(connection, heads):
            counts["found"] += 1
            yield one

    with reading(store.engine) as connection:
        for table in (tickets, events):
            counts[table.name] = connection.execute(select(func.count()).select_from(table)).scalar_one()
        broken = nsmallest(limit, every(), key=lambda one: (one.ticket, one.version))
    return Audit(counts["tickets"], counts["events"], counts["found"], broken)


def _every_break(connection: Connection, published: dict[str, Head]) -> Iterator[Broken]:
    unseen = dict(published)
    for ticket, rows in groupby(_walk(connection), key=lambda row: row["ticket_id"]):
        yield from _breaks(ticket, rows, unseen.pop(ticket, None))
    has_events = exists(select(events.c.id).where(events.c.ticket_id == tickets.c.id))
    for ticket, reached in connection.execute(select(tickets.c.id, tickets.c.version).where(~has_events)):
        if known := max(reached, unseen.pop(ticket, Head()).version):
            yield Broken(ticket, 1, None, f"missing, as are all up to {known}, which the ticket had reached")
    for ticket, head in unseen.items():
        yield Broken(ticket, 1, None, f"missing with its whole ticket, which was published with {head.version} events")


def _breaks(ticket: str, rows: Iterator[dict[str, Any]], published: Head | None) -> Iterator[Broken]:
    """Where one ticket's chain, in the order of its versions, is broken."""
    last, name, reached = Head(), None, None
    for row in rows:
        seal, reached = row.pop("hash"), row.pop("reached")
        version, name = row["version"], row["id"]
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
        return chained(row | {"at": _iso(row["at"]), "recorded_at": _iso(row["recorded_at"]), "data": data}, previous)
    except (ValueError, TypeError):
        return None


def _iso(moment: Any) -> str:
    """SQLite keeps `2026-03-02 09:00:00.000000`, of which a hash covers `2026-03-02T09:00:00+00:00`."""
    if isinstance(moment, datetime):
        return moment.isoformat()
    return f"{str(moment).replace(' ', 'T', 1).removesuffix('.000000')}+00:00"


def _walk(connection: Connection) -> Iterator[dict[str, Any]]:
    """All events by ticket and version as the database holds them, whatever was put there; `reached` is the version of
    their ticket, None without one."""
    on_sqlite = connection.dialect.name == "sqlite"
    columns = [events.c[name] for name in (*_SEALED, "hash")]
    raw = [type_coerce(column, String).label(column.name) for column in columns] if on_sqlite else columns
    ticket = events.c.ticket_id if on_sqlite else events.c.ticket_id.collate("C")
    query = select(*raw, tickets.c.version.label("reached")).outerjoin(tickets, tickets.c.id == events.c.ticket_id)
    streamed = connection.execution_options(yield_per=ROWS_AT_ONCE).execute(query.order_by(ticket, events.c.version))
    return (dict(row) for row in streamed.mappings())
