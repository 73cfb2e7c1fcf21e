"""What enriching told of each ticket, the newest only, and the earlier tickets it may belong to."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from more_itertools import chunked
from sqlalchemy import Connection, Engine, Row, Table, select

from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.shared.errors import BadInput
from triage.enrichment.contracts import Enrichment, Part, Related
from triage.enrichment.tables import enrichments, metadata, related_tickets

LISTS = ("complexity_parts", "error_codes", "sentiment_phrases", "urgency_reasons")


class Kept(NamedTuple):
    """What is kept of a ticket to know whether it changed, and to compare it without its text."""

    content_hash: str
    signature: bytes


class EnrichmentStore:
    """Keeps enrichments beside the system of record; a deleted ticket takes its own with it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_tables(self) -> None:
        """For a database of its own; in the desk's database the migrations make the same tables."""
        metadata.create_all(self._engine)

    def kept(self) -> dict[str, Kept]:
        """Of every enriched ticket."""
        columns = enrichments.c.ticket_id, enrichments.c.content_hash, enrichments.c.signature
        with self._engine.connect() as connection:
            return {key: Kept(content, bytes(mark)) for key, content, mark in connection.execute(select(*columns))}

    def pointing_at(self, ticket_ids: Iterable[str]) -> set[str]:
        """The tickets that have one of these as a candidate."""
        with self._engine.connect() as connection:
            return {
                key
                for batch in chunked(sorted(set(ticket_ids)), ROWS_PER_TRANSACTION)
                for key in connection.execute(
                    select(related_tickets.c.ticket_id).where(related_tickets.c.other_id.in_(batch))
                ).scalars()
            }

    def save(self, found: Sequence[Enrichment], *, inputs: Mapping[str, Kept]) -> None:
        """Keep enrichments in place of the ones before; `inputs` has what each rests on. At most 500 a transaction:
        an interrupted call is finished by calling again. Raises BadInput for one without its input."""
        if missing := sorted({one.ticket_id for one in found} - inputs.keys()):
            raise BadInput(f"An enrichment of {missing[0]} came without what it rests on; pass its hash and signature")
        for batch in chunked(found, ROWS_PER_TRANSACTION):
            with self._engine.begin() as connection:
                rows = [_row(one, inputs[one.ticket_id]) for one in batch]
                _forget(connection, enrichments, [one.ticket_id for one in batch])
                connection.execute(enrichments.insert(), rows)

    def save_related(self, found: Mapping[str, Sequence[Related]], *, at: datetime) -> None:
        """Keep these tickets' candidates in place of the ones before; an empty sequence takes them away."""
        for batch in chunked(list(found), ROWS_PER_TRANSACTION):
            rows = [one.model_dump(mode="json") | {"created_at": at} for key in batch for one in found[key]]
            with self._engine.begin() as connection:
                _forget(connection, related_tickets, batch)
                if rows:
                    connection.execute(related_tickets.insert(), rows)

    def enrichment(self, ticket_id: str) -> Enrichment | None:
        with self._engine.connect() as connection:
            row = connection.execute(select(enrichments).where(enrichments.c.ticket_id == ticket_id)).first()
        return None if row is None else _enrichment(row)

    def frame(self, *, as_of: datetime | None = None) -> pl.DataFrame:
        """One row an enriched ticket, of those enriched by `as_of` if it is given; lists as JSON text, no signature."""
        return self._read(enrichments, FRAME, as_of)

    def related_frame(self, *, as_of: datetime | None = None) -> pl.DataFrame:
        """One row a candidate, the same way."""
        return self._read(related_tickets, RELATED_FRAME, as_of)

    def _read(self, table: Table, schema: pl.Schema, as_of: datetime | None) -> pl.DataFrame:
        statement = select(*[table.c[name] for name in schema])
        if as_of is not None:
            statement = statement.where(table.c.created_at <= as_of)
        with self._engine.connect() as connection:
            rows = [tuple(map(_flat, row)) for row in connection.execute(statement)]
        return pl.DataFrame(rows, schema=schema, orient="row")


FRAME = pl.Schema(
    {
        "ticket_id": pl.String(), "language": pl.String(), "language_confidence": pl.Float64(),
        "complexity": pl.Float64(), "complexity_parts": pl.String(), "error_codes": pl.String(),
        "sentiment": pl.Float64(), "sentiment_phrases": pl.String(), "urgency": pl.String(),
        "urgency_reasons": pl.String(), "suggested_priority": pl.String(), "created_at": pl.Datetime("us", "UTC"),
    }
)  # fmt: skip
RELATED_FRAME = pl.Schema(
    {
        "ticket_id": pl.String(), "other_id": pl.String(), "kind": pl.String(), "similarity": pl.Float64(),
        "reason": pl.String(), "created_at": pl.Datetime("us", "UTC"),
    }
)  # fmt: skip


def _forget(connection: Connection, table: Table, ticket_ids: Sequence[str]) -> None:
    connection.execute(table.delete().where(table.c.ticket_id.in_(ticket_ids)))


def _row(one: Enrichment, kept: Kept) -> dict[str, Any]:
    values = one.model_dump() | kept._asdict()
    return values | {name: list(values[name]) for name in LISTS}


def _enrichment(row: Row[Any]) -> Enrichment:
    values = {name: getattr(row, name) for name in Enrichment.model_fields}
    parts = tuple(Part(**part) for part in values["complexity_parts"])
    return Enrichment(**values | {name: tuple(values[name]) for name in LISTS} | {"complexity_parts": parts})


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
