"""What was promised to whom: ordered policies, the terms each clock runs on, and the target of one ticket."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import floor
from typing import Literal, NamedTuple

from pydantic import Field

from engine.contracts import Frozen, Instant
from engine.shared.errors import BadInput
from sla.calendar.calendars import Boundary, Calendar
from sla.contracts import Clock

ROUND_THE_CLOCK = "24x7"
"""The calendar of wall-clock units; it need not be among the calendars."""

Rounding = Literal["exact", "floor_minute"]


class Unit(StrEnum):
    """Of a target. `seconds` and the business units count on the named calendar, the others round the clock."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"
    BUSINESS_MINUTES = "business_minutes"
    BUSINESS_HOURS = "business_hours"
    BUSINESS_DAYS = "business_days"


WALL_UNITS = frozenset({Unit.MINUTES, Unit.HOURS, Unit.DAYS})
LENGTH = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400}
"""Seconds of a unit; the business units are as long as their namesakes."""


class Terms(Frozen):
    """How a clock runs.

    Start, stop, reopen and priority_change are settled by the policy that matched the ticket as created; pauses,
    risk and boundary go with the policy in force. A reason in `pause_reasons` is the value of a pause event.
    """

    start_event: Literal["created", "accepted"] = "created"
    stop_states: frozenset[str] = frozenset({"resolved", "closed"})
    reopen: Literal["new_window", "continue"] = "new_window"
    priority_change: Literal["rebase", "keep"] = "rebase"
    pause_states: frozenset[str] = frozenset()
    approved_pauses: bool = False
    pause_reasons: frozenset[str] | None = None
    at_risk_fraction: Decimal = Field(default=Decimal("0.15"), ge=0, le=1)
    at_deadline: Literal["at_risk", "breached"] = "at_risk"
    boundary: Boundary = "close"

    def pauses(self, status: str, hold: str | None) -> bool:
        """Whether the clock stands still in this status, under an approved pause for the reason `hold`."""
        return status in self.pause_states or (hold is not None and self._grants(hold))

    def at_risk_from(self, target: int) -> int:
        """The seconds left of a target from which on it is at risk."""
        return floor(Fraction(self.at_risk_fraction) * target)

    def _grants(self, reason: str) -> bool:
        return self.approved_pauses and (self.pause_reasons is None or reason in self.pause_reasons)


WAITING = frozenset({"waiting_customer", "pending_customer", "on_hold"})
DEFAULT_TERMS: Mapping[Clock, Terms] = {
    Clock.FIRST_RESPONSE: Terms(),
    Clock.RESOLUTION: Terms(pause_states=WAITING, approved_pauses=True),
    Clock.NEXT_RESPONSE: Terms(pause_states=WAITING, approved_pauses=True),
    Clock.NEXT_REPLY: Terms(),
}


class Amount(Frozen):
    """A length of time as somebody wrote it, and the calendar it counts on where it names its own."""

    value: Fraction
    unit: Unit = Unit.SECONDS
    calendar: str | None = None

    def seconds(self, calendar: Calendar) -> Fraction:
        """A business day is the length of the calendar's usual working day."""
        if self.unit == Unit.BUSINESS_DAYS:
            return self.value * calendar.working_day
        return self.value * LENGTH[self.unit.removeprefix("business_")]


class Target(Frozen):
    """What one policy promises on one clock: a base × the tier's multiplier, unless the tier has its own cell."""

    base: Amount | None = None
    cells: Mapping[str, Amount | None] = Field(default_factory=dict)
    multipliers: Mapping[str, Fraction] = Field(default_factory=dict)
    rounding: Rounding = "exact"
    calendar: str | None = None
    terms: Terms

    def amount(self, tier: str) -> Amount | None:
        """The explicit cell of the tier, else the base × its multiplier (1 for a tier without one)."""
        if tier in self.cells:
            return self.cells[tier]
        factor = self.multipliers.get(tier)
        if self.base is None or factor is None:
            return self.base
        return Amount(value=self.base.value * factor, unit=self.base.unit, calendar=self.base.calendar)

    def calendar_of(self, amount: Amount) -> str:
        return ROUND_THE_CLOCK if amount.unit in WALL_UNITS else amount.calendar or self.calendar or ROUND_THE_CLOCK


class Dims(NamedTuple):
    """What policies choose by."""

    priority: str = "medium"
    tier: str = "standard"
    type: str = "incident"
    team: str | None = None
    channel: str | None = None


class Policy(Frozen):
    """One row of the ordered list. A dimension missing from `match` fits every ticket."""

    name: str
    match: Mapping[str, frozenset[str]] = Field(default_factory=dict)
    targets: Mapping[Clock, Target]

    def fits(self, dims: Dims) -> bool:
        return all(getattr(dims, key) in values for key, values in self.match.items())


class Version(Frozen):
    """The list that holds from `valid_from` on; None for always."""

    valid_from: Instant | None = None
    terms: Mapping[Clock, Terms]
    policies: tuple[Policy, ...]

    def first_match(self, dims: Dims) -> Policy | None:
        return next((policy for policy in self.policies if policy.fits(dims)), None)


class Promise(NamedTuple):
    """What holds for one clock of one ticket: `target` and `at_risk_seconds` in business seconds of `calendar`. An end
    agreed for this ticket alone is kept or missed as an instant, and nothing pauses it."""

    policy: str | None
    target: int | None
    calendar: str | None
    terms: Terms
    at_risk_seconds: int = 0
    agreed_due_at: datetime | None = None

    def until(self, agreed: datetime, seconds: int) -> "Promise":
        """The same, but for this end, which lies so many business seconds after the start."""
        calendar, at_risk = self.calendar or ROUND_THE_CLOCK, self.terms.at_risk_from(seconds)
        return self._replace(target=seconds, calendar=calendar, at_risk_seconds=at_risk, agreed_due_at=agreed)


class Policies(Frozen):
    """A policy file: its versions, oldest first. What is in force when a window starts, holds for that window."""

    name: str
    source: str = ""
    versions: tuple[Version, ...]

    @property
    def clocks(self) -> tuple[Clock, ...]:
        """First response and resolution; of the update cadence and the next reply what some policy promises."""
        promised = {clock for version in self.versions for p in version.policies for clock in p.targets}
        return tuple(clock for clock in Clock if clock in {Clock.FIRST_RESPONSE, Clock.RESOLUTION} | promised)

    def version_at(self, at: datetime) -> int:
        """Index of the version in force; -1 before the first: nothing was promised yet."""
        return sum(v.valid_from is None or v.valid_from <= at for v in self.versions) - 1

    def terms(self, clock: Clock, dims: Dims, version: int) -> Terms:
        """The terms that start, stop and reopen the clock of a ticket created like this."""
        return self.terms_under(clock, version, self.match(dims, version))

    def terms_under(self, clock: Clock, version: int, policy: Policy | None) -> Terms:
        if version < 0:
            return DEFAULT_TERMS[clock]
        return (
            policy.targets[clock].terms if policy and clock in policy.targets else self.versions[version].terms[clock]
        )

    def match(self, dims: Dims, version: int) -> Policy | None:
        """The first policy that fits; none where nothing was promised."""
        return self.versions[version].first_match(dims) if version >= 0 else None

    def promise(self, clock: Clock, dims: Dims, version: int, calendars: Mapping[str, Calendar]) -> Promise:
        """First match wins. Raises BadInput for a calendar that isn't there."""
        return self.promise_under(clock, version, self.match(dims, version), dims.tier, calendars)

    def promise_under(
        self, clock: Clock, version: int, policy: Policy | None, tier: str, calendars: Mapping[str, Calendar]
    ) -> Promise:
        """What a policy promises to a tier."""
        target = policy.targets.get(clock) if policy else None
        amount = target.amount(tier) if target else None
        if policy is None or target is None or amount is None:
            terms = self.terms_under(clock, version, policy)
            return Promise(policy.name if policy else None, None, None, terms)
        name = target.calendar_of(amount)
        exact = amount.seconds(calendar_named(name, calendars, policy.name))
        seconds = floor(exact / 60) * 60 if target.rounding == "floor_minute" else floor(exact)
        return Promise(policy.name, seconds, name, target.terms, target.terms.at_risk_from(seconds))

    def dims_named(self) -> dict[str, set[str]]:
        """Per dimension the values that some policy, cell or multiplier tells apart."""
        named: dict[str, set[str]] = {field: set() for field in Dims._fields}
        for policy in (p for v in self.versions for p in v.policies):
            for key, values in policy.match.items():
                named[key] |= values
            for target in policy.targets.values():
                named["tier"] |= {*target.cells, *target.multipliers}
        return named

    def check(self, calendars: Mapping[str, Calendar]) -> None:
        """Raises BadInput unless every calendar that a policy names is there."""
        for policy in (p for v in self.versions for p in v.policies):
            for target in policy.targets.values():
                for amount in (target.base, *target.cells.values()):
                    if amount is not None:
                        calendar_named(target.calendar_of(amount), calendars, policy.name)


def calendar_named(name: str, calendars: Mapping[str, Calendar], policy: str) -> Calendar:
    """The calendar a policy names. Raises BadInput."""
    if name in calendars:
        return calendars[name]
    known: Sequence[str] = sorted(calendars)
    raise BadInput(f"policy {policy!r} names the calendar {name!r}; there are {', '.join(known) or 'none'}")


def with_round_the_clock(calendars: Mapping[str, Calendar]) -> dict[str, Calendar]:
    """The calendars and `24x7`. Raises BadInput where that name means something else."""
    given = calendars.get(ROUND_THE_CLOCK)
    if given is not None and not given.always:
        raise BadInput(f"calendars.{ROUND_THE_CLOCK}: must be always: true, wall-clock targets are counted on it")
    return {**calendars, ROUND_THE_CLOCK: given or Calendar(ROUND_THE_CLOCK, always=True)}
