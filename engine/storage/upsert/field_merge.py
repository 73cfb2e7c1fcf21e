"""What a source's word does to a ticket: the first time it makes one, later it changes what the source changed.

Fields that the desk may change as well (status, priority, group, …) follow the source only where the source itself
says something else than the last time, so that an accepted ticket does not fall back to `new` because somebody wrote
a comment at the source. Whatever comes, status, priority, tier and type stay what the history tells: events count by
their instants, so the source's last word is dated no earlier than the last event of its kind.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from engine.contracts import OPEN_STATUSES, Event, Kind, Priority, SlaEffect, StandardTicket, Status, TicketType, Tier
from engine.lifecycle import history_from_dates, replay, sla_effect
from engine.not_measured import ENDED, RESOLUTION, Why, is_undated, undated, unknown_clocks
from engine.storage.text import clean, jsonable

Row = dict[str, Any]

WORDS: dict[Kind, frozenset[str]] = {
    Kind.STATUS: frozenset(Status),
    Kind.PRIORITY: frozenset(Priority),
    Kind.TIER: frozenset(Tier),
    Kind.TYPE: frozenset(TicketType),
}
_EVENT_OF = {
    "status": Kind.STATUS,
    "priority": Kind.PRIORITY,
    "tier": Kind.TIER,
    "type": Kind.TYPE,
    "group_id": Kind.GROUP,
    "assignee_id": Kind.ASSIGNEE,
}
SETTABLE = frozenset(_EVENT_OF.values())
_REPLAYED = ("status", "priority", "tier", "type", "first_response_at", "resolved_at", "closed_at")
_ENDS = ("first_response_at", "resolved_at", "closed_at")
AT_CREATION = {name: _EVENT_OF[name] for name in ("status", "priority", "tier", "type")}


def by_time(events: Iterable[Event]) -> list[Event]:
    """A ticket's events in the order they are recorded: its creation first."""
    ordered = sorted(events, key=attrgetter("at"))
    creations = [event for event in ordered if event.kind == Kind.CREATED]
    return creations + [event for event in ordered if event.kind != Kind.CREATED]


def latest(events: Iterable[Event]) -> dict[Kind, Event]:
    """The last event of each kind, by instant and then by order."""
    last: dict[Kind, Event] = {}
    for event in events:
        if event.kind not in last or event.at >= last[event.kind].at:
            last[event.kind] = event
    return last


def is_later(event: Event, last: Mapping[Kind, datetime], *, or_equal: bool) -> bool:
    """Whether it comes after all events of its kind so far; a new one of the same instant does."""
    before = last.get(event.kind)
    return before is None or event.at > before or (or_equal and event.at == before)


def first_seen(
    ticket: StandardTicket, events: list[Event], story: Sequence[Event], *, at: datetime
) -> tuple[Row, list[Event]]:
    """The row of a new ticket, and its history: the one delivered if it starts at creation, else told by its dates.

    `events` is the part of its story that is written now; both are in the order of `by_time`. `at` is when it came.
    """
    if events and events[0].kind == Kind.CREATED:
        whole, history = story, events[:1] + [event for event in events if event.kind != Kind.CREATED]
        if ticket.agreed_due_at and not any(event.kind == Kind.DUE for event in story):
            history.append(_tell(ticket, Kind.DUE, ticket.agreed_due_at.isoformat(), ticket.created_at))
    else:
        delivered = {(event.kind, event.value, event.at) for event in story}
        dates = history_from_dates(ticket, at=at)
        if any(event.kind == Kind.STATUS for event in story):  # it tells more than a status without an instant
            dates = [event for event in dates if not is_undated(event)]
        derived = [e for e in dates if (e.kind, e.value, e.at) not in delivered]
        whole, history = [*derived, *story], by_time([*derived, *events])
    born, shared = history[0].data, _shared(ticket)
    row = {
        "id": ticket.key,
        "source": ticket.source,
        "external_id": ticket.ticket_id,
        **_own(ticket),
        **shared,
        "escalated": False,
        "product": None,
        "owner_id": None,
        "accepted_by": None,
        "accepted_at": None,
        "created_at": ticket.created_at,
        "updated_at": _last_touched(ticket),
        "version": 0,
        **{f"created_{name}": born.get(name) or shared[name] for name in AT_CREATION},
        "source_updated_at": ticket.updated_at,
        "delivered": _as_delivered(shared),
    }
    settled = _settled(row, ticket, latest(whole))
    row["unknown"] = _unknown(None, ticket, row, [*whole, *settled])
    return row, history + settled


def _settled(row: Row, ticket: StandardTicket, last: Mapping[Kind, Event]) -> list[Event]:
    """Events for what the ticket says and its history does not."""
    events = []
    for name, kind in AT_CREATION.items():
        event = last.get(kind)
        before = str(event.value if event else row[f"created_{name}"])
        if before != row[name]:
            known = event.at if event else ticket.created_at
            when = max(_last_touched(ticket), known)
            if kind == Kind.STATUS:
                effect = sla_effect(Status(before), Status(row[name]))
                events.append(_tell(ticket, kind, row[name], when, sla_effect=effect, data=undated(known)))
            else:
                events.append(_tell(ticket, kind, row[name], when))
    return events


def _unknown(before: Row | None, ticket: StandardTicket, row: Row, history: Sequence[Event]) -> Row | None:
    """What can't be measured of the ticket, whose row was `before` and is to be `row`."""
    moves = [event.value for event in history if event.kind == Kind.STATUS]
    return unknown_clocks(
        before["unknown"] if before else None,
        history,
        responses=ticket.responses,
        created_at=ticket.created_at,
        first_response_at=row["first_response_at"],
        has_ended=not ENDED.isdisjoint([row["status"], *([before["status"]] if before else []), *moves]),
    )


def _own(ticket: StandardTicket) -> Row:
    """Columns that only the source writes."""
    return {
        "reference": clean(ticket.ticket_number or ticket.ticket_id),
        "subject": clean(ticket.title),
        "content": clean(ticket.description),
        "channel": clean(ticket.channel),
        "language": _clean(ticket.language),
        "tags": [clean(tag) for tag in ticket.tags],
        "location": ticket.requester_location.model_dump() if ticket.requester_location else None,
        "requester_id": _clean(ticket.requester),
        "company_id": _clean(ticket.company),
        "source_verdict": ticket.source_verdict.model_dump(mode="json") if ticket.source_verdict else None,
        "external_metadata": jsonable(ticket.external_metadata),
    }


def _shared(ticket: StandardTicket) -> Row:
    """Columns that the source and the desk both write."""
    return {
        "type": ticket.type.value,
        "status": ticket.status.value,
        "priority": ticket.priority.value,
        "tier": ticket.tier.value,
        "vip": ticket.vip,
        "category": clean(ticket.category),
        "urgency": ticket.urgency,
        "impact": ticket.impact,
        "group_id": _clean(ticket.group),
        "assignee_id": _clean(ticket.assignee),
        "first_response_at": ticket.first_response_at,
        "resolved_at": ticket.resolved_at,
        "closed_at": ticket.closed_at,
        "agreed_due_at": ticket.agreed_due_at,
        "outcome": ticket.outcome.value if ticket.outcome else None,
    }


def _as_delivered(shared: Row) -> Row:
    """What the source says in the shared columns, to be compared with what it says the next time."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in shared.items()
        if value is not None
    }


def _last_touched(ticket: StandardTicket) -> datetime:
    ends = [end for name in _ENDS if (end := getattr(ticket, name))]
    return ticket.updated_at or max([ticket.created_at, *ends])


def news(row: Row, ticket: StandardTicket) -> Row | None:
    """The columns that change, or None if the delivery is not newer than what the source said last."""
    if ticket.updated_at and row["source_updated_at"] and ticket.updated_at <= row["source_updated_at"]:
        return None
    changes = {name: value for name, value in _own(ticket).items() if value != row[name]}
    before, shared = row["delivered"], _shared(ticket)
    now = _as_delivered(shared)
    moved = {name for name in shared if now.get(name) != before.get(name)}
    if "status" in moved:
        moved |= {"resolved_at", "closed_at"}
    first, theirs = row["first_response_at"], ticket.first_response_at
    if "first_response_at" in moved and first and (theirs is None or theirs > first):
        moved.remove("first_response_at")
    if shared["outcome"] == "solved" and row["outcome"] != before.get("outcome"):
        moved.discard("outcome")  # a person said more than that it ended
    changes |= {name: shared[name] for name in moved if shared[name] != row[name]}
    return None if ticket.updated_at is None and now == before and not changes else changes


def merged(row: Row, changes: Row, ticket: StandardTicket, history: Sequence[Event]) -> Row:
    """The row after the changes; it was last updated no earlier than what was told."""
    return {
        **row,
        **changes,
        "unknown": _unknown(row, ticket, row | changes, history),
        "updated_at": max([row["updated_at"], _last_touched(ticket), *(event.at for event in history)]),
        "source_updated_at": ticket.updated_at or row["source_updated_at"],
        "delivered": _as_delivered(_shared(ticket)),
    }


def followed(row: Row, fresh: Iterable[Event], last: Mapping[Kind, datetime], *, but: Iterable[str] = ()) -> Row:
    """The row after new events that are later than all of their kind before them; `but` names columns to leave."""
    left = {kind for name, kind in AT_CREATION.items() if name in but}
    counted = [
        event
        for event in fresh
        if event.kind == Kind.RESPONSE
        or (event.kind in WORDS and event.kind not in left and is_later(event, last, or_equal=True))
    ]
    if not counted:
        return row
    state = replay({name: row[name] for name in _REPLAYED}, counted).model_dump(mode="python", include=set(_REPLAYED))
    moved = {name: str(value) if name in AT_CREATION else value for name, value in state.items()}
    if left & {Kind.STATUS}:
        moved |= {"resolved_at": row["resolved_at"], "closed_at": row["closed_at"]}
    return row | moved | {"updated_at": max([row["updated_at"], *(event.at for event in counted)])}


def events_of_change(
    row: Row,
    changes: Row,
    ticket: StandardTicket,
    *,
    story: Sequence[Event],
    last: Mapping[Kind, datetime],
    at: datetime,
) -> list[Event]:
    """Events of a change that the delivery does not bring itself; anything else that changed is one `changed` event.

    `last` holds the instants of the last events in the store by kind, `story` what the delivery tells after them.
    """
    when = ticket.updated_at or at
    delivered = latest(story)
    is_open = Status((row | changes)["status"]) in OPEN_STATUSES
    events = []
    for column, kind in _EVENT_OF.items():
        if column not in changes or (kind in delivered and delivered[kind].value == changes[column]):
            continue
        floor = max([last.get(kind, row["created_at"])] + ([delivered[kind].at] if kind in delivered else []))
        if kind == Kind.STATUS:
            events += _moves(ticket, row, changes, when=when, floor=floor)
        else:
            effect = SlaEffect.REBASE if is_open and kind in WORDS else SlaEffect.NONE
            events.append(_tell(ticket, kind, changes[column], max(when, floor), sla_effect=effect))
    if changes.get("first_response_at") and not any(event.kind == Kind.RESPONSE for event in story):
        events.append(_tell(ticket, Kind.RESPONSE, None, changes["first_response_at"]))
    if "agreed_due_at" in changes:
        due = changes["agreed_due_at"]
        events.append(_tell(ticket, Kind.DUE, due.isoformat() if due else None, when))
    if "channel" in changes:
        events.append(_tell(ticket, Kind.CHANNEL, changes["channel"], when, data={"from": row["channel"]}))
    ends = {"resolved_at", "closed_at"} & set(changes)
    if ends and "status" not in changes and (row["unknown"] or {}).get(RESOLUTION, {}).get("why") == Why.NO_END:
        events += _moves(ticket, row, changes, when=when, floor=row["created_at"])
    explained = {"first_response_at", "agreed_due_at", "channel", *_EVENT_OF} | (ends if "status" in changes else set())
    if rest := sorted(set(changes) - explained):
        events.append(_tell(ticket, Kind.CHANGED, None, when, data={"fields": rest}))
    return events


def _tell(ticket: StandardTicket, kind: Kind, value: str | None, at: datetime, **more: Any) -> Event:
    return Event(ticket_id=ticket.key, kind=kind, at=at, value=value, actor=ticket.source, **more)


def _moves(ticket: StandardTicket, row: Row, changes: Row, *, when: datetime, floor: datetime) -> list[Event]:
    """The way to the new status: through the instants at which it was resolved or closed, if they are told."""
    to, before = Status((row | changes)["status"]), Status(row["status"])
    dated = [(changes.get("resolved_at"), Status.RESOLVED), (changes.get("closed_at"), Status.CLOSED)]
    moves = sorted(((max(moment, floor), status) for moment, status in dated if moment), key=lambda move: move[0])
    known = max([floor, *(moment for moment, _ in moves)])
    is_dated = bool(moves) and moves[-1][1] == to
    if not is_dated:
        moves.append((max(when, known), to))
    events = []
    for moment, status in moves:
        events.append(_tell(ticket, Kind.STATUS, status, moment, sla_effect=sla_effect(before, status)))
        before = status
    if not is_dated:
        after = max(known, row["source_updated_at"] or known)
        events[-1] = events[-1].model_copy(update={"data": undated(min(after, events[-1].at))})
    return events


def _clean(text: str | None) -> str | None:
    return None if text is None else clean(text)
