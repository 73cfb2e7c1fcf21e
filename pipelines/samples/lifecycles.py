"""What happens to a ticket after it came in: looked at, taken, answered, put on hold, solved, closed, reopened."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from random import Random
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.contracts import Event, Kind, Priority, SlaEffect, Status, TicketType, Tier
from engine.lifecycle import sla_effect

OPENING, CLOSING = 8, 18
"""Local hours, Monday to Friday, in which people work on what is not pressing."""

RESPONSE_MINUTES = {Priority.CRITICAL: 4.5, Priority.HIGH: 20.0, Priority.MEDIUM: 55.0, Priority.LOW: 110.0}
RESOLUTION_MINUTES = {Priority.CRITICAL: 60.0, Priority.HIGH: 130.0, Priority.MEDIUM: 230.0, Priority.LOW: 600.0}
"""Medians in working minutes for a standard contract."""

TIER_PACE = {Tier.ENTERPRISE: 0.55, Tier.BUSINESS: 0.75, Tier.STANDARD: 1.0, Tier.FREE: 1.5}
SPREAD = 0.65
"""Sigma of the lognormal times: one ticket in six takes about twice the median or more."""

WAITS = (
    (Status.WAITING_CUSTOMER, 0.34, 700.0, ("asked for logs", "asked for a screenshot", "waiting for an appointment")),
    (Status.WAITING_INTERNAL, 0.08, 200.0, ("with engineering", "second opinion", "waiting for approval")),
    (Status.WAITING_VENDOR, 0.05, 500.0, ("vendor case opened", "waiting for the carrier")),
)
"""Status, share of tickets, median length in working minutes, reasons."""


After = Callable[[datetime, float], datetime]
"""An instant, and a median of working minutes, to the instant at which the work is done."""


class Fate(StrEnum):
    """How far a ticket has come by the end of the period."""

    DONE = "done"
    NEW = "new"
    HELD = "held"
    DISMISSED = "dismissed"


class Case(NamedTuple):
    """What a lifecycle starts from."""

    ticket: str
    created_at: datetime
    priority: Priority
    tier: Tier
    type: TicketType
    requester: str
    timezone: str
    rightful_priority: Priority
    group: str
    agent: str
    other_group: str | None


class Step(NamedTuple):
    at: datetime
    kind: Kind
    value: str | None
    actor: str
    reason: str | None = None


class WorkHours:
    """Adds working minutes to an instant, by the wall clock of one time zone.

    Critical tickets are worked on around the clock, high ones at every hour of a weekday.
    """

    def __init__(self, timezone: str, priority: Priority) -> None:
        self.zone = _zone(timezone)
        self.around_the_clock = priority is Priority.CRITICAL
        self.opening, self.closing = (0, 24) if priority is Priority.HIGH else (OPENING, CLOSING)

    def after(self, at: datetime, minutes: float) -> datetime:
        """The instant at which `minutes` of work are done, to the second."""
        if self.around_the_clock:
            return _second(at + timedelta(minutes=minutes))
        local = self._next_open(at.astimezone(self.zone).replace(tzinfo=None))
        left = timedelta(minutes=minutes)
        while (today := self._close(local) - local) < left:
            left -= today
            local = self._next_open(self._close(local))
        return _second(local + left).replace(tzinfo=self.zone).astimezone(UTC)

    def _close(self, local: datetime) -> datetime:
        return datetime.combine(local, time()) + timedelta(hours=self.closing)

    def _next_open(self, local: datetime) -> datetime:
        """The moment itself if people are at work, else the next opening."""
        if local.weekday() < 5 and local.hour < self.closing:
            return max(local, datetime.combine(local, time(self.opening)))
        day = datetime.combine(local, time(self.opening)) + timedelta(days=1)
        return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def history(rng: Random, case: Case, fate: Fate, *, as_of: datetime) -> list[Event]:
    """All events of a ticket until `as_of`, oldest first; the first says what it was created as."""
    steps: list[Step] = []
    if fate is Fate.DISMISSED:
        steps = _dismissed(rng, case)
    elif fate is not Fate.NEW:
        steps = _course(rng, case, held=fate is Fate.HELD, as_of=as_of)
    created = {"status": "new", "priority": case.priority.value, "tier": case.tier.value, "type": case.type.value}
    first = Event(
        id=f"{case.ticket}/1",
        ticket_id=case.ticket,
        kind=Kind.CREATED,
        at=case.created_at,
        actor=case.requester,
        sla_effect=SlaEffect.START,
        data=created,
    )
    return [first, *_events(case.ticket, [step for step in steps if step.at <= as_of])]


def _dismissed(rng: Random, case: Case) -> list[Step]:
    """Noise is closed without an answer, or with a short one."""
    seen = WorkHours(case.timezone, case.priority).after(case.created_at, rng.lognormvariate(4.2, 0.8))
    answer = [Step(seen, Kind.RESPONSE, None, case.agent)] if rng.random() < 0.4 else []
    return [
        *answer,
        Step(seen + timedelta(seconds=40), Kind.STATUS, Status.CLOSED, case.agent, "not a support request"),
    ]


def _course(rng: Random, case: Case, *, held: bool, as_of: datetime) -> list[Step]:
    hours = WorkHours(case.timezone, case.priority)
    pace = TIER_PACE[case.tier]

    def after(at: datetime, median: float) -> datetime:
        return max(
            hours.after(at, median * pace * rng.lognormvariate(0, SPREAD)),
            at + timedelta(seconds=rng.randrange(20, 300)),
        )

    steps, at = _taking(rng, case, after)
    steps += (waits := _waits(rng, case, after, at))
    at = waits[-1].at if waits else at
    if held:
        return [*steps, *_parked(rng, case, max(step.at for step in steps), as_of)]
    resolved = after(at, RESOLUTION_MINUTES[case.priority])
    return steps + _ending(rng, case, resolved, after)


def _taking(rng: Random, case: Case, after: After) -> tuple[list[Step], datetime]:
    """From the queue into somebody's hands, with the first answer."""
    response = after(case.created_at, RESPONSE_MINUTES[case.priority])
    seen = case.created_at + (response - case.created_at) * rng.uniform(0.2, 0.7)
    seen = seen.replace(microsecond=0)
    steps = [Step(seen, Kind.STATUS, Status.TRIAGE, "dispatch")] if rng.random() < 0.75 else []
    bounced = case.other_group is not None and rng.random() < 0.07
    steps.append(Step(seen, Kind.GROUP, case.other_group if bounced else case.group, "dispatch"))
    if case.rightful_priority != case.priority and rng.random() < 0.45:
        steps.append(Step(seen, Kind.PRIORITY, case.rightful_priority, "dispatch", "impact checked"))
    if rng.random() < 0.015 and case.type is TicketType.INCIDENT:
        steps.append(Step(seen, Kind.TYPE, TicketType.PROBLEM, "dispatch", "seen before"))
    if bounced:
        steps.append(Step(response, Kind.GROUP, case.group, "dispatch", "wrong desk"))
    taken = response + timedelta(seconds=rng.randrange(0, 900)) if rng.random() < 0.5 else response
    steps += [Step(response, Kind.ASSIGNEE, case.agent, "dispatch"), Step(response, Kind.RESPONSE, None, case.agent)]
    steps.append(Step(taken, Kind.STATUS, Status.IN_PROGRESS, case.agent))
    return steps, taken


def _waits(rng: Random, case: Case, after: After, at: datetime) -> list[Step]:
    steps: list[Step] = []
    for status, share, median, reasons in WAITS:
        while rng.random() < share and len(steps) < 8:
            begun = after(at, RESOLUTION_MINUTES[case.priority] * 0.15)
            at = after(begun, median)
            back = case.requester if status is Status.WAITING_CUSTOMER else case.agent
            steps.append(Step(begun, Kind.STATUS, status, case.agent, rng.choice(reasons)))
            steps.append(Step(at, Kind.STATUS, Status.IN_PROGRESS, back))
    return steps


def _parked(rng: Random, case: Case, at: datetime, as_of: datetime) -> list[Step]:
    """Where an unsolved ticket stands: in somebody's hands, or waiting for an answer that has not come."""
    begun = at + min(timedelta(hours=3), max(as_of - at, timedelta()) / 2) * rng.random()
    draw = rng.random()
    for status, share in (
        (Status.WAITING_CUSTOMER, 0.34),
        (Status.WAITING_INTERNAL, 0.12),
        (Status.WAITING_VENDOR, 0.1),
    ):
        if draw < share:
            return [Step(begun.replace(microsecond=0), Kind.STATUS, status, case.agent, rng.choice(_REASONS[status]))]
        draw -= share
    return []


def _ending(rng: Random, case: Case, resolved: datetime, after: After) -> list[Step]:
    """Resolved, perhaps reopened and resolved again, closed by the customer or after five days of silence."""
    steps = [Step(resolved, Kind.STATUS, Status.RESOLVED, case.agent)]
    if rng.random() < 0.065:
        back = resolved + timedelta(minutes=rng.lognormvariate(7.2, 0.9))
        if rng.random() < 0.3:
            steps.append(Step(_second(resolved + (back - resolved) / 2), Kind.STATUS, Status.CLOSED, case.requester))
        steps.append(Step(_second(back), Kind.STATUS, Status.IN_PROGRESS, case.requester, "not solved"))
        resolved = after(back, RESOLUTION_MINUTES[case.priority])
        steps.append(Step(resolved, Kind.STATUS, Status.RESOLVED, case.agent))
    if rng.random() < 0.25:
        confirmed = resolved + timedelta(minutes=rng.lognormvariate(5.5, 1.0))
        return [*steps, Step(_second(confirmed), Kind.STATUS, Status.CLOSED, case.requester, "confirmed")]
    return [*steps, Step(_second(resolved + timedelta(days=5)), Kind.STATUS, Status.CLOSED, "system", "no answer")]


_REASONS = {status: reasons for status, _, _, reasons in WAITS}


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)


def _events(ticket: str, steps: Sequence[Step]) -> list[Event]:
    """Steps in the order of time, numbered, with what each does to the resolution clock."""
    events: list[Event] = []
    status = Status.NEW
    for number, step in enumerate(sorted(steps, key=lambda step: step.at), start=2):
        effect = SlaEffect.REBASE if step.kind in (Kind.PRIORITY, Kind.TYPE) else SlaEffect.NONE
        if step.kind is Kind.STATUS:
            effect, status = sla_effect(status, Status(step.value or "new")), Status(step.value or "new")
        events.append(
            Event(
                id=f"{ticket}/{number}",
                ticket_id=ticket,
                kind=step.kind,
                at=step.at,
                value=step.value,
                actor=step.actor,
                reason=step.reason,
                sla_effect=effect,
            )
        )
    return events
