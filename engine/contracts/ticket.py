"""The ticket: as a source hands it over (StandardTicket), and as the desk keeps it (Ticket)."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, field_validator

from engine.contracts.base import Event, Frozen, Instant
from engine.contracts.people import Location, Tier


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class TicketType(StrEnum):
    INCIDENT = "incident"
    REQUEST = "request"
    CHANGE = "change"
    PROBLEM = "problem"


class Status(StrEnum):
    """The one canonical lifecycle. `escalated` is a flag beside it, never a state."""

    NEW = "new"
    TRIAGE = "triage"
    IN_PROGRESS = "in_progress"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_INTERNAL = "waiting_internal"
    WAITING_VENDOR = "waiting_vendor"
    RESOLVED = "resolved"
    CLOSED = "closed"


class TicketOutcome(StrEnum):
    """How a ticket ended. Which of these count is policy (`data/policies/outcomes.yaml`)."""

    SOLVED = "solved"
    CANCELLED = "cancelled"
    DUPLICATE = "duplicate"
    MERGED = "merged"
    SPAM = "spam"
    DELETED = "deleted"
    MACHINE_MAIL = "machine_mail"


class Responses(StrEnum):
    """From what a source tells when the desk answered a ticket."""

    REPLIES = "replies"
    """Its history of replies, or the desk's own: where it tells of none, there was none."""
    COLUMN = "column"
    """The instant of the first alone: an open ticket without one waits; of an ended one it is not known."""
    NONE = "none"


class Verdict(StrEnum):
    MET = "met"
    BREACHED = "breached"


class SourceVerdict(Frozen):
    """What the source's own SLA says of a ticket; shown beside the desk's, never counted."""

    first_response: Verdict | None = None
    resolution: Verdict | None = None
    first_response_due_at: Instant | None = None
    resolution_due_at: Instant | None = None


OPEN_STATUSES = frozenset(set(Status) - {Status.RESOLVED, Status.CLOSED})

Level = Annotated[int, Field(ge=1, le=5)]


class StandardTicket(Frozen):
    """A ticket as any source delivers it; the contract between plugins and the desk.

    `ticket_id` is the source's own key: the desk's key is `source:ticket_id`, so one delivered twice is one.
    Instants that the source does not know stay None and are never guessed. `agreed_due_at` is an instant promised for
    this ticket alone; one that the source's SLA computed belongs to `source_verdict`.
    """

    ticket_id: Annotated[str, Field(min_length=1, max_length=200)]
    source: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9][a-z0-9_-]*$")]
    ticket_number: str | None = None
    title: Annotated[str, Field(max_length=500)] = ""
    description: str = ""
    category: str = "other"
    type: TicketType = TicketType.INCIDENT
    priority: Priority = Priority.MEDIUM
    status: Status = Status.NEW
    tier: Tier = Tier.STANDARD
    vip: bool = False
    urgency: Level | None = None
    impact: Level | None = None
    requester_location: Location | None = None
    requester: str | None = None
    company: str | None = None
    channel: str = "unknown"
    language: str | None = None
    group: str | None = None
    assignee: str | None = None
    tags: tuple[str, ...] = ()
    created_at: Instant
    updated_at: Instant | None = None
    first_response_at: Instant | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None
    agreed_due_at: Instant | None = None
    outcome: TicketOutcome | None = None
    source_verdict: SourceVerdict | None = None
    responses: Responses = Responses.REPLIES
    external_metadata: dict[str, Any] = Field(default_factory=dict)

    @field_validator("ticket_id")
    @classmethod
    def _in_one_line(cls, ticket_id: str) -> str:
        """A key with a line break is reached by no route and told apart in no list."""
        if ticket_id.splitlines() != [ticket_id]:
            raise ValueError(f"a ticket's id is one line; {ticket_id!r} has a line break in it")
        return ticket_id

    @property
    def key(self) -> str:
        """The desk's key for this ticket."""
        return f"{self.source}:{self.ticket_id}"


class Unknown(Frozen):
    """A clock of a ticket can't be measured from an instant on: its source does not tell what happened then."""

    since: Instant
    why: str
    """A word of `engine.not_measured`."""


class Ticket(Frozen):
    """A ticket as the desk keeps it. `version` is the number of its last event.

    `accepted_by` never changes once set; `owner_id` changes only by exceptional transfer.
    """

    id: str
    source: str
    external_id: str
    reference: str
    subject: Annotated[str, Field(max_length=500)] = ""
    content: str = ""
    type: TicketType = TicketType.INCIDENT
    status: Status = Status.NEW
    priority: Priority = Priority.MEDIUM
    tier: Tier = Tier.STANDARD
    vip: bool = False
    escalated: bool = False
    category: str = "other"
    product: str | None = None
    urgency: int | None = None
    impact: int | None = None
    channel: str = "unknown"
    language: str | None = None
    tags: tuple[str, ...] = ()
    location: Location | None = None
    requester_id: str | None = None
    company_id: str | None = None
    group_id: str | None = None
    assignee_id: str | None = None
    owner_id: str | None = None
    accepted_by: str | None = None
    accepted_at: Instant | None = None
    created_at: Instant
    updated_at: Instant
    first_response_at: Instant | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None
    agreed_due_at: Instant | None = None
    outcome: TicketOutcome | None = None
    source_verdict: SourceVerdict | None = None
    unknown: dict[str, Unknown] | None = None
    """By clock; None: everything is told."""
    external_metadata: dict[str, Any] = Field(default_factory=dict)
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_STATUSES


class Rejected(Frozen):
    """A row that could not become a ticket, kept whole with its reason. `row` counts data rows from 1."""

    source: str
    origin: str
    row: int | None
    reason: str
    content: dict[str, Any] = Field(default_factory=dict)


class Delivery(Frozen):
    """What a source hands over in one go: tickets, the history it knows of them, and what it could not read."""

    tickets: tuple[StandardTicket, ...] = ()
    events: tuple[Event, ...] = ()
    rejected: tuple[Rejected, ...] = ()


class IngestReport(Frozen):
    """What became of a delivery. Delivering the same again gives only `skipped`, and the same `rejected`."""

    created: int = 0
    updated: int = 0
    skipped: int = 0
    rejected: int = 0
    events: int = 0

    def __add__(self, other: "IngestReport") -> "IngestReport":
        mine, theirs = self.model_dump(), other.model_dump()
        return IngestReport(**{name: mine[name] + theirs[name] for name in mine})
