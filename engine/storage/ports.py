"""What the desk needs from a system of record; memory, SQLite and PostgreSQL keep the same promises."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel

from engine.contracts import AllocationDecision, Delivery, Event, IngestReport, RecordedEvent, Rejected, Status, Ticket

Record = TypeVar("Record", bound=BaseModel)


class Saved(NamedTuple):
    """A ticket after a change, with the events of the change as they were recorded."""

    ticket: Ticket
    events: list[RecordedEvent]


class Store(Protocol):
    """The system of record. Every method is one transaction unless it says otherwise."""

    def ingest(self, delivery: Delivery, *, at: datetime) -> IngestReport:
        """Upsert tickets by (source, external id), append their events, keep the rejected rows.

        A known ticket changes only if the delivered `updated_at` is newer (else it counts as skipped); a changed
        status, priority, tier or type is then recorded as an event unless the delivery brings that event itself.
        An event whose id is known is skipped. Rejected rows are kept once. Owner, accepted_by and the desk's own
        fields are never touched. Written in transactions of at most 500 rows: an interrupted call is finished by
        calling again.
        """
        ...

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket with this key, or whose reference or external id it is. Raises NotFound."""
        ...

    def tickets(
        self,
        *,
        ids: Iterable[str] | None = None,
        statuses: Iterable[Status] | None = None,
        owner_id: str | None = None,
        limit: int | None = None,
    ) -> list[Ticket]:
        """Tickets that fit all given filters, ordered by created_at, id."""
        ...

    def history(self, ticket_id: str) -> list[RecordedEvent]:
        """All events of a ticket in the order they were recorded."""
        ...

    def save(
        self, ticket: Ticket, events: Sequence[Event], *, at: datetime, records: Sequence[BaseModel] = ()
    ) -> Saved:
        """Write a changed ticket, its new events and any records that belong to the same decision, all or nothing.

        `ticket.version` is the version that was loaded: raises Conflict if the ticket has moved on since.
        The owner and `accepted_by` columns are guarded by the database as well: a first owner is written only
        `WHERE owner_id IS NULL`, `accepted_by` never changes (Conflict).
        """
        ...

    def append(self, events: Sequence[Event], *, at: datetime) -> int:
        """Add history that changes no ticket field (classified, drafted, alert…); returns how many were new."""
        ...

    def put(self, records: Sequence[BaseModel]) -> None:
        """Insert or replace records by their key (agents, teams, contacts, companies, groups, envelopes, tasks, …)."""
        ...

    def get(self, kind: type[Record], key: str) -> Record:
        """One record by its key. Raises NotFound."""
        ...

    def all(self, kind: type[Record], **equal: Any) -> list[Record]:
        """All records of a kind whose fields equal the given values, ordered by key."""
        ...

    def record_decisions(self, decisions: Sequence[AllocationDecision], *, at: datetime) -> int:
        """Keep decisions, set each ticket's group, append an `allocated` event, per 500 in one transaction.

        A decision equal in outcome and group to the ticket's last one is skipped; returns how many were new.
        """
        ...

    def decisions(self, ticket_id: str | None = None) -> list[AllocationDecision]:
        """Decisions, oldest first."""
        ...

    def rejected(self) -> list[Rejected]:
        """Rejected rows, in the order they came."""
        ...

    def frame(self, table: str) -> pl.DataFrame:
        """A whole table as a frame, column names as in the database, instants as Datetime('us', 'UTC')."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows per table."""
        ...
