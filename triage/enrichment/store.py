"""What enriching told of each ticket, the newest only, and the earlier tickets it may belong to."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from more_itertools import chunked
from sqlalchemy import Connection, Engine, Table

from engine.shared.columns import ROWS_PER_TRANSACTION
from engine.shared.errors import BadInput
from triage.enrichment.contracts import Enrichment, Related
from triage.enrichment.tables import enrichments, metadata, related_tickets

LISTS = ("complexity_parts", "error_codes", "sentiment_phrases", "urgency_reasons")


class EnrichmentInput(NamedTuple):
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

    def save(self, found: Sequence[Enrichment], *, inputs: Mapping[str, EnrichmentInput]) -> None:
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


def _forget(connection: Connection, table: Table, ticket_ids: Sequence[str]) -> None:
    connection.execute(table.delete().where(table.c.ticket_id.in_(ticket_ids)))


def _row(one: Enrichment, rests_on: EnrichmentInput) -> dict[str, Any]:
    values = one.model_dump() | rests_on._asdict()
    return values | {name: list(values[name]) for name in LISTS}
