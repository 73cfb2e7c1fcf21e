"""What a delivery means for the tickets that are there: new, changed or nothing new; the same for every store."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from engine.contracts import Delivery, Event, IngestReport, Kind, Rejected, StandardTicket
from engine.shared.errors import BadInput
from engine.storage import merge
from engine.storage.chain import Head, link, portable
from engine.storage.merge import Row
from engine.storage.text import as_json, nearest_json

ROWS_PER_TRANSACTION = 500


class Item(NamedTuple):
    """A piece of a delivery that fits one transaction: a ticket, some of its events, and all that is told of it."""

    key: str
    ticket: StandardTicket | None
    events: Sequence[Event]
    story: Sequence[Event]


class Plan(NamedTuple):
    """What a batch of items asks for. `rows` are the tickets it names as they will be; `events` have no number yet."""

    rows: dict[str, Row]
    created: set[str]
    changed: set[str]
    events: list[Event]
    rejected: list[Rejected]
    report: IngestReport


class Known(NamedTuple):
    """What the store has of the tickets of a batch: their rows, the instants of their last events, and which ticket
    each known event id belongs to."""

    rows: Mapping[str, Row]
    last: Mapping[str, Mapping[Kind, datetime]]
    event_ids: Mapping[str, str]


def storable(delivery: Delivery) -> Delivery:
    """The delivery with the tickets and events that can't be kept as JSON among its rejected rows."""
    tickets = [(ticket, _not_json(ticket.external_metadata)) for ticket in delivery.tickets]
    events = [(event, _not_json(event.data)) for event in delivery.events]
    refused = [_refused_ticket(ticket, why) for ticket, why in tickets if why]
    refused += [_refused(event, why) for event, why in events if why]
    if not refused:
        return delivery
    return Delivery(
        tickets=tuple(ticket for ticket, why in tickets if not why),
        events=tuple(event for event, why in events if not why),
        rejected=(*delivery.rejected, *refused),
    )


def batches(delivery: Delivery) -> Iterator[list[Item]]:
    """The delivery in order, in pieces of at most 500 rows; a ticket's long history is cut, its start comes first."""
    batch: list[Item] = []
    size = 0
    for item in _items(delivery):
        rows = max(len(item.events), 5) + 1
        if batch and size + rows > ROWS_PER_TRANSACTION:
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += rows
    if batch:
        yield batch


def heard(items: Sequence[Item]) -> Iterator[Event]:
    """All events that decide what a batch writes: with a ticket its whole story, which may be longer than its piece."""
    return (event for item in items for event in (item.story if item.ticket else item.events))


def plan(items: Sequence[Item], known: Known, *, at: datetime) -> Plan:
    """Decide what to write. Without `known.last` it still tells whether anything is new."""
    result = Plan({}, set(), set(), [], [], IngestReport())
    last = {key: dict(kinds) for key, kinds in known.last.items()}
    named: dict[str, Event] = {}
    for item in items:
        in_store = item.key in result.rows or item.key in known.rows
        told = _accepted(item, result, known, named, in_store=in_store)
        before = result.rows.get(item.key) or known.rows.get(item.key)
        if before is None and item.ticket is None:
            continue
        if before is None:
            assert item.ticket is not None
            story = _sound(item.story, known, named)
            row, history = merge.first_seen(item.ticket, told, story)
            result.created.add(item.key)
            report = IngestReport(created=1)
        else:
            fresh = [event for event in told if event.kind != Kind.CREATED and event.id not in known.event_ids]
            sound = partial(_sound, item.story, known, named)
            row, history, report = _again(item.ticket, sound, before, fresh, last=last.get(item.key, {}), at=at)
            if row is not before:
                result.changed.add(item.key)
        instants = last.setdefault(item.key, {})
        for kind, event in merge.latest(history).items():
            instants[kind] = max(event.at, instants.get(kind, event.at))
        result.rows[item.key] = row
        result.events.extend(history)
        result = result._replace(report=result.report + report)
    return result._replace(report=result.report + IngestReport(rejected=len(result.rejected)))


def _again(
    ticket: StandardTicket | None,
    sound: Callable[[], list[Event]],
    row: Row,
    fresh: list[Event],
    *,
    last: Mapping[Kind, datetime],
    at: datetime,
) -> tuple[Row, list[Event], IngestReport]:
    """A known ticket, or only some of its events; `sound` gives its story as far as it can be kept."""
    changes = merge.news(row, ticket) if ticket else None
    if ticket is None or changes is None:
        return merge.followed(row, fresh, last), fresh, IngestReport(skipped=1 if ticket else 0)
    new_ids = {event.id for event in fresh}
    story = [event for event in sound() if merge.is_later(event, last, or_equal=event.id in new_ids)]
    own = merge.told_by_change(row, changes, ticket, story=story, last=last, at=at)
    history = merge.by_time([*fresh, *own])
    row = merge.merged(row, changes, ticket, history)
    return merge.followed(row, fresh, last, but=changes), history, IngestReport(updated=1)


def _accepted(item: Item, result: Plan, known: Known, named: dict[str, Event], *, in_store: bool) -> list[Event]:
    """The item's events that can be kept; the others become rejected rows."""
    told = []
    for event in item.events:
        why = _fault(event, in_store=in_store or item.ticket is not None) or _misnamed(event, known, named)
        if why:
            result.rejected.append(_refused(event, why))
        else:
            told.append(event)
    return told


def _sound(story: Sequence[Event], known: Known, named: dict[str, Event]) -> list[Event]:
    return [event for event in story if not (_fault(event, in_store=True) or _misnamed(event, known, named))]


def numbered(
    events: Iterable[Event], heads: Mapping[str, Head], known_ids: Collection[str], *, at: datetime
) -> tuple[list[Row], dict[str, Head]]:
    """Rows of the events that are new, chained per ticket in the order given, and the heads that moved."""
    per_ticket: dict[str, list[Event]] = {}
    seen = set(known_ids)
    for event in events:
        if event.id is None or event.id not in seen:
            per_ticket.setdefault(event.ticket_id, []).append(portable(event))
            if event.id is not None:
                seen.add(event.id)
    rows: list[Row] = []
    moved: dict[str, Head] = {}
    for key, new in per_ticket.items():
        linked, moved[key] = link(new, head=heads.get(key, Head()), recorded_at=at)
        rows.extend(linked)
    return rows, moved


def fingerprint(rejected: Rejected) -> str:
    """What makes two rejected rows the same."""
    said = as_json([rejected.source, rejected.origin, rejected.row, rejected.reason])
    return hashlib.sha256(said.encode()).hexdigest()


def in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput(f"{at.isoformat()} has no time zone; an instant needs one, such as +00:00.")
    return at.astimezone(UTC)


def _items(delivery: Delivery) -> Iterator[Item]:
    stories: dict[str, list[Event]] = {}
    for event in delivery.events:
        stories.setdefault(event.ticket_id, []).append(event)
    for key, events in stories.items():
        stories[key] = merge.by_time(_named(events))
    told: set[str] = set()
    for ticket in delivery.tickets:
        story = stories.get(ticket.key, [])
        yield from _cut(ticket.key, ticket, [] if ticket.key in told else story, story)
        told.add(ticket.key)
    for key, story in stories.items():
        if key not in told:
            yield from _cut(key, None, story, story)


def _cut(key: str, ticket: StandardTicket | None, events: list[Event], story: list[Event]) -> Iterator[Item]:
    room = ROWS_PER_TRANSACTION - 1
    yield Item(key, ticket, events[:room], story)
    for start in range(room, len(events), room):
        yield Item(key, None, events[start : start + room], story)


def _named(events: list[Event]) -> list[Event]:
    """Events without an id get one made of their content, so that the same delivery twice is the same events."""
    counted: dict[str, int] = {}
    named = []
    for event in events:
        if event.id is None:
            said = [event.kind, event.at, event.value, event.actor, event.reason, event.data]
            name = f"{event.ticket_id}/{event.kind}/{hashlib.sha256(as_json(said).encode()).hexdigest()[:16]}"
            counted[name] = counted.get(name, 0) + 1
            again = f"-{counted[name]}" if counted[name] > 1 else ""
            named.append(event.model_copy(update={"id": name + again}))
        else:
            named.append(event)
    return named


def _fault(event: Event, *, in_store: bool) -> str | None:
    """Why an event can't be kept."""
    if not in_store:
        return f"event {event.id} is for ticket {event.ticket_id}, which is unknown; deliver the ticket with it"
    if event.kind in merge.WORDS and event.value not in merge.WORDS[event.kind]:
        words = ", ".join(sorted(merge.WORDS[event.kind]))
        return f"event {event.id} sets {event.kind} to {event.value!r}; it takes {words}"
    if event.kind == Kind.CREATED:
        for name in merge.AT_CREATION:
            if event.data.get(name) not in {None, *merge.WORDS[Kind(name)]}:
                return f"event {event.id} says it was created with {name} {event.data[name]!r}, which there is not"
    return None


def _misnamed(event: Event, known: Known, named: dict[str, Event]) -> str | None:
    """Why its id is another event's; `named` collects the events of the batch by id."""
    if event.id is None:
        return None
    owner = known.event_ids.get(event.id)
    first = named.setdefault(event.id, event) if owner in {None, event.ticket_id} else event
    owner = owner or first.ticket_id
    if owner != event.ticket_id:
        return f"{event.id} is an event of {owner} already; an event's id is its own among those of all tickets"
    if first is not event and first != event:
        return f"{event.id} is told in two ways in one delivery; give each event its own id"
    return None


def _not_json(content: dict[str, Any]) -> str | None:
    """Why no database keeps it."""
    try:
        _ = content and as_json(content)
    except BadInput as error:
        return str(error)
    return None


def _refused(event: Event, why: str) -> Rejected:
    source = event.ticket_id.partition(":")[0]
    return Rejected(source=source, origin="events", row=None, reason=why, content=nearest_json(event.model_dump()))


def _refused_ticket(ticket: StandardTicket, why: str) -> Rejected:
    content = nearest_json(ticket.model_dump())
    return Rejected(source=ticket.source, origin="tickets", row=None, reason=why, content=content)
