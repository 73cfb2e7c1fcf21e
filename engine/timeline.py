"""The timeline tells what was said and done on a ticket, to each reader what is meant for that reader."""

from collections.abc import Collection, Iterable
from enum import StrEnum
from typing import NamedTuple

from engine.contracts import CLOCK_KINDS, Frozen, Instant, Kind, RecordedEvent, Ticket
from engine.envelopes import Envelope, EnvelopeStatus


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


class Glimpse(NamedTuple):
    """What somebody is to a ticket: whether its internal entries are theirs to read, by their part in it or by right,
    and in which threads they take part."""

    reader_id: str
    reads_internal: bool
    reads_every_thread: bool
    threads: frozenset[str]


def glimpse(
    reader_id: str, ticket: Ticket, envelopes: Collection[Envelope], *, teams: Collection[str], reads_internal: bool
) -> Glimpse:
    """A ticket is one's own as owner or assignee, as who asked for help or gives it, and as a member of a team that is
    asked; the thread of an envelope is its owner's, its expert's and that of who asked."""
    mine = {e.id for e in envelopes if reader_id in {ticket.owner_id, e.requested_by, e.assigned_to}}
    asks_team = any(e.status == EnvelopeStatus.PENDING and e.team_id in teams for e in envelopes)
    is_own = reader_id in {ticket.owner_id, ticket.assignee_id} or bool(mine) or asks_team
    return Glimpse(reader_id, reads_internal or is_own, reads_internal, frozenset(mine))


def for_reader(entries: Iterable[TimelineEntry], seen_by: Glimpse) -> list[TimelineEntry]:
    """One's own entries; of the main thread the public ones, and the internal ones of one's own tickets; of an
    envelope those of its people. With the right to internal entries, all of these but the `envelope_only`."""
    return [entry for entry in entries if _may_read(entry, seen_by)]


def events_for_reader(history: Iterable[RecordedEvent], seen_by: Glimpse) -> list[RecordedEvent]:
    """All that happened for who reads internal entries; for others their own acts, and of the rest what moves clocks
    and fields, without reasons, which are internal."""
    if seen_by.reads_internal:
        return list(history)
    own = seen_by.reader_id
    shown = (event for event in history if event.actor == own or event.kind in PLAIN_KINDS)
    return [event if event.actor == own else event.model_copy(update={"reason": None}) for event in shown]


PLAIN_KINDS = CLOCK_KINDS | {Kind.CREATED, Kind.CHANGED, Kind.ASSIGNEE}


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


def _may_read(entry: TimelineEntry, seen_by: Glimpse) -> bool:
    if entry.author_id == seen_by.reader_id:
        return True
    if entry.visibility == Visibility.ENVELOPE_ONLY:
        return entry.envelope_id in seen_by.threads
    if entry.envelope_id is None:
        return entry.visibility == Visibility.PUBLIC or seen_by.reads_internal
    return seen_by.reads_every_thread or entry.envelope_id in seen_by.threads
