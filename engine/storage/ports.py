"""What the desk needs from a system of record; SQLite and PostgreSQL keep the same promises."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import polars as pl
from pydantic import BaseModel

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

if TYPE_CHECKING:
    from engine.storage.outbox import Destination

Record = TypeVar("Record", bound=BaseModel)


class Saved(NamedTuple):
    """A ticket after a change, with the events of the change as they were recorded."""

    ticket: Ticket
    events: list[RecordedEvent]


class TicketNote(Protocol):
    """History and records that belong together and change no field of their ticket, as it was when they were made."""

    @property
    def ticket(self) -> Ticket: ...
    @property
    def events(self) -> Sequence[Event]: ...
    @property
    def records(self) -> Sequence[BaseModel]: ...


Note = TypeVar("Note", bound=TicketNote)


def decisions_among(notes: Sequence[TicketNote]) -> list[AllocationDecision]:
    return [record for note in notes for record in note.records if isinstance(record, AllocationDecision)]


def records_among(notes: Sequence[TicketNote]) -> list[BaseModel]:
    """Those that are no decisions."""
    return [record for note in notes for record in note.records if not isinstance(record, AllocationDecision)]


class Store(Protocol):
    """The system of record. Every method is one transaction unless it says otherwise."""

    def ingest(self, delivery: Delivery, *, at: datetime) -> IngestReport:
        """Upsert tickets by (source, external id), append their events, keep the rejected rows.

        A known ticket changes only if the delivered `updated_at` is newer than the one delivered before, or, without
        one, if the source says something else (else it counts as skipped). Status, priority, tier, type, group,
        assignee and the like follow the source where the source itself changed them: what the desk decided since
        stays. Such a change, the first response too, is recorded as an event unless the delivery brings that event
        itself; other changed fields are named in one `changed` event. Events delivered without news of their ticket
        move it as well: status, priority, tier and type are always what the history tells. An event whose id is known
        is skipped; one that names an unknown ticket or an unknown status, or whose id is an event of another ticket, is
        kept as a rejected row. Rejected rows are kept once and counted each time, so that what was delivered is
        created, updated, skipped or rejected. What JSON does not have costs its own row only. Owner, accepted_by and
        the desk's own fields are never touched. Written in transactions of at most 500 rows: an interrupted call is
        finished by calling again.
        """
        ...

    def create(self, ticket: StandardTicket, *, at: datetime) -> Ticket:
        """A ticket that no other system has: its id and number become the next `INC-YYYY-NNNN` of its source, of the
        year it is created in."""
        ...

    def own(self, firsts: Sequence[Event], *, at: datetime) -> int:
        """Give tickets without owner their first one, each by an `accepted` event; returns how many had none.

        The status stays. Per 500 in one transaction.
        """
        ...

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket with this key, or whose reference or external id it is.

        Raises NotFound; BadInput if several go by that name.
        """
        ...

    def tickets(
        self,
        *,
        ids: Iterable[str] | None = None,
        statuses: Iterable[Status] | None = None,
        holder: Collection[str] | None = None,
        limit: int | None = None,
    ) -> list[Ticket]:
        """Tickets that fit all given filters, ordered by created_at, id.

        `holder` is somebody by all their names: whose owner or assignee has one of these, capitals aside.
        """
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
        `WHERE owner_id IS NULL`, `accepted_by` never changes (Conflict), and another owner comes only with a
        `transferred` event. Raises NotFound for an unknown ticket or parent of a record.
        """
        ...

    def append(self, events: Sequence[Event], *, at: datetime) -> int:
        """Add history that changes no ticket field (classified, drafted, alert…); returns how many were new.

        Written per 500 in one transaction. Raises NotFound for an unknown ticket.
        """
        ...

    def note(self, notes: Sequence[Note], *, at: datetime, destination: "Destination | None" = None) -> list[Note]:
        """Keep each note's events and records together; returns those that were kept, by ticket.

        One whose ticket has moved on since it was loaded is left out. A hundred tickets a transaction. An allocation
        decision among the records is kept as `record_decisions` does, and queued for the destination.
        """
        ...

    def put(self, records: Sequence[BaseModel]) -> None:
        """Insert or replace records by their key (agents, teams, contacts, companies, groups, envelopes, tasks, …).

        Raises NotFound if one belongs to a ticket or record that is not kept; then none is written.
        """
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

    def frame(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        where: Mapping[str, Collection[str] | None] | None = None,
        after: Mapping[str, datetime] | None = None,
    ) -> pl.DataFrame:
        """A whole table by its primary key, column names as in the database, instants as Datetime('us', 'UTC').

        `columns` are read and no others, in that order; `where` keeps the rows whose text columns hold one of the
        words, or for None those that hold nothing there; `after` those whose column is later than the instant. Without
        its whole primary key the rows come in no particular order. JSON columns are text, amounts Decimal(18, 4).
        Raises NotFound for a table or column that is not there.
        """
        ...

    def mark(self) -> int:
        """A number that is another one after anything happened to a ticket; cheap to ask again and again."""
        ...

    def counts(self) -> dict[str, int]:
        """Rows per table."""
        ...

    def close(self) -> None:
        """Release connections and files."""
        ...
