"""What a delivery means for the tickets that are there: new, changed or nothing new; the same for every store."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from engine.contracts import Delivery, Event, IngestReport, Kind, Rejected, StandardTicket
from engine.shared.errors import BadInput
from engine.storage.chain import Head, link, portable
from engine.storage.text import as_json, is_json, nearest_json
from engine.storage.upsert import field_merge
from engine.storage.upsert.field_merge import Row

ROWS_PER_TRANSACTION = 500


class Item(NamedTuple):
    """A piece of a delivery that fits one transaction: a ticket, some of its events, and its whole story."""

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
    outcomes: Counter[str]

    @property
    def report(self) -> IngestReport:
        return IngestReport(created=len(self.created), rejected=len(self.rejected), **self.outcomes)


class Known(NamedTuple):
    """What the store has of the tickets of a batch: their rows, the instants of their last events, and which ticket
    each known event id belongs to."""

    rows: Mapping[str, Row]
    last: Mapping[str, Mapping[Kind, datetime]]
    event_ids: Mapping[str, str]


def storable(delivery: Delivery) -> Delivery:
    """The delivery with the tickets and events that can't be kept as JSON among its rejected rows."""
    tickets = {n: why for n, each in enumerate(delivery.tickets) if (why := _not_json(each.external_metadata))}
    events = {n: why for n, each in enumerate(delivery.events) if (why := _not_json(each.data))}
    if not tickets and not events:
        return delivery
    refused = [_refused_ticket(delivery.tickets[n], why) for n, why in tickets.items()]
    refused += [_refused(delivery.events[n], why) for n, why in events.items()]
    return Delivery(
        tickets=tuple(ticket for n, ticket in enumerate(delivery.tickets) if n not in tickets),
        events=tuple(event for n, event in enumerate(delivery.events) if n not in events),
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


def deciding_events(items: Sequence[Item]) -> Iterator[Event]:
    """All events that decide what a batch writes: with a ticket its whole story, which may be longer than its piece."""
    return (event for item in items for event in (item.story if item.ticket else item.events))


def tickets_in(items: Sequence[Item]) -> int:
    return sum(item.ticket is not None for item in items)


def with_news(
    items: Sequence[Item], delivered_at: Mapping[str, datetime | None], event_ids: Mapping[str, str]
) -> list[Item]:
    """The items that may bring something new; the rest are known tickets, not newer than the `delivered_at` of their
    last delivery, with sound events that are all known as theirs. If an event comes twice in the batch, all may.
    """
    ids = [event.id for item in items for event in item.events]
    if len(set(ids)) < len(ids):
        return list(items)
    return [item for item in items if not (_is_older(item, delivered_at) and _is_known(item, event_ids))]


def plan_batch(items: Sequence[Item], known: Known, *, at: datetime) -> Plan:
    """Decide what to write. Without `known.last` it still tells whether anything is new."""
    result = Plan({}, set(), set(), [], [], Counter())
    histories: dict[str, list[Event]] = {}
    named: dict[str, Event] = {}
    for item in items:
        before = result.rows.get(item.key) or known.rows.get(item.key)
        events = _accepted(item, result, known, named, in_store=before is not None)
        sound = partial(_sound, item, events, known, named)
        if before is not None:
            fresh = [event for event in events if event.kind != Kind.CREATED and event.id not in known.event_ids]
            last = _instants(known.last.get(item.key, {}), histories.get(item.key, []))
            row, history, outcome = _again(item.ticket, sound, before, fresh, last=last, at=at)
            if outcome:
                result.outcomes[outcome] += 1
            if row is not before:
                result.changed.add(item.key)
        elif item.ticket is not None:
            row, history = field_merge.first_seen(item.ticket, events, sound(), at=at)
            result.created.add(item.key)
        else:
            continue
        histories.setdefault(item.key, []).extend(history)
        result.rows[item.key] = row
        result.events.extend(history)
    return result


def _is_older(item: Item, delivered_at: Mapping[str, datetime | None]) -> bool:
    if item.ticket is None:
        return item.key in delivered_at
    stamp, updated_at = delivered_at.get(item.key), item.ticket.updated_at
    return stamp is not None and updated_at is not None and updated_at <= stamp


def _is_known(item: Item, event_ids: Mapping[str, str]) -> bool:
    owners = {event_ids.get(event.id or "") for event in item.events}
    return owners <= {item.key} and not any(_fault(event, in_store=True) for event in item.events)


def _instants(before: Mapping[Kind, datetime], history: Sequence[Event]) -> dict[Kind, datetime]:
    """The instants of a ticket's last events by kind, after those of the batch."""
    last = dict(before)
    for kind, event in field_merge.latest(history).items():
        last[kind] = max(event.at, last.get(kind, event.at))
    return last


def _again(
    ticket: StandardTicket | None,
    sound: Callable[[], list[Event]],
    row: Row,
    fresh: list[Event],
    *,
    last: Mapping[Kind, datetime],
    at: datetime,
) -> tuple[Row, list[Event], str | None]:
    """A known ticket, or only some of its events; `sound` gives its story as far as it can be kept."""
    changes = field_merge.news(row, ticket) if ticket else None
    if ticket is None or changes is None:
        return field_merge.followed(row, fresh, last), fresh, "skipped" if ticket else None
    new_ids = {event.id for event in fresh}
    story = [event for event in sound() if field_merge.is_later(event, last, or_equal=event.id in new_ids)]
    own = field_merge.events_of_change(row, changes, ticket, story=story, last=last, at=at)
    history = field_merge.by_time([*fresh, *own])
    row = field_merge.merged(row, changes, ticket, history)
    return field_merge.followed(row, fresh, last, but=changes), history, "updated"


def _accepted(item: Item, result: Plan, known: Known, named: dict[str, Event], *, in_store: bool) -> list[Event]:
    """The item's events that can be kept; the others become rejected rows."""
    accepted, in_store = [], in_store or item.ticket is not None
    for event in item.events:
        why = _fault(event, in_store=in_store) or _misnamed(event, known, named)
        if why:
            result.rejected.append(_refused(event, why))
        else:
            accepted.append(event)
    return accepted


def _sound(item: Item, accepted: list[Event], known: Known, named: dict[str, Event]) -> list[Event]:
    """The item's story as far as it can be kept; `accepted` is that of the item itself, often the whole."""
    if len(item.story) == len(item.events):
        return accepted
    return [event for event in item.story if not (_fault(event, in_store=True) or _misnamed(event, known, named))]


def numbered(
    events: Iterable[Event], heads: Mapping[str, Head], known_ids: Collection[str], *, at: datetime
) -> tuple[list[Row], dict[str, Head]]:
    """Rows of the events that are new, chained per ticket in the order given, and the heads that moved."""
    per_ticket: dict[str, list[Event]] = {}
    seen: set[str] = set()
    for event in events:
        if event.id is None or (event.id not in seen and event.id not in known_ids):
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
    content = as_json([rejected.source, rejected.origin, rejected.row, rejected.reason])
    return hashlib.sha256(content.encode()).hexdigest()


def in_utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput(f"{at.isoformat()} has no time zone; an instant needs one, such as +00:00.")
    return at.astimezone(UTC)


def _items(delivery: Delivery) -> Iterator[Item]:
    stories: dict[str, list[Event]] = {}
    for event in delivery.events:
        stories.setdefault(event.ticket_id, []).append(event)
    ordered: dict[str, list[Event]] = {}
    for ticket in delivery.tickets:
        key = ticket.key
        first = key not in ordered
        if first:
            ordered[key] = field_merge.by_time(_named(stories.pop(key, [])))
        yield from _cut(key, ticket, ordered[key] if first else [], ordered[key])
    for key, events in stories.items():
        story = field_merge.by_time(_named(events))
        yield from _cut(key, None, story, story)


def _cut(key: str, ticket: StandardTicket | None, events: list[Event], story: list[Event]) -> Iterator[Item]:
    room = ROWS_PER_TRANSACTION - 1
    yield Item(key, ticket, events[:room], story)
    for start in range(room, len(events), room):
        yield Item(key, None, events[start : start + room], story)


def _named(events: list[Event]) -> list[Event]:
    """Events without an id get one made of their content, so that the same delivery twice is the same events."""
    if all(event.id is not None for event in events):
        return events
    counted: Counter[str] = Counter()
    named = []
    for event in events:
        if event.id is None:
            content = [event.kind, event.at, event.value, event.actor, event.reason, event.data]
            name = f"{event.ticket_id}/{event.kind}/{hashlib.sha256(as_json(content).encode()).hexdigest()[:16]}"
            counted[name] += 1
            again = f"-{counted[name]}" if counted[name] > 1 else ""
            named.append(event.model_copy(update={"id": name + again}))
        else:
            named.append(event)
    return named


def _fault(event: Event, *, in_store: bool) -> str | None:
    """Why an event can't be kept."""
    kind = event.kind
    if not in_store:
        return f"event {event.id} is for ticket {event.ticket_id}, which is unknown; deliver the ticket with it"
    if kind in field_merge.WORDS and event.value not in field_merge.WORDS[kind]:
        words = ", ".join(sorted(field_merge.WORDS[kind]))
        return f"event {event.id} sets {kind} to {event.value!r}; it takes {words}"
    if kind == Kind.CREATED:
        for name, sets in field_merge.AT_CREATION.items():
            value = event.data.get(name)
            if value is not None and value not in field_merge.WORDS[sets]:
                return f"event {event.id} says it was created with {name} {value!r}, which there is not"
    return None


def _misnamed(event: Event, known: Known, named: dict[str, Event]) -> str | None:
    """Why its id is another event's; `named` collects the events of the batch by id."""
    if event.id is None:
        return None
    key = event.ticket_id
    owner = known.event_ids.get(event.id)
    first = named.setdefault(event.id, event) if owner is None or owner == key else event
    owner = owner or first.ticket_id
    if owner != key:
        return f"{event.id} is an event of {owner} already; an event's id is its own among those of all tickets"
    if first is not event and first != event:
        return f"{event.id} is told in two ways in one delivery; give each event its own id"
    return None


def _not_json(content: dict[str, Any]) -> str | None:
    """Why no database keeps it."""
    if not content or is_json(content):
        return None
    try:
        as_json(content)
    except BadInput as error:
        return str(error)
    return None


def _refused(event: Event, why: str) -> Rejected:
    source = event.ticket_id.partition(":")[0]
    return Rejected(source=source, origin="events", row=None, reason=why, content=nearest_json(event.model_dump()))


def _refused_ticket(ticket: StandardTicket, why: str) -> Rejected:
    content = nearest_json(ticket.model_dump())
    return Rejected(source=ticket.source, origin="tickets", row=None, reason=why, content=content)
