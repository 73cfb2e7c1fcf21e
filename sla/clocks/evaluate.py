"""One ticket's clocks, read aloud: what was promised, what has been used, and when it is due."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from engine.shared.errors import BadInput
from sla.calendar.calendars import Calendar
from sla.calendar.utc_offsets import ERA, instant
from sla.clocks.clock_windows import Moment, Phase, Standing, Window, between_answers, promised_once
from sla.contracts import UNKNOWN, Clock, State
from sla.policy.model import ROUND_THE_CLOCK, Dims, Policies, Promise, with_round_the_clock

Row = dict[str, Any]
"""A row of `contracts.CLOCKS`."""

DEFAULTS = {"priority": "medium", "tier": "standard", "type": "incident", "status": "open"}
SETTING = frozenset({"status", "priority", "tier", "type"})
KINDS = SETTING | {"response", "pause", "resume", "accepted", "customer_message", "team", "channel", "due"}
BETWEEN_ANSWERS = frozenset({Clock.NEXT_RESPONSE, Clock.NEXT_REPLY})
"""Clocks that have rows only where somebody promises them."""
NOT_MEASURED = {
    "state": State.NOT_MEASURED.value,
    **dict.fromkeys(("elapsed", "paused", "remaining", "due_at", "stopped_at")),
    "is_paused": False,
}
"""What stands in the row of a window that is promised something, and whose course the source does not tell."""
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
            if clock not in BETWEEN_ANSWERS or promise.target is not None:
                head = {"ticket": ticket.get("id"), "clock": clock.value, "window": number}
                row = {**head, "is_current": number == len(found), **_measured(window, promise, calendars)}
                is_unknown = unknown_since(clock, window, ticket, as_of) and promise.target is not None
                rows.append(row | NOT_MEASURED if is_unknown else row)
        if not found and clock not in BETWEEN_ANSWERS:
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
    if clock in BETWEEN_ANSWERS:
        return between_answers(clock, points, ends, terms)
    return promised_once(points, ends, terms, reopens=clock == Clock.RESOLUTION)


def promise_for(
    clock: Clock, window: Window, ticket: Mapping[str, Any], policies: Policies, calendars: Mapping[str, Calendar]
) -> Promise:
    """Measured by what was in force when the window last ran, or when it opened where the terms keep that; a resolution
    by the end last agreed for the ticket while it ran, unless the window starts after that."""
    created = created_at(ticket) or window.start
    terms = policies.terms(clock, dims_of(ticket), policies.version_at(created))
    dims = window.at_start.dims if terms.priority_change == "keep" else window.at_end.dims
    promise, agreed = policies.promise(clock, dims, policies.version_at(window.start), calendars), window.at_end.due_at
    if clock != Clock.RESOLUTION or agreed is None or agreed < window.start:
        return promise
    calendar = calendars[promise.calendar or ROUND_THE_CLOCK]
    return promise.until(agreed, calendar.elapsed(window.start, agreed))


def unknown_since(clock: Clock, window: Window, ticket: Mapping[str, Any], as_of: datetime) -> datetime | None:
    """From when on the source does not tell the course of a window; None where that leaves it measured."""
    unknown = ticket.get(UNKNOWN[clock])
    since = None if unknown is None else whole_second(unknown)
    if since is None or since > whole_second(as_of):
        return None
    is_known = window.stopped_at is not None and window.start < since and window.stopped_at <= since
    return None if is_known else since


def _standings(
    ticket: Mapping[str, Any], created: datetime, history: list[Moment], stop_states: frozenset[str]
) -> Iterable[tuple[Moment, Standing]]:
    """The ticket after its creation and after each moment."""
    status = DEFAULTS["status"] if ticket.get("status") is None else str(ticket["status"])
    now = Standing(status, None, dims_of(ticket))
    yield Moment(created, "created"), now
    for moment in history:
        now = _after(now, moment, stop_states)
        yield moment, now


def _after(now: Standing, moment: Moment, stop_states: frozenset[str]) -> Standing:
    """A stop ends an approved pause and the wait for a reply, and what is stopped can't be paused."""
    match moment.kind:
        case "status" if moment.value in stop_states:
            now = now._replace(status=str(moment.value), hold=None, awaits_reply=False)
        case "status":
            now = now._replace(status=str(moment.value))
        case "response":
            now = now._replace(responded=True, awaits_reply=False)
        case "customer_message":
            now = now._replace(awaits_reply=now.responded)
        case "pause" if now.status not in stop_states:
            now = now._replace(hold=moment.value or "")
        case "resume":
            now = now._replace(hold=None)
        case "priority" | "tier" | "type":
            now = now._replace(dims=now.dims._replace(**{moment.kind: str(moment.value)}))
        case "team":
            now = now._replace(dims=now.dims._replace(team=moment.value or None))
        case "channel":
            now = now._replace(dims=now.dims._replace(channel=moment.value or None))
        case "due":
            now = now._replace(due_at=agreed_end(moment.value))
    return now


def _in_order(events: Iterable[Mapping[str, Any]], created: datetime, now: datetime) -> list[Moment]:
    """What counts: known kinds with an instant up to now, each id once, in order, none before creation."""
    usable = [
        (whole_second(event["ts"]), event.get("seq") or 0, order, event)
        for order, event in enumerate(events)
        if event.get("ts") is not None and event.get("kind") in KINDS and _says_something(event)
    ]
    seen: set[Any] = set()
    moments = []
    for at, _, _, event in sorted(usable, key=lambda item: item[:3]):
        if at <= now and (event.get("id") is None or event["id"] not in seen):
            seen.add(event.get("id"))
            moments.append(Moment(max(at, created), event["kind"], event.get("value")))
    return moments


def _says_something(event: Mapping[str, Any]) -> bool:
    """Whether it has the value that its kind needs; an agreed end one that can be read."""
    value = event.get("value")
    if event["kind"] == "due":
        return readable_end(value)
    return value is not None or event["kind"] not in SETTING


def readable_end(value: str | None) -> bool:
    try:
        agreed_end(value)
    except ValueError:
        return False
    return True


def agreed_end(value: str | None) -> datetime | None:
    """The instant behind a `due` event; None: none any more. Raises ValueError for any but an instant in our years."""
    if not value:
        return None
    at = datetime.fromisoformat(value)
    if at.tzinfo is None or not in_era(whole_second(at)):
        raise ValueError(value)
    return whole_second(at)


def _measured(window: Window, promise: Promise, calendars: Mapping[str, Calendar]) -> Row:
    paused_now = window.stopped_at is None and _stands_still(window.phases[-1], promise)
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
    end = window.stopped_at or window.phases[-1].end
    remaining = promise.target - elapsed
    if due is None and not paused_now:
        due = calendar.deadline(end, remaining, boundary=promise.terms.boundary)
    agreed = promise.agreed_due_at
    late = -remaining if agreed is None else round((end - agreed).total_seconds())
    state = _state(late, remaining, promise, stopped=window.stopped_at is not None)
    return row | {
        "state": state.value,
        "target": promise.target,
        "elapsed": elapsed,
        "paused": paused,
        "remaining": remaining,
        "due_at": due,
    }


def _used(window: Window, promise: Promise, calendar: Calendar) -> tuple[int, int, datetime | None]:
    """Seconds counted, seconds paused (those of a stop are neither), and the instant the target was used up, if it was;
    of an agreed end that end."""
    target, boundary = promise.target or 0, promise.terms.boundary
    elapsed, paused = 0, 0
    due = calendar.deadline(window.start, 0, boundary=boundary) if target == 0 else None
    for phase in window.phases:
        seconds = calendar.elapsed(phase.start, phase.end)
        if _stands_still(phase, promise):
            paused += 0 if phase.idle else seconds
            continue
        if elapsed < target <= elapsed + seconds:
            due = calendar.deadline(phase.start, target - elapsed, boundary=boundary)
        elapsed += seconds
    return elapsed, paused, promise.agreed_due_at or due


def _stands_still(phase: Phase, promise: Promise) -> bool:
    is_paused = phase.idle or promise.terms.pauses(phase.status, phase.hold)
    return promise.agreed_due_at is None and is_paused


def _state(late: int, remaining: int, promise: Promise, *, stopped: bool) -> State:
    """`late`: the seconds over the target, or on the wall since an agreed end; negative before."""
    if stopped:
        return State.MET if late <= 0 else State.BREACHED
    if late > 0 or (late == 0 and promise.terms.at_deadline == "breached"):
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
