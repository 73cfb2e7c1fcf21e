"""The timeline tells what was said and done on a ticket, to each reader what is meant for that reader."""

from collections.abc import Iterable
from enum import StrEnum

from engine.contracts import Frozen, Instant, Kind, RecordedEvent, Ticket
from engine.envelopes import Envelope


class EntryType(StrEnum):
    EMAIL_INBOUND = "email_inbound"
    EMAIL_OUTBOUND = "email_outbound"
    NOTE = "note"
    SYSTEM = "system"
    ENVELOPE_CREATED = "envelope_created"
    ENVELOPE_COMPLETED = "envelope_completed"
    TASK_CREATED = "task_created"
    TASK_COMPLETED = "task_completed"
    STATUS_CHANGE = "status_change"
    RESOLUTION = "resolution"


class Visibility(StrEnum):
    PUBLIC = "public"
    INTERNAL = "internal"
    ENVELOPE_ONLY = "envelope_only"


class TimelineEntry(Frozen):
    """One entry; `envelope_id` is None in the main thread."""

    id: str
    ticket_id: str
    envelope_id: str | None = None
    type: EntryType
    visibility: Visibility = Visibility.INTERNAL
    author_id: str
    content: str
    created_at: Instant


def for_customer(entries: Iterable[TimelineEntry]) -> list[TimelineEntry]:
    """What the customer may read: public entries of the main thread, whatever an envelope's thread says."""
    return [e for e in entries if e.visibility == Visibility.PUBLIC and e.envelope_id is None]


def for_agent(
    entries: Iterable[TimelineEntry], *, agent_id: str, ticket: Ticket, envelopes: Iterable[Envelope]
) -> list[TimelineEntry]:
    """What an agent may read: the main thread, and an envelope's thread if owner, expert or who asked for it.

    Entries that are `envelope_only` are for the expert and their author alone.
    """
    threads = {envelope.id: envelope for envelope in envelopes}
    return [e for e in entries if _may_read(e, agent_id, ticket, threads.get(e.envelope_id or ""))]


_DONE: dict[Kind, tuple[EntryType, str]] = {
    Kind.CREATED: (EntryType.SYSTEM, "The ticket was created"),
    Kind.ACCEPTED: (EntryType.SYSTEM, "{value} accepted the ticket and owns it"),
    Kind.TRANSFERRED: (EntryType.SYSTEM, "Ownership went to {value}"),
    Kind.RELEASED: (EntryType.SYSTEM, "{actor} laid the ticket aside"),
    Kind.STATUS: (EntryType.STATUS_CHANGE, "Status {value}"),
    Kind.PRIORITY: (EntryType.STATUS_CHANGE, "Priority {value}"),
    Kind.OUTCOME: (EntryType.SYSTEM, "{actor} said how it ended: {value}"),
    Kind.FLAG: (EntryType.SYSTEM, "Flag {value}"),
    Kind.FLAG_CLEARED: (EntryType.SYSTEM, "Flag {value} cleared"),
    Kind.ENVELOPE_OPENED: (EntryType.ENVELOPE_CREATED, "Envelope {value} opened"),
    Kind.ENVELOPE_ACCEPTED: (EntryType.SYSTEM, "{actor} accepted envelope {value}"),
    Kind.ENVELOPE_COMPLETED: (EntryType.ENVELOPE_COMPLETED, "Envelope {value} completed"),
    Kind.LINKED: (EntryType.SYSTEM, "{actor}: {what} {value}"),
    Kind.RESOLUTION: (EntryType.RESOLUTION, "Resolution {value} proposed"),
    Kind.APPROVAL: (EntryType.RESOLUTION, "Resolution {value} decided by {actor}"),
}


def entries(history: Iterable[RecordedEvent]) -> list[TimelineEntry]:
    """What was done, told from the events as internal entries of the main thread; the rest of the kinds is not told."""
    return [_entry(event) for event in history if event.kind in _DONE or event.kind == Kind.TASK]


def chasers(entries: Iterable[TimelineEntry]) -> int:
    """How often the customer wrote again before getting an answer."""
    mails = [e for e in entries if e.type in {EntryType.EMAIL_INBOUND, EntryType.EMAIL_OUTBOUND}]
    mails.sort(key=lambda entry: entry.created_at)
    chases, unanswered = 0, True  # the ticket itself is the first question
    for mail in mails:
        chases += unanswered and mail.type == EntryType.EMAIL_INBOUND
        unanswered = mail.type == EntryType.EMAIL_INBOUND
    return chases


def _entry(event: RecordedEvent) -> TimelineEntry:
    if event.kind == Kind.TASK:
        is_done = event.data.get("status") in {"done", "cancelled"}
        kind = EntryType.TASK_COMPLETED if is_done else EntryType.TASK_CREATED
        text = f"Task {event.data.get('title', event.value)}: {event.data.get('status')}"
    else:
        kind, template = _DONE[event.kind]
        text = template.replace("{value}", event.value or "").replace("{actor}", event.actor)
        text = text.replace("{what}", str(event.data.get("what", "")))
    return TimelineEntry(
        id=event.id,
        ticket_id=event.ticket_id,
        type=kind,
        author_id=event.actor,
        content=f"{text}: {event.reason}" if event.reason else text,
        created_at=event.at,
    )


def _may_read(entry: TimelineEntry, agent_id: str, ticket: Ticket, envelope: Envelope | None) -> bool:
    if entry.author_id == agent_id:
        return True
    if entry.visibility == Visibility.ENVELOPE_ONLY:
        return envelope is not None and agent_id == envelope.assigned_to
    if entry.envelope_id is None:
        return True
    return envelope is not None and agent_id in {ticket.owner_id, envelope.requested_by, envelope.assigned_to}
