"""What a record holds, in the event that wrote it: its digest, by which a changed or removed row is found.

The newest seal of a name counts. It stands below `records` in the data of an event, or of an entry of the audit log.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Any, NamedTuple

from pydantic import BaseModel
from sqlalchemy import JSON, Boolean, Column, Float, Table
from sqlalchemy.types import TypeEngine

from engine.contracts import Event
from engine.shared.columns import Money, UtcInstant
from engine.storage import rows
from engine.storage.records import MAPPINGS, mapping_of
from engine.storage.tables import allocation_decisions, outbox

RECORDS = "records"


class Covered(NamedTuple):
    """A table whose rows are sealed, and by which columns. A row is named by its key; rows that are only ever added
    may be named by what they hold."""

    table: Table
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("id",)
    named_by_content: bool = False

    def seal(self, row: Mapping[str, Any]) -> tuple[str, str]:
        """A row's name and digest, whether it holds Python's values or those of SQLite."""
        values = [_portable(self.table.c[name], row[name]) for name in self.columns]
        digest = sha256(_canonical(values).encode()).hexdigest()
        name = "/".join([self.table.name, *(str(row[part]) for part in self.key)])
        return (f"{name}/{digest}" if self.named_by_content else name), digest


_BY_TABLE = {
    mapping.table: Covered(
        rows.table_named(mapping.table),
        tuple(name for name in mapping.kind.model_fields if name not in mapping.unsealed),
        (mapping.key,),
    )
    for mapping in MAPPINGS
    if mapping.is_sealed
}
DECISIONS = Covered(
    allocation_decisions,
    tuple(column.name for column in allocation_decisions.c if column.name != "id"),
    ("ticket_id",),
    named_by_content=True,
)
OUTGOING = Covered(outbox, ("destination", "ticket_id", "key", "kind", "payload", "created_at"), ("destination", "key"))
COVERED = (*_BY_TABLE.values(), DECISIONS, OUTGOING)
"""The desk's own; what became of a notice or parcel moves on and is not sealed."""
OF_ROOMS = ("reviews", "feedback")
"""Tables of other rooms whose rows are sealed by whoever writes them."""


def of(records: Iterable[BaseModel]) -> dict[str, str]:
    """Names and digests of those records whose kind is sealed."""
    mapped = ((mapping_of(type(record)), record) for record in records)
    return dict(_BY_TABLE[m.table].seal(rows.record_row(m, record)) for m, record in mapped if m.is_sealed)


def onto(events: Sequence[Event], seals: Mapping[str, str]) -> tuple[list[Event], dict[str, str]]:
    """The events with the seals in the last that is surely new; the seals are left over where there is none."""
    last = next((place for place in reversed(range(len(events))) if events[place].id is None), None)
    if last is None or not seals:
        return list(events), dict(seals)
    data = {**events[last].data, RECORDS: dict(seals)}
    return [*events[:last], events[last].model_copy(update={"data": data}), *events[last + 1 :]], {}


def sealed_decision(event: Event, row: Mapping[str, Any]) -> Event:
    """The event of a decision with the seal of the decision's row."""
    return onto([event], dict([DECISIONS.seal(row)]))[0][0]


def _portable(column: Column[Any], value: Any) -> Any:
    """One writing for what Python, SQLite and PostgreSQL give; whatever else stands there is taken as it is."""
    if value is None:
        return None
    try:
        return _written(column.type, value)
    except (ValueError, TypeError, InvalidOperation):
        return str(value)


def _written(kind: TypeEngine[Any], value: Any) -> Any:
    match kind:
        case JSON():
            return json.loads(value) if isinstance(value, str) else value
        case UtcInstant():
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat()
        case Money():
            return format(Decimal(value).normalize(), "f")
        case Float():
            return float(value)
        case Boolean():
            return bool(int(value))
        case _:
            return value


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=str).encode
