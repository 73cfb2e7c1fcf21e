"""What a delivery means for the tickets that are there: new, changed or nothing new; the same for every store."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from engine.contracts import Delivery, Event, IngestReport, Kind, Rejected, StandardTicket
from engine.errors import BadInput
from engine.storage import merge
from engine.storage.chain import Head, link, portable
from engine.storage.merge import Row
from engine.storage.text import as_json, jsonable

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
    updated: set[str]
    events: list[Event]
    rejected: list[Rejected]
    report: IngestReport


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


def plan(items: Sequence[Item], known: Mapping[str, Row], *, at: datetime) -> Plan:
    """Decide what to write, given the rows of those tickets that the store has."""
    result = Plan({}, set(), set(), [], [], IngestReport())
    created = updated = skipped = 0
    for item in items:
        row = result.rows.get(item.key) or known.get(item.key)
        faults = [_fault(event, in_store=row is not None or item.ticket is not None) for event in item.events]
        result.rejected.extend(_refused(event, why) for event, why in zip(item.events, faults, strict=True) if why)
        told = [event for event, why in zip(item.events, faults, strict=True) if not why]
        if row is None and item.ticket is not None:
            row, history = merge.first_seen(item.ticket, told)
            result.created.add(item.key)
            created += 1
        elif row is not None:
            history = [event for event in told if event.kind != Kind.CREATED]
            if item.ticket is not None and (changes := merge.news(row, item.ticket)) is not None:
                history = merge.by_time([*history, *merge.told_by_change(row, changes, item.ticket, item.story, at)])
                row = merge.merged(row, changes, item.ticket, history)
                result.updated.add(item.key)
                updated += 1
            elif item.ticket is not None:
                skipped += 1
        else:
            continue
        result.rows[item.key] = row
        result.events.extend(history)
    return result._replace(report=IngestReport(created=created, updated=updated, skipped=skipped))


def numbered(
    events: Iterable[Event], heads: Mapping[str, Head], known_ids: set[str], *, at: datetime
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


def _refused(event: Event, why: str) -> Rejected:
    source = event.ticket_id.partition(":")[0]
    return Rejected(
        source=source, origin="events", row=None, reason=why, content=jsonable(event.model_dump(mode="json"))
    )
