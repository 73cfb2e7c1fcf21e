"""One ticket's clocks, read aloud: what was promised, what has been used, and when it is due."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.shared.errors import BadInput
from sla.calendar.calendars import Calendar
from sla.calendar.utc_offsets import ERA, instant
from sla.clocks.clock_windows import Moment, Phase, Standing, Window, cadence, promised_once
from sla.contracts import Clock, State
from sla.policy.model import Dims, Policies, Promise, Terms, with_round_the_clock

Row = dict[str, Any]
"""A row of `contracts.CLOCKS`."""

DEFAULTS = {"priority": "medium", "tier": "standard", "type": "incident", "status": "open"}
SETTING = frozenset({"status", "priority", "tier", "type"})
KINDS = SETTING | {"response", "pause", "resume", "accepted"}
_ENDS = (-62_135_596_800, 253_402_300_799)
"""First and last second that a datetime in UTC can tell."""


def evaluate(
    ticket: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> list[Row]:
    """All windows of all clocks of one ticket as of an instant. `events` are that ticket's own."""
    rows: list[Row] = []
    calendars = with_round_the_clock(calendars)
    for clock in policies.clocks:
        found = [
            (number, window, promise_for(clock, window, ticket, policies, calendars))
            for number, window in enumerate(windows_of(clock, ticket, events, policies, as_of), start=1)
        ]
        for number, window, promise in found:
            if clock != Clock.NEXT_RESPONSE or promise.target is not None:
                head = {"ticket": ticket.get("id"), "clock": clock.value, "window": number}
                rows.append({**head, "is_current": number == len(found), **_measured(window, promise, calendars)})
        if not found and clock != Clock.NEXT_RESPONSE:
            rows.append(_no_clock(ticket, clock))
    return rows


def evaluate_all(
    tickets: Iterable[Mapping[str, Any]],
    events: Iterable[Mapping[str, Any]],
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> list[Row]:
    """A whole backlog, one ticket after the other; a ticket given twice counts by its first row."""
    own: dict[Any, list[Mapping[str, Any]]] = {}
    for event in events:
        own.setdefault(event.get("ticket"), []).append(event)
    first = {ticket.get("id"): ticket for ticket in reversed(list(tickets)) if ticket.get("id") is not None}
    return [
        row for key, ticket in first.items() for row in evaluate(ticket, own.get(key, []), policies, calendars, as_of)
    ]


def windows_of(
    clock: Clock, ticket: Mapping[str, Any], events: Iterable[Mapping[str, Any]], policies: Policies, as_of: datetime
) -> list[Window]:
    """The windows of one clock, oldest first; none before creation, acceptance or the first response starts it."""
    created, now = created_at(ticket), whole_second(as_of)
    if not in_era(now):
        raise BadInput(f"as_of {as_of} is out of reach; use an instant from 1900 to 2199")
    if created is None or created > now:
        return []
    dims = dims_of(ticket)
    terms = policies.terms(clock, dims, policies.version_at(created))
    points = list(_standings(ticket, created, _in_order(events, created, now), terms.stop_states))
    ends = [moment.at for moment, _ in points[1:]] + [now]
    if clock == Clock.NEXT_RESPONSE:
        return cadence(points, ends, terms)
    return promised_once(points, ends, terms, reopens=clock == Clock.RESOLUTION)


def promise_for(
    clock: Clock, window: Window, ticket: Mapping[str, Any], policies: Policies, calendars: Mapping[str, Calendar]
) -> Promise:
    """Measured by what was in force when the window last ran, or when it opened where the terms keep that."""
    created = created_at(ticket) or window.start
    terms = policies.terms(clock, dims_of(ticket), policies.version_at(created))
    dims = window.dims_at_start if terms.priority_change == "keep" else window.dims_at_end
    return policies.promise(clock, dims, policies.version_at(window.start), calendars)


def _standings(
    ticket: Mapping[str, Any], created: datetime, history: list[Moment], stop_states: frozenset[str]
) -> Iterable[tuple[Moment, Standing]]:
    """The ticket after its creation and after each moment."""
    status = DEFAULTS["status"] if ticket.get("status") is None else str(ticket["status"])
    now = Standing(status, None, dims_of(ticket), responded=False)
    yield Moment(created, "created"), now
    for moment in history:
        now = _after(now, moment, stop_states)
        yield moment, now


def _after(now: Standing, moment: Moment, stop_states: frozenset[str]) -> Standing:
    """A stop ends an approved pause, and what is stopped can't be paused."""
    match moment.kind:
        case "status":
            return now._replace(status=str(moment.value), hold=None if moment.value in stop_states else now.hold)
        case "response":
            return now._replace(responded=True)
        case "pause" if now.status not in stop_states:
            return now._replace(hold=moment.value or "")
        case "resume":
            return now._replace(hold=None)
        case "priority" | "tier" | "type":
            return now._replace(dims=now.dims._replace(**{moment.kind: str(moment.value)}))
    return now


def _in_order(events: Iterable[Mapping[str, Any]], created: datetime, now: datetime) -> list[Moment]:
    """What counts: known kinds with an instant up to now, each id once, in order, none before creation."""
    usable = [
        (whole_second(event["ts"]), event.get("seq") or 0, order, event)
        for order, event in enumerate(events)
        if event.get("ts") is not None
        and event.get("kind") in KINDS
        and (event.get("value") is not None or event["kind"] not in SETTING)
    ]
    seen: set[Any] = set()
    moments = []
    for at, _, _, event in sorted(usable, key=lambda item: item[:3]):
        if at <= now and (event.get("id") is None or event["id"] not in seen):
            seen.add(event.get("id"))
            moments.append(Moment(max(at, created), event["kind"], event.get("value")))
    return moments


def _measured(window: Window, promise: Promise, calendars: Mapping[str, Calendar]) -> Row:
    paused_now = window.stopped_at is None and _stands_still(window.phases[-1], promise.terms)
    row: Row = {
        "state": State.NO_TARGET.value,
        **dict.fromkeys(("target", "elapsed", "paused", "remaining", "due_at")),
        "window_start": window.start,
        "stopped_at": window.stopped_at,
        "is_paused": paused_now,
        "policy": promise.policy,
        "calendar": promise.calendar,
    }
    if promise.target is None or promise.calendar is None:
        return row
    calendar = calendars[promise.calendar]
    elapsed, paused, due = _used(window, promise, calendar)
    if due is None and not paused_now:
        end = window.stopped_at or (window.phases[-1].end)
        due = calendar.deadline(end, promise.target - elapsed, boundary=promise.terms.boundary)
    remaining = promise.target - elapsed
    state = _state(remaining, promise, stopped=window.stopped_at is not None)
    return row | {
        "state": state.value,
        "target": promise.target,
        "elapsed": elapsed,
        "paused": paused,
        "remaining": remaining,
        "due_at": due,
    }


def _used(window: Window, promise: Promise, calendar: Calendar) -> tuple[int, int, datetime | None]:
    """Seconds counted, seconds not counted, and the instant the target was used up, if it was."""
    target, boundary = promise.target or 0, promise.terms.boundary
    elapsed, paused = 0, 0
    due = calendar.deadline(window.start, 0, boundary=boundary) if target == 0 else None
    for phase in window.phases:
        seconds = calendar.elapsed(phase.start, phase.end)
        if _stands_still(phase, promise.terms):
            paused += seconds
            continue
        if elapsed < target <= elapsed + seconds:
            due = calendar.deadline(phase.start, target - elapsed, boundary=boundary)
        elapsed += seconds
    return elapsed, paused, due


def _stands_still(phase: Phase, terms: Terms) -> bool:
    return phase.idle or terms.pauses(phase.status, phase.hold)


def _state(remaining: int, promise: Promise, *, stopped: bool) -> State:
    if stopped:
        return State.MET if remaining >= 0 else State.BREACHED
    if remaining < 0 or (remaining == 0 and promise.terms.at_deadline == "breached"):
        return State.BREACHED
    return State.AT_RISK if remaining <= promise.at_risk_seconds else State.ON_TRACK


def _no_clock(ticket: Mapping[str, Any], clock: Clock) -> Row:
    empty = ("target", "elapsed", "paused", "remaining", "due_at", "window_start", "stopped_at")
    head = {"ticket": ticket.get("id"), "clock": clock.value, "window": 1, "is_current": True}
    return {
        **head,
        "state": State.NO_CLOCK.value,
        **dict.fromkeys(empty),
        "is_paused": False,
        "policy": None,
        "calendar": None,
    }


def created_at(ticket: Mapping[str, Any]) -> datetime | None:
    """To the second; None where it is missing or outside the years this room reckons with."""
    created = None if ticket.get("created_at") is None else whole_second(ticket["created_at"])
    return created if created is not None and in_era(created) else None


def in_era(at: datetime) -> bool:
    return instant(ERA[0]) <= at < instant(ERA[1])


def whole_second(at: datetime) -> datetime:
    """In UTC, without the fraction. Raises BadInput without a time zone."""
    if at.tzinfo is None:
        raise BadInput(f"{at} has no time zone; give it one, for example {at}+00:00")
    return instant(min(max((at - instant(0)) // timedelta(seconds=1), _ENDS[0]), _ENDS[1]))


def dims_of(ticket: Mapping[str, Any]) -> Dims:
    """What policies choose by, as created."""
    values = {key: ticket.get(key) for key in Dims._fields}
    return Dims(**{key: DEFAULTS.get(key) if value is None else str(value) for key, value in values.items()})  # type: ignore[arg-type]
