"""Tickets, records and decisions as rows of their tables, and back; a row holds Python values, JSON already plain."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel
from sqlalchemy import JSON, Table

from engine.contracts import AllocationDecision, Alternative, IngestReport, RecordedEvent, Rejected, Scores, Ticket
from engine.shared.errors import NotFound
from engine.storage.records import RecordMapping
from engine.storage.tables import metadata
from engine.storage.text import clean, jsonable, nearest_json
from engine.storage.upsert.plan import fingerprint

Row = dict[str, Any]


def table_named(name: str) -> Table:
    """Raises NotFound for a table that is not the store's."""
    if name not in metadata.tables:
        raise NotFound(f"The store has no table {name!r}; it has {', '.join(sorted(metadata.tables))}.")
    return metadata.tables[name]


def plain(table: Table, fields: Mapping[str, Any]) -> Row:
    """Values as the columns of a table take them."""
    return {name: _value(table, name, value) for name, value in fields.items()}


def decided(ticket: Ticket) -> Row:
    """The columns of a ticket that the desk's decisions may change."""
    names = set(Ticket.model_fields) - {"id", "source", "external_id", "created_at", "version"}
    return plain(table_named("tickets"), {name: getattr(ticket, name) for name in Ticket.model_fields if name in names})


def ticket(row: Mapping[str, Any]) -> Ticket:
    return Ticket.model_validate({name: row[name] for name in Ticket.model_fields})


def recorded(row: Mapping[str, Any]) -> RecordedEvent:
    return RecordedEvent.model_validate({name: row[name] for name in RecordedEvent.model_fields})


def record_row(mapping: RecordMapping, record: BaseModel) -> Row:
    fields = {name: getattr(record, name) for name in mapping.kind.model_fields if name not in mapping.lists}
    return plain(table_named(mapping.table), fields)


def side_rows(mapping: RecordMapping, field: str, record: BaseModel) -> list[Row]:
    """The rows of one list field, numbered so that the list keeps its order."""
    side, key = mapping.lists[field], getattr(record, mapping.key)
    return [
        {side.parent: key, "position": place, side.column: value} for place, value in enumerate(getattr(record, field))
    ]


def record(mapping: RecordMapping, row: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> BaseModel:
    return mapping.kind.model_validate({**row, **lists})


def decision_row(decision: AllocationDecision, at: datetime) -> Row:
    """The column of the score is called `confidence`, as the event and the handlers' payload call it."""
    fields = {name: value for name, value in decision if name not in {"score", "scores"}}
    scores = {name: getattr(decision.scores, name, None) for name in Scores.model_fields}
    fields |= {**scores, "confidence": decision.score, "recorded_at": at}
    return plain(table_named("allocation_decisions"), fields)


def decision(row: Mapping[str, Any]) -> AllocationDecision:
    scores = {name: row[name] for name in Scores.model_fields}
    others = {"score", "scores", "alternatives"}
    fields = {name: row[name] for name in AllocationDecision.model_fields if name not in others}
    return AllocationDecision(
        **fields,
        score=row["confidence"],
        scores=Scores(**scores) if scores["composite"] is not None else None,
        alternatives=tuple(Alternative(**one) for one in row["alternatives"]),
    )


def rejected_row(rejected: Rejected, at: datetime) -> Row:
    fields = {name: getattr(rejected, name) for name in Rejected.model_fields}
    fields["content"] = nearest_json(rejected.content)
    return plain(table_named("rejected_rows"), {**fields, "fingerprint": fingerprint(rejected), "received_at": at})


def rejected(row: Mapping[str, Any]) -> Rejected:
    return Rejected(**{name: row[name] for name in Rejected.model_fields})


def batch_row(report: IngestReport, at: datetime) -> Row:
    return {"received_at": at, **report.model_dump()}


def _value(table: Table, name: str, value: Any) -> Any:
    match value:
        case None:
            return None
        case _ if isinstance(table.c[name].type, JSON):
            return jsonable(value)
        case Enum():
            return value.value
        case str():
            return clean(value)
        case _:
            return value
