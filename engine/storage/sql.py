"""The system of record in a database: SQLite on one machine, PostgreSQL for many users, with the same promises."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import islice
from typing import Any, cast

import polars as pl
from more_itertools import chunked
from pydantic import BaseModel
from sqlalchemy import Connection, Engine, MetaData, Table, func, insert, inspect, literal_column, or_, select

from engine.contracts import (
    AllocationDecision,
    Delivery,
    Event,
    IngestReport,
    RecordedEvent,
    Rejected,
    StandardTicket,
    Status,
    Ticket,
)
from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.shared.errors import NotFound
from engine.storage import audit_log, frames, naming, rows, seals, statements
from engine.storage.bulk import insert_rows
from engine.storage.connect import address, engine_for, reading, writing
from engine.storage.outbox import Destination
from engine.storage.ports import Note, Record, Saved, decisions_among, records_among
from engine.storage.records import check_fields, mapping_of
from engine.storage.tables import allocation_decisions, events, ingest_batches, metadata, rejected_rows, tickets
from engine.storage.text import is_text
from engine.storage.upsert import plan
from engine.storage.upsert.plan import Item, Known, in_utc

_INGEST = 7_341_001
_NOTES_PER_TRANSACTION = 100  # a nudge brings up to nine alerts and the rows of whom they reach
_LOOKED_THROUGH = 10
"""Batches that are compared with the store in one read."""


class SqlStore:
    """Fulfils `Store`. Open it with `engine.storage.open_store`, which looks after the migrations."""

    def __init__(self, url: str) -> None:
        self.url = address(url)
        self._engine = engine_for(url)

    @property
    def engine(self) -> Engine:
        """For rooms that keep their own tables in the same database."""
        return self._engine

    def close(self) -> None:
        self._engine.dispose()

    def ingest(self, delivery: Delivery, *, at: datetime) -> IngestReport:
        at, report, delivery = in_utc(at), IngestReport(), plan.storable(delivery)
        pieces = plan.batches(delivery)
        while batches := list(islice(pieces, _LOOKED_THROUGH)):
            report += self._upsert(batches, at=at)
        for some in chunked(delivery.rejected, ROWS_PER_TRANSACTION):
            with writing(self._engine, lock=_INGEST) as connection:
                statements.keep_rejected(connection, some, at=at)
            report += IngestReport(rejected=len(some))
        if report != IngestReport():
            with writing(self._engine) as connection:
                connection.execute(insert(ingest_batches), rows.batch_row(report, at))
        return report

    def _upsert(self, batches: list[list[Item]], *, at: datetime) -> IngestReport:
        """Take batches in; what brings nothing new is found without taking the right to write."""
        items = [item for batch in batches for item in batch]
        with reading(self._engine) as connection:
            delivered_at = statements.delivered_at(connection, (item.key for item in items))
            there = [item for item in items if item.key in delivered_at]
            ids = statements.known_ids(connection, plan.deciding_events(there))
        report = IngestReport()
        for batch in batches:
            rest = plan.with_news(batch, delivered_at, ids)
            report += IngestReport(skipped=plan.tickets_in(batch) - plan.tickets_in(rest))
            if rest:
                unknown = any(item.ticket and item.key not in delivered_at for item in rest)
                report += (None if unknown else self._no_news(rest, at=at)) or self._take_in(rest, at=at)
        return report

    def _no_news(self, items: list[Item], *, at: datetime) -> IngestReport | None:
        """The report of a batch of known tickets that changes nothing; else None."""
        with reading(self._engine) as connection:
            rows = statements.known(connection, (item.key for item in items))
            ids = statements.known_ids(connection, plan.deciding_events(items))
            draft = plan.plan_batch(items, Known(rows, {}, ids), at=at)
            news = draft.changed or draft.events or statements.new_rejected(connection, draft.rejected)
        return None if news else draft.report

    def _take_in(self, items: list[Item], *, at: datetime) -> IngestReport:
        with writing(self._engine, lock=_INGEST) as connection:
            return self._write(connection, items, at=at)

    def _write(self, connection: Connection, items: list[Item], *, at: datetime) -> IngestReport:
        rows = statements.known(connection, {item.key for item in items}, lock=True)
        ids = statements.known_ids(connection, plan.deciding_events(items))
        draft = plan.plan_batch(items, Known(rows, statements.last_instants(connection, rows), ids), at=at)
        recorded, moved = plan.numbered(draft.events, statements.heads(connection, rows), ids, at=at)
        statements.write_plan(connection, draft, moved)
        insert_rows(connection, events, recorded)
        statements.keep_rejected(connection, draft.rejected, at=at)
        return draft.report + IngestReport(events=len(recorded))

    def create(self, ticket: StandardTicket, *, at: datetime) -> Ticket:
        with writing(self._engine, lock=_INGEST) as connection:
            taken = statements.numbers(connection, ticket.source, naming.series(ticket))
            numbered = naming.numbered(ticket, taken)
            for items in plan.batches(Delivery(tickets=(numbered,))):
                self._write(connection, items, at=in_utc(at))
            made = statements.known(connection, [numbered.key])[numbered.key]
        return rows.ticket(made)

    def own(self, firsts: Sequence[Event], *, at: datetime) -> int:
        owned = 0
        for some in chunked(firsts, ROWS_PER_TRANSACTION):
            with writing(self._engine) as connection:
                owned += statements.own(connection, some, at=in_utc(at))
        return owned

    def rejected(self) -> list[Rejected]:
        with reading(self._engine) as connection:
            found = statements.fetch(connection, select(rejected_rows).order_by(rejected_rows.c.id))
        return [rows.rejected(row) for row in found]

    def ticket(self, ticket_id: str, *, within: Connection | None = None) -> Ticket:
        """Read in a caller's transaction, the ticket with this key stands still until that one ends."""
        if within is not None:
            return rows.ticket(
                naming.only_one(list(statements.known(within, [ticket_id], lock=True).values()), ticket_id)
            )
        if not is_text(ticket_id):
            return rows.ticket(naming.only_one([], ticket_id))
        named = or_(tickets.c.reference == ticket_id, tickets.c.external_id == ticket_id)
        with reading(self._engine) as connection:
            found = statements.fetch(connection, select(tickets).where(tickets.c.id == ticket_id))
            found = found or statements.fetch(
                connection, select(tickets).where(named).order_by(tickets.c.id).limit(naming.NAMED + 1)
            )
        return rows.ticket(naming.only_one(found, ticket_id))

    def tickets(
        self,
        *,
        ids: Iterable[str] | None = None,
        statuses: Iterable[Status] | None = None,
        holder: Collection[str] | None = None,
        limit: int | None = None,
    ) -> list[Ticket]:
        query = select(tickets)
        if statuses is not None:
            query = query.where(tickets.c.status.in_([Status(status).value for status in statuses]))
        if holder is not None:
            query = query.where(statements.held_by(holder))
        key = tickets.c.id.collate("C") if self._engine.dialect.name == "postgresql" else tickets.c.id
        query = query.order_by(tickets.c.created_at, key)
        with reading(self._engine) as connection:
            if ids is None:
                return [rows.ticket(row) for row in statements.fetch(connection, query.limit(limit))]
            parts = [query.where(tickets.c.id.in_(some)) for some in chunked(sorted(set(ids)), ROWS_PER_TRANSACTION)]
            found = [rows.ticket(row) for part in parts for row in statements.fetch(connection, part)]
        return sorted(found, key=lambda ticket: (ticket.created_at, ticket.id))[:limit]

    def history(self, ticket_id: str) -> list[RecordedEvent]:
        query = select(events).where(events.c.ticket_id == ticket_id).order_by(events.c.version)
        with reading(self._engine) as connection:
            return [rows.recorded(row) for row in statements.fetch(connection, query)]

    def save(
        self,
        ticket: Ticket,
        events: Sequence[Event],
        *,
        at: datetime,
        records: Sequence[BaseModel] = (),
        within: Connection | None = None,
    ) -> Saved:
        sealed, left = seals.onto(events, seals.of(records))
        with writing(self._engine, within=within) as connection:
            recorded = statements.save(connection, ticket, sealed, at=in_utc(at))
            statements.put(connection, records)
            audit_log.keep_seals(connection, left)
            saved = statements.known(connection, [ticket.id])[ticket.id]
        return Saved(rows.ticket(saved), [rows.recorded(row) for row in recorded])

    def append(self, events: Sequence[Event], *, at: datetime, within: Connection | None = None) -> int:
        new = 0
        for some in chunked(events, ROWS_PER_TRANSACTION):
            with writing(self._engine, within=within) as connection:
                new += len(statements.append(connection, some, at=in_utc(at)))
        return new

    def note(self, notes: Sequence[Note], *, at: datetime, destination: Destination | None = None) -> list[Note]:
        saved_notes: list[Note] = []
        for some in chunked(sorted(notes, key=lambda note: note.ticket.id), _NOTES_PER_TRANSACTION):
            with writing(self._engine) as connection:
                now = statements.known(connection, [note.ticket.id for note in some], lock=True)
                unmoved = [note for note in some if now[note.ticket.id]["version"] == note.ticket.version]
                sealed = [seals.onto(note.events, seals.of(records_among([note]))) for note in unmoved]
                statements.append(connection, [event for events, _ in sealed for event in events], at=in_utc(at))
                statements.decide(connection, decisions_among(unmoved), at=in_utc(at), destination=destination)
                statements.put(connection, records_among(unmoved))
                audit_log.keep_seals(connection, {name: seal for _, left in sealed for name, seal in left.items()})
            saved_notes += unmoved
        return saved_notes

    def put(
        self,
        records: Sequence[BaseModel],
        *,
        entry: audit_log.Entry | None = None,
        within: Connection | None = None,
    ) -> None:
        """`entry` tells of them in the audit log; `within` is the transaction of whoever writes them with something
        else."""
        with writing(self._engine, within=within) as connection:
            statements.put(connection, records)
            audit_log.keep_seals(connection, seals.of(records), entry)

    def transaction(self, *, lock: int | None = None) -> AbstractContextManager[Connection]:
        """One transaction for several stores of this database; those with the same `lock` take turns."""
        return writing(self._engine, lock=lock)

    def get(self, kind: type[Record], key: str) -> Record:
        mapping = mapping_of(kind)
        with reading(self._engine) as connection:
            found = statements.records(connection, mapping, {mapping.key: key})
        if not found:
            raise naming.no_record(kind, key)
        return cast("Record", found[0])

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        mapping = mapping_of(kind)
        check_fields(mapping, equal)
        with reading(self._engine) as connection:
            found = cast("list[Record]", statements.records(connection, mapping, equal))
        return sorted(found, key=lambda record: str(getattr(record, mapping.key)))

    def record_decisions(
        self, decisions: Sequence[AllocationDecision], *, at: datetime, destination: Destination | None = None
    ) -> int:
        """With a destination, what it is to be sent of the new ones is queued in the outbox in the same transaction."""
        new = 0
        for some in chunked(decisions, ROWS_PER_TRANSACTION):
            with writing(self._engine) as connection:
                new += statements.decide(connection, some, at=in_utc(at), destination=destination)
        return new

    def decisions(self, ticket_id: str | None = None) -> list[AllocationDecision]:
        query = select(allocation_decisions).order_by(allocation_decisions.c.id)
        if ticket_id is not None:
            query = query.where(allocation_decisions.c.ticket_id == ticket_id)
        with reading(self._engine) as connection:
            return [rows.decision(row) for row in statements.fetch(connection, query)]

    def frame(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        where: frames.Where | None = None,
        after: frames.After | None = None,
    ) -> pl.DataFrame:
        """Tables that other rooms keep in the same database are read as well."""
        if table in metadata.tables:
            return frames.from_database(self.url, rows.table_named(table), columns, where, after)
        with reading(self._engine) as connection:
            if not inspect(connection).has_table(table):
                raise NotFound(f"The database has no table {table!r}.")
            foreign = Table(table, MetaData(), autoload_with=connection, resolve_fks=False)
        return frames.from_database(self.url, foreign, columns, where, after)

    def ticket_count(self) -> int:
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(tickets)).scalar_one()

    def mark(self) -> int:
        with reading(self._engine) as connection:
            is_sqlite = connection.dialect.name == "sqlite"  # whose rows have numbers, and the last is found at once
            last = func.max(literal_column("rowid")) if is_sqlite else func.count()
            return connection.execute(select(last).select_from(events)).scalar_one() or 0

    def counts(self) -> dict[str, int]:
        with reading(self._engine) as connection:
            return {
                name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for name, table in sorted(metadata.tables.items())
            }
