"""The system of record in memory, by the store's own rules: the plain reference for the real ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from threading import RLock
from typing import Any, cast

import polars as pl
from pydantic import BaseModel
from sqlalchemy import JSON, Table

from engine.contracts import (
    AllocationDecision,
    Delivery,
    Event,
    IngestReport,
    Kind,
    Outcome,
    RecordedEvent,
    Rejected,
    StandardTicket,
    Status,
    Ticket,
)
from engine.shared.columns import frame_schema
from engine.shared.errors import NotFound
from engine.storage import frames, naming, rows, seals
from engine.storage.chain import Head
from engine.storage.columns import metadata
from engine.storage.ports import Note, Record, Saved, decisions_among, records_among
from engine.storage.records import MAPPINGS, RecordMapping, check_fields, mapping_of, parents_first
from engine.storage.text import as_json, jsonable
from engine.storage.upsert import guards, plan
from engine.storage.upsert.field_merge import Row
from engine.storage.upsert.plan import Item, Known, in_utc


class MemoryStore:
    """Fulfils `Store` with the rules of the SQL store; one lock makes every method a transaction."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._tickets: dict[str, Row] = {}
        self._history: dict[str, list[Row]] = {}
        self._event_ids: dict[str, str] = {}
        self._records: dict[str, dict[str, BaseModel]] = {mapping.table: {} for mapping in MAPPINGS}
        self._decisions: list[Row] = []
        self._rejected: dict[str, Row] = {}
        self._batches: list[Row] = []

    def close(self) -> None:
        """Nothing to release."""

    def ingest(self, delivery: Delivery, *, at: datetime) -> IngestReport:
        at, report, delivery = in_utc(at), IngestReport(), plan.storable(delivery)
        with self._lock:
            for items in plan.batches(delivery):
                known = Known(self._tickets, self._last_instants(items), self._event_ids)
                draft = plan.plan_batch(items, known, at=at)
                self._tickets |= draft.rows
                recorded = self._record(draft.events, at)
                report += draft.report + IngestReport(events=len(recorded))
                self._reject(draft.rejected, at)
            report += IngestReport(rejected=len(delivery.rejected))
            self._reject(delivery.rejected, at)
            if report != IngestReport():
                self._batches.append({"id": len(self._batches) + 1, **rows.batch_row(report, at)})
        return report

    def rejected(self) -> list[Rejected]:
        return [rows.rejected(row) for row in self._rejected.values()]

    def create(self, ticket: StandardTicket, *, at: datetime) -> Ticket:
        with self._lock:
            taken = [row["external_id"] for row in self._tickets.values() if row["source"] == ticket.source]
            numbered = naming.numbered(ticket, taken)
            self.ingest(Delivery(tickets=(numbered,)), at=at)
            return self.ticket(numbered.key)

    def own(self, firsts: Sequence[Event], *, at: datetime) -> int:
        with self._lock:
            guards.all_known((event.ticket_id for event in firsts), self._tickets)
            new = {e.ticket_id: e for e in firsts if self._tickets[e.ticket_id]["owner_id"] is None}
            self._record(list(new.values()), in_utc(at))
            for key, event in new.items():
                self._tickets[key] |= guards.owned(self._tickets[key], event)
        return len(new)

    def ticket(self, ticket_id: str) -> Ticket:
        with self._lock:
            named = (row for row in self._tickets.values() if ticket_id in (row["reference"], row["external_id"]))
            found = [self._tickets[ticket_id]] if ticket_id in self._tickets else list(named)
        return rows.ticket(naming.only_one(found, ticket_id))

    def tickets(
        self,
        *,
        ids: Iterable[str] | None = None,
        statuses: Iterable[Status] | None = None,
        holder: Collection[str] | None = None,
        limit: int | None = None,
    ) -> list[Ticket]:
        keys = None if ids is None else set(ids)
        wanted = None if statuses is None else set(statuses)
        with self._lock:
            found = [
                row
                for row in self._tickets.values()
                if (keys is None or row["id"] in keys)
                and (wanted is None or row["status"] in wanted)
                and (holder is None or _is_held(row, holder))
            ]
        return [rows.ticket(row) for row in sorted(found, key=lambda row: (row["created_at"], row["id"]))[:limit]]

    def history(self, ticket_id: str) -> list[RecordedEvent]:
        with self._lock:
            return [rows.recorded(row) for row in self._history.get(ticket_id, [])]

    def save(
        self, ticket: Ticket, events: Sequence[Event], *, at: datetime, records: Sequence[BaseModel] = ()
    ) -> Saved:
        at = in_utc(at)
        with self._lock:
            before = self._tickets.get(ticket.id)
            guards.may_save(ticket, before, events, {e.id for e in events if e.id} & self._event_ids.keys())
            assert before is not None
            checked = self._checked(records)
            self._tickets[ticket.id] = {**before, **rows.decided(ticket), "version": before["version"]}
            recorded = self._record(seals.onto(events, seals.of(records))[0], at)
            self._replace(checked)
            return Saved(rows.ticket(self._tickets[ticket.id]), [rows.recorded(row) for row in recorded])

    def append(self, events: Sequence[Event], *, at: datetime) -> int:
        at = in_utc(at)
        with self._lock:
            guards.all_known((event.ticket_id for event in events), self._tickets)
            return len(self._record(events, at))

    def note(self, notes: Sequence[Note], *, at: datetime, destination: object = None) -> list[Note]:
        del destination  # nothing is sent from here
        with self._lock:
            unmoved = [n for n in notes if self._tickets[n.ticket.id]["version"] == n.ticket.version]
            for note in unmoved:
                records = records_among([note])
                checked = self._checked(records)
                self._record(seals.onto(note.events, seals.of(records))[0], in_utc(at))
                self._decide(decisions_among([note]), in_utc(at))
                self._replace(checked)
        return sorted(unmoved, key=lambda note: note.ticket.id)

    def put(self, records: Sequence[BaseModel]) -> None:
        with self._lock:
            self._replace(self._checked(records))

    def get(self, kind: type[Record], key: str) -> Record:
        held = self._records[mapping_of(kind).table]
        if key not in held:
            raise naming.no_record(kind, key)
        return cast("Record", held[key])

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        mapping = mapping_of(kind)
        check_fields(mapping, equal)
        with self._lock:
            held = [record for _, record in sorted(self._records[mapping.table].items())]
        fits = (r for r in held if all(getattr(r, name) == value for name, value in equal.items()))
        return cast("list[Record]", list(fits))

    def record_decisions(self, decisions: Sequence[AllocationDecision], *, at: datetime) -> int:
        with self._lock:
            return self._decide(decisions, in_utc(at))

    def _decide(self, decisions: Sequence[AllocationDecision], at: datetime) -> int:
        guards.all_known((decision.ticket_id for decision in decisions), self._tickets)
        last = {row["ticket_id"]: (row["outcome"], row["group_id"]) for row in self._decisions}
        new = guards.not_repeated(decisions, last)
        for decision in new:
            self._decisions.append({"id": len(self._decisions) + 1, **rows.decision_row(decision, at)})
            if decision.outcome == Outcome.ALLOCATED:
                self._tickets[decision.ticket_id] |= {"group_id": decision.group_id}
        made = self._decisions[len(self._decisions) - len(new) :]
        self._record([seals.sealed_decision(guards.allocated(d), row) for d, row in zip(new, made, strict=True)], at)
        return len(new)

    def decisions(self, ticket_id: str | None = None) -> list[AllocationDecision]:
        with self._lock:
            return [rows.decision(row) for row in self._decisions if ticket_id in (None, row["ticket_id"])]

    def frame(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str] | None] | None = None,
        after: Mapping[str, datetime] | None = None,
    ) -> pl.DataFrame:
        found = rows.table_named(table)
        names = [column.name for column in frames.chosen(found, columns)]
        asked = frames.wanted(found, where, after)
        with self._lock:
            fits = [row for row in self._rows(table) if all(_holds(row[fit.column], fit) for fit in asked)]
            return from_rows(found, fits).select(names)

    def mark(self) -> int:
        with self._lock:
            return sum(map(len, self._history.values()))

    def counts(self) -> dict[str, int]:
        with self._lock:
            return {name: len(self._rows(name)) for name in sorted(metadata.tables)}

    def _record(self, events: Sequence[Event], at: datetime) -> list[Row]:
        heads = {key: Head(held[-1]["version"], held[-1]["hash"]) for key, held in self._heads(events)}
        recorded, moved = plan.numbered(events, heads, self._event_ids, at=at)
        for row in recorded:
            self._history.setdefault(row["ticket_id"], []).append(row)
            self._event_ids[row["id"]] = row["ticket_id"]
        for key, head in moved.items():
            self._tickets[key] = {**self._tickets[key], "version": head.version}
        return recorded

    def _last_instants(self, items: Sequence[Item]) -> dict[str, dict[Kind, datetime]]:
        found: dict[str, dict[Kind, datetime]] = {}
        for key in {item.key for item in items}:
            for row in self._history.get(key, []):
                last = found.setdefault(key, {})
                last[Kind(row["kind"])] = max(row["at"], last.get(Kind(row["kind"]), row["at"]))
        return found

    def _heads(self, events: Sequence[Event]) -> list[tuple[str, list[Row]]]:
        keys = {event.ticket_id for event in events}
        return [(key, self._history[key]) for key in keys if self._history.get(key)]

    def _reject(self, refused: Sequence[Rejected], at: datetime) -> None:
        for one in refused:
            row = {"id": len(self._rejected) + 1, **rows.rejected_row(one, at)}
            self._rejected.setdefault(row["fingerprint"], row)

    def _checked(self, records: Sequence[BaseModel]) -> list[tuple[RecordMapping, BaseModel]]:
        """Records as a database would give them back. Raises NotFound if one belongs to something unknown."""
        held: dict[str, set[str]] = {table: set(by_key) for table, by_key in self._records.items()}
        held["tickets"] = set(self._tickets)
        checked = []
        for record in parents_first(records):
            mapping = mapping_of(type(record))
            for field, table in mapping.parents.items():
                parent = getattr(record, field)
                if parent is not None and parent not in held[table]:
                    raise NotFound(f"A record belongs to something that is not in the store: {field} {parent}.")
            held[mapping.table].add(getattr(record, mapping.key))
            checked.append((mapping, _portable(record)))
        return checked

    def _replace(self, records: Sequence[tuple[RecordMapping, BaseModel]]) -> None:
        for mapping, record in records:
            self._records[mapping.table][getattr(record, mapping.key)] = record

    def _rows(self, table: str) -> list[Mapping[str, Any]]:
        own: dict[str, Iterable[Mapping[str, Any]]] = {
            "tickets": self._tickets.values(),
            "events": (row for held in self._history.values() for row in held),
            "allocation_decisions": self._decisions,
            "breakers": (),
            "outbox": (),
            "pull_cursors": (),
            "receipts": (),
            "audit_log": (),
            "last_runs": (),
            "rejected_rows": self._rejected.values(),
            "ingest_batches": self._batches,
        }
        for mapping in MAPPINGS:
            own[mapping.table] = self._record_rows(mapping)
            own |= {side.table: self._side_rows(mapping, field) for field, side in mapping.lists.items()}
        return list(own[table])

    def _record_rows(self, mapping: RecordMapping) -> Iterable[Row]:
        return (rows.record_row(mapping, record) for record in self._records[mapping.table].values())

    def _side_rows(self, mapping: RecordMapping, field: str) -> Iterable[Row]:
        return (
            row for record in self._records[mapping.table].values() for row in rows.side_rows(mapping, field, record)
        )


def _is_held(row: Row, names: Collection[str]) -> bool:
    is_assigned = (row["assignee_id"] or "").casefold() in {name.casefold() for name in names}
    return row["owner_id"] in names or is_assigned


def _holds(value: Any, fit: frames.Fit) -> bool:
    match fit.operator:
        case "IN":
            return value in fit.values
        case "IS NULL":
            return value is None
        case _:
            return value is not None and value > fit.values[0]


def _portable(record: BaseModel) -> BaseModel:
    values = {name: getattr(record, name) for name in type(record).model_fields}
    free = {name: jsonable(value) for name, value in values.items() if isinstance(value, dict)}
    return record.model_copy(update=free) if free else record


def from_rows(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The same frame from rows of Python values; lists and dicts of JSON columns are written as text."""
    json = {column.name for column in table.columns if isinstance(column.type, JSON)}
    keys = [column.name for column in table.primary_key]
    plain = [
        {name: as_json(value) if name in json and value is not None else value for name, value in row.items()}
        for row in sorted(rows, key=lambda row: [row[name] for name in keys])
    ]
    return pl.DataFrame(plain, schema=frame_schema(table), orient="row")
