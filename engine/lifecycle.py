"""Which way a ticket may move from one status to another, and how its state follows from what happened."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field, model_validator

from engine.contracts import (
    OPEN_STATUSES,
    Event,
    Frozen,
    Instant,
    Kind,
    Priority,
    SlaEffect,
    StandardTicket,
    Status,
    Ticket,
    TicketType,
    Tier,
)
from engine.not_measured import FIRST_RESPONSE, is_undated, undated
from engine.shared import policy_file
from engine.shared.errors import NotAllowed

PAUSES = frozenset({Status.WAITING_CUSTOMER})
DONE = frozenset({Status.RESOLVED, Status.CLOSED})

UNDATED_ASSIGNEE = {"assignee_since": "untold"}
"""In the data of a creation that names the assignee of a later day."""

Change = tuple[Ticket, list[Event]]


class Preset(Frozen):
    """One transition table. A status that is no key can't be entered; `on_accept` is where a first owner takes it."""

    source: str
    transitions: dict[Status, tuple[Status, ...]]
    on_accept: Status = Status.IN_PROGRESS
    reopen_to: Status = Status.IN_PROGRESS
    pauses: frozenset[Status] = PAUSES
    auto_close_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _closed_under_itself(self) -> "Preset":
        targets = {to for row in self.transitions.values() for to in row} | {self.on_accept, self.reopen_to}
        if unknown := sorted(targets - set(self.transitions)):
            raise ValueError(f"no row for {', '.join(unknown)}, which another row leads to")
        return self

    def allows(self, before: Status, after: Status) -> bool:
        return after in self.transitions.get(before, ())

    def moves_from(self, status: Status) -> tuple[Status, ...]:
        """Where a change of the status alone leads, without a use case of its own."""
        return () if status in DONE else tuple(to for to in self.transitions.get(status, ()) if to not in USE_CASES)

    def knows(self, status: Status) -> bool:
        return status in self.transitions


class LifecyclePolicy(Frozen):
    """Transition tables by name."""

    presets: dict[str, Preset]

    def preset(self, name: str = "canonical") -> Preset:
        return policy_file.named(self.presets, name, what="lifecycle preset")


def load(path: str | Path) -> LifecyclePolicy:
    return policy_file.read(path, LifecyclePolicy)


USE_CASES = {
    Status.RESOLVED: ("ticket resolve", "resolve it with a summary (`ticket resolve`)"),
    Status.CLOSED: ("ticket close", "close it (`ticket close`)"),
    Status.WAITING_INTERNAL: ("ticket envelope", "ask by an envelope (`ticket envelope`)"),
    Status.WAITING_VENDOR: ("ticket envelope", "ask the vendor by an envelope (`ticket envelope --team VENDOR`)"),
}
"""The operation that leads to a status, and how it is said."""


def move(ticket: Ticket, *, to: Status, by: str, at: datetime, preset: Preset, reason: str | None = None) -> Change:
    """`transition` to a status that no use case of its own leads to, from an open one."""
    if ticket.status in DONE and to not in DONE:
        raise NotAllowed(
            f"{ticket.reference} is {ticket.status}: reopen it with a reason (`ticket reopen`).",
            way_out="ticket reopen",
        )
    if to in USE_CASES:
        way_out, todo = USE_CASES[to]
        raise NotAllowed(f"{ticket.reference} does not become {to} by a change of its status: {todo}.", way_out=way_out)
    return transition(ticket, to=to, by=by, at=at, preset=preset, reason=reason)


def transition(
    ticket: Ticket,
    *,
    to: Status,
    by: str,
    at: datetime,
    preset: Preset,
    reason: str | None = None,
    data: Mapping[str, str] | None = None,
) -> Change:
    """Move a ticket. Reopening keeps the history and clears `resolved_at` and `closed_at`.

    Raises NotAllowed for a move the table does not have, and for resolving while an expert's envelope is open.
    """
    if not preset.allows(ticket.status, to):
        ways = ", ".join(preset.transitions.get(ticket.status, ())) or "nowhere"
        raise NotAllowed(f"{ticket.reference} is {ticket.status} and can't become {to}; from here it goes to {ways}.")
    if to in DONE and ticket.escalated:
        raise NotAllowed(f"{ticket.reference} has an open envelope; complete or cancel it before it is {to}.")
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.STATUS,
        at=at,
        value=to,
        actor=by,
        reason=reason,
        sla_effect=sla_effect(ticket.status, to, pauses=preset.pauses),
        data=dict(data or {}),
    )
    resolved_at, closed_at = _ends(ticket.status, to, at, ticket.resolved_at, ticket.closed_at)
    moved = {"status": to, "resolved_at": resolved_at, "closed_at": closed_at, "updated_at": at}
    return ticket.model_copy(update=moved), [event]


def respond(ticket: Ticket, *, by: str, at: datetime, reason: str | None = None) -> Change:
    """A reply to the customer: the first ends the first-response clock, each one the wait for the next."""
    event = Event(ticket_id=ticket.id, kind=Kind.RESPONSE, at=at, actor=by, reason=reason)
    first = ticket.first_response_at or at
    unknown = {clock: why for clock, why in (ticket.unknown or {}).items() if clock != FIRST_RESPONSE} or None
    return ticket.model_copy(update={"first_response_at": first, "unknown": unknown, "updated_at": at}), [event]


def reprioritise(ticket: Ticket, *, to: Priority, by: str, at: datetime, reason: str | None = None) -> Change:
    """Another priority: the running clocks are re-based on its target."""
    if to == ticket.priority:
        return ticket, []
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.PRIORITY,
        at=at,
        value=to,
        actor=by,
        reason=reason,
        sla_effect=SlaEffect.REBASE if ticket.is_open else SlaEffect.NONE,
    )
    return ticket.model_copy(update={"priority": to, "updated_at": at}), [event]


def agree_due(ticket: Ticket, *, due: datetime | None, by: str, at: datetime, reason: str) -> Change:
    """Another agreed end for this ticket alone, or None for none: its policy's target holds again."""
    if not ticket.is_open:
        raise NotAllowed(
            f"{ticket.reference} is {ticket.status}; reopen it before its end is agreed anew.", way_out="ticket reopen"
        )
    if due == ticket.agreed_due_at:
        raise NotAllowed(f"{ticket.reference} has this agreed end already: {_iso(due) or 'none'}.")
    if due is not None and due <= ticket.created_at:
        raise NotAllowed(f"{ticket.reference} was created at {_iso(ticket.created_at)}; agree an end after that.")
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.DUE,
        at=at,
        value=_iso(due),
        actor=by,
        reason=reason,
        sla_effect=SlaEffect.REBASE,
        data={"from": _iso(ticket.agreed_due_at)},
    )
    return ticket.model_copy(update={"agreed_due_at": due, "updated_at": at}), [event]


def pause(ticket: Ticket, history: Iterable[Event], *, by: str, at: datetime, reason: str) -> Change:
    """An approved pause: the clocks stand until it is resumed or ended, whatever the status is."""
    if not ticket.is_open or is_paused(history):
        why = "paused already" if ticket.is_open else ticket.status
        raise NotAllowed(f"{ticket.reference} is {why}; there is no clock to pause.")
    event = Event(ticket_id=ticket.id, kind=Kind.PAUSE, at=at, value=reason, actor=by, sla_effect=SlaEffect.PAUSE)
    return ticket.model_copy(update={"updated_at": at}), [event]


def resume(ticket: Ticket, history: Iterable[Event], *, by: str, at: datetime, reason: str | None) -> Change:
    """End an approved pause."""
    if not is_paused(history):
        raise NotAllowed(f"{ticket.reference} has no approved pause to end.")
    event = Event(ticket_id=ticket.id, kind=Kind.RESUME, at=at, actor=by, reason=reason, sla_effect=SlaEffect.RESUME)
    return ticket.model_copy(update={"updated_at": at}), [event]


def is_paused(history: Iterable[Event]) -> bool:
    """Whether an approved pause holds; resolving or closing ends it."""
    paused = False
    for event in history:
        if event.kind in {Kind.PAUSE, Kind.RESUME}:
            paused = event.kind == Kind.PAUSE
        elif event.kind == Kind.STATUS and event.value in DONE:
            paused = False
    return paused


def sla_effect(before: Status, after: Status, *, pauses: frozenset[Status] = PAUSES) -> SlaEffect:
    """What a move does to the resolution clock, in words for the reader."""
    if before in DONE:
        return SlaEffect.NONE if after in DONE else SlaEffect.REOPEN
    if after in DONE:
        return SlaEffect.STOP
    match (before in pauses, after in pauses):
        case (False, True):
            return SlaEffect.PAUSE
        case (True, False):
            return SlaEffect.RESUME
    return SlaEffect.NONE


def due_for_closing(tickets: Iterable[Ticket], *, at: datetime, preset: Preset) -> list[Ticket]:
    """Resolved tickets whose `auto_close_days` are over (seed S4-03); none if the preset has no such limit."""
    if preset.auto_close_days is None:
        return []
    limit = at - timedelta(days=preset.auto_close_days)
    return [t for t in tickets if t.status == Status.RESOLVED and t.resolved_at and t.resolved_at <= limit]


class State(Frozen):
    """What of a ticket follows from its events."""

    status: Status
    priority: Priority
    tier: Tier
    type: TicketType
    owner_id: str | None = None
    accepted_by: str | None = None
    accepted_at: Instant | None = None
    escalated: bool = False
    first_response_at: Instant | None = None
    resolved_at: Instant | None = None
    closed_at: Instant | None = None


def state_of(ticket: Ticket) -> State:
    return State(**{name: getattr(ticket, name) for name in State.model_fields})


def replay(created: Mapping[str, str], events: Iterable[Event]) -> State:
    """State recomputed from the values at creation (status, priority, tier, type) and every event since.

    Events count by instant, those of one instant in the order given. Kinds that set no state are history.
    """
    state = State.model_validate(dict(created))
    open_envelopes: set[str] = set()
    for event in sorted(events, key=lambda event: event.at):
        if event.kind == Kind.ENVELOPE_OPENED and event.value:
            open_envelopes.add(event.value)
        elif event.kind == Kind.ENVELOPE_COMPLETED and event.value:
            open_envelopes.discard(event.value)
        state = state.model_copy(update={**_effect(state, event), "escalated": bool(open_envelopes)})
    return state


def history_from_dates(ticket: StandardTicket, *, at: datetime) -> list[Event]:
    """The history that a ticket's own dates tell: created as new, answered, resolved, closed, and its status now.

    A status that no date tells of is one since an unknown instant (`not_measured.undated`): it stands at the last
    update, or else at `at`, when it was delivered. Event ids are made of the key and the fact, so the same dates
    delivered twice are the same events.
    """
    milestones = [
        _milestone(ticket, Kind.RESPONSE, ticket.first_response_at),
        _milestone(ticket, Kind.STATUS, ticket.resolved_at, Status.RESOLVED),
        _milestone(ticket, Kind.STATUS, ticket.closed_at, Status.CLOSED),
    ]
    events = sorted((event for event in milestones if event), key=lambda event: event.at)
    last = next((event.value for event in reversed(events) if event.kind == Kind.STATUS), Status.NEW)
    if last != ticket.status:
        known = max([ticket.created_at, *(event.at for event in events)])
        latest = max(ticket.updated_at or at, known)
        now = _milestone(ticket, Kind.STATUS, latest, ticket.status)
        events = [event for event in events if now and event.id != now.id]
        events += [now.model_copy(update={"data": undated(known)})] if now else []
    due = [_milestone(ticket, Kind.DUE, ticket.created_at)] if ticket.agreed_due_at else []
    agreed = [event.model_copy(update={"value": _iso(ticket.agreed_due_at)}) for event in due if event]
    return [_creation(ticket), *agreed, *_with_effects(events)]


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _creation(ticket: StandardTicket) -> Event:
    return Event(
        ticket_id=ticket.key,
        kind=Kind.CREATED,
        at=ticket.created_at,
        actor=ticket.source,
        sla_effect=SlaEffect.START,
        data={
            "status": Status.NEW.value,
            "priority": ticket.priority.value,
            "tier": ticket.tier.value,
            "type": ticket.type.value,
            **{name: who for name in ("group", "assignee") if (who := getattr(ticket, name))},
            **(UNDATED_ASSIGNEE if ticket.assignee else {}),
        },
        id=f"{ticket.key}/created",
    )


def _milestone(ticket: StandardTicket, kind: Kind, at: datetime | None, value: Status | None = None) -> Event | None:
    if at is None:
        return None
    name = f"{ticket.key}/{value or kind}/{at.isoformat()}"
    return Event(ticket_id=ticket.key, kind=kind, at=at, value=value, actor=ticket.source, id=name)


def _with_effects(events: list[Event]) -> list[Event]:
    status, written = Status.NEW, []
    for event in events:
        effect = SlaEffect.NONE
        if event.kind == Kind.STATUS and event.value:
            effect, status = sla_effect(status, Status(event.value)), Status(event.value)
        written.append(event.model_copy(update={"sla_effect": effect}))
    return written


_SETS: dict[Kind, tuple[str, type[str]]] = {
    Kind.PRIORITY: ("priority", Priority),
    Kind.TIER: ("tier", Tier),
    Kind.TYPE: ("type", TicketType),
    Kind.TRANSFERRED: ("owner_id", str),
}
_CREATED: dict[str, type[StrEnum]] = {"status": Status, "priority": Priority, "tier": Tier, "type": TicketType}


def _effect(state: State, event: Event) -> dict[str, object]:
    """The fields that one event sets."""
    match event.kind:
        case Kind.CREATED:
            return {name: kind(event.data[name]) for name, kind in _CREATED.items() if name in event.data}
        case Kind.STATUS if event.value:
            to = Status(event.value)
            at = None if is_undated(event) else event.at
            resolved_at, closed_at = _ends(state.status, to, at, state.resolved_at, state.closed_at)
            return {"status": to, "resolved_at": resolved_at, "closed_at": closed_at}
        case Kind.RESPONSE:
            return {"first_response_at": state.first_response_at or event.at}
        case Kind.PRIORITY | Kind.TIER | Kind.TYPE | Kind.TRANSFERRED if event.value:
            name, kind = _SETS[event.kind]
            return {name: kind(event.value)}
        case Kind.ACCEPTED if event.value and state.accepted_by is None:
            at = None if is_undated(event) else event.at
            return {"owner_id": event.value, "accepted_by": event.value, "accepted_at": at}
        case _:
            return {}


def _ends(
    before: Status, after: Status, at: datetime | None, resolved_at: datetime | None, closed_at: datetime | None
) -> tuple[datetime | None, datetime | None]:
    """`resolved_at` and `closed_at` after a move: a reopen clears both, closing keeps when it was resolved. `at` is
    None where the instant is not told."""
    if after in OPEN_STATUSES:
        return None, None
    if after == Status.RESOLVED:
        return (resolved_at if before == Status.RESOLVED else at), None
    return resolved_at, (closed_at if before == Status.CLOSED else at)
