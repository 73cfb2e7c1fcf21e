"""Which ticket should be worked on next: a score that rises with the promise at risk, the customer and the wait."""

import math
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import polars as pl
from pydantic import Field, model_validator

from engine.contracts import Frozen, Instant, Priority, Status, Ticket, Tier
from engine.flags import FlagType
from engine.shared import policy_file

AGENT_QUEUE = 50
TEAM_QUEUE = 100


class PriorityScore(Frozen):
    """Base times multipliers, with every multiplier kept so that the score explains itself. `id` is the ticket's."""

    id: str
    ticket_id: str
    base: float
    multipliers: dict[str, float]
    score: float
    preset: str
    calculated_at: Instant

    @property
    def in_words(self) -> str:
        """Base, each factor that is not 1, and what they make."""
        factors = "".join(f" × {factor:g} {WORDS[name]}" for name, factor in self.multipliers.items() if factor != 1)
        return f"{self.base:g}{factors} = {self.score:g}"


WORDS = {
    "sla": "SLA", "vip": "VIP", "escalation": "envelope", "staleness": "untouched", "flags": "flag",
    "customer_waiting": "customer waits", "reopened": "reopened",
}  # fmt: skip
"""What each factor is called beside a score."""


class Section(StrEnum):
    NEEDS_ATTENTION = "needs_attention"
    WAITING_ON_OTHERS = "waiting_on_others"
    ON_TRACK = "on_track"


class TimeLeft(NamedTuple):
    """Of a ticket's promises: business seconds until the next is due, and the least share of its target that a clock
    has which is not paused; None where nothing is promised, or no clock runs."""

    seconds: float | None = None
    share: float | None = None


class Left(Frozen):
    """A factor while less than `below_hours` are left of the promise that falls due next, or less than `below_share` of
    the target of a clock that runs: a paused one presses nobody."""

    below_hours: float | None = None
    below_share: float | None = None
    factor: float = Field(ge=0)

    @model_validator(mode="after")
    def _one_unit(self) -> "Left":
        if (self.below_hours is None) == (self.below_share is None):
            raise ValueError("give below_hours or below_share, one of them")
        return self

    @property
    def limit(self) -> float:
        """In seconds, or as a share."""
        return self.below_share if self.below_share is not None else (self.below_hours or 0.0) * 3_600.0

    def holds(self, seconds: float | None, share: float | None) -> bool:
        left = seconds if self.below_share is None else share
        return left is not None and left < self.limit


class Gone(Frozen):
    """A factor once more than that has passed: hours to the second, or days counted whole (over 3 is the fourth)."""

    over_hours: float | None = None
    over_days: int | None = None
    factor: float = Field(ge=0)

    @model_validator(mode="after")
    def _one_unit(self) -> "Gone":
        if (self.over_hours is None) == (self.over_days is None):
            raise ValueError("give over_hours or over_days, one of them")
        return self

    @property
    def at_least(self) -> int:
        """The microseconds from which it holds: whole days over 3 start at four days, hours just above the limit."""
        if self.over_days is not None:
            return (self.over_days + 1) * 86_400_000_000
        return math.floor((self.over_hours or 0.0) * 3_600_000_000) + 1


class Escalation(Frozen):
    """The factor while an envelope is active or, with `pending_over_hours`, once one has been pending that long."""

    factor: float = Field(default=1.0, ge=0)
    pending_over_hours: float | None = None


class Preset(Frozen):
    """Every number of the score. Missing tables count as 1."""

    name: str = ""
    source: str
    base: dict[Priority, float]
    sla: tuple[Left, ...] = ()
    vip: float = 1.0
    tiers: dict[Tier, float] = Field(default_factory=dict)
    escalation: Escalation = Escalation()
    staleness: tuple[Gone, ...] = ()
    extra_factors: bool = False
    flags: dict[FlagType, float] = Field(default_factory=dict)
    customer_waiting: tuple[Gone, ...] = ()
    reopened: float = 1.0
    ranges: dict[str, tuple[float, float]] = Field(default_factory=dict)
    attention_score: float = 80.0
    attention_sla_over: float = 1.0
    attention_statuses: frozenset[Status] = frozenset()
    waiting_statuses: frozenset[Status] = frozenset({Status.WAITING_INTERNAL})

    @model_validator(mode="after")
    def _complete_and_ordered(self) -> "Preset":
        if missing := sorted(set(Priority) - set(self.base)):
            raise ValueError(f"base has no value for {', '.join(missing)}")
        if len({step.below_share is None for step in self.sla}) > 1:
            raise ValueError("sla steps are all in below_hours or all in below_share")
        if [step.limit for step in self.sla] != sorted(step.limit for step in self.sla):
            raise ValueError("sla steps must go from little left to much: the first that holds counts")
        for name in ("staleness", "customer_waiting"):
            limits = [step.at_least for step in getattr(self, name)]
            if limits != sorted(limits, reverse=True):
                raise ValueError(f"{name} steps must go from long to short: the first that holds counts")
        return self


class PriorityPolicy(Frozen):
    presets: dict[str, Preset]

    def preset(self, name: str = "canonical") -> Preset:
        return policy_file.named(self.presets, name, what="priority preset").model_copy(update={"name": name})


def load(path: str | Path) -> PriorityPolicy:
    return policy_file.read(path, PriorityPolicy)


def score(
    ticket: Ticket,
    *,
    at: datetime,
    preset: Preset,
    sla_seconds_left: float | None = None,
    sla_share_left: float | None = None,
    flags: Collection[FlagType] = (),
    has_active_envelope: bool = False,
    longest_pending_envelope: timedelta | None = None,
    is_reopened: bool = False,
) -> PriorityScore:
    """Base times every factor, rounded half up to two decimals (seed S1-27). Without a deadline the SLA counts 1."""
    pending = longest_pending_envelope.total_seconds() if longest_pending_envelope is not None else None
    factors = {
        "sla": next((step.factor for step in preset.sla if step.holds(sla_seconds_left, sla_share_left)), 1.0),
        "vip": max(preset.vip if ticket.vip or FlagType.VIP in flags else 1.0, preset.tiers.get(ticket.tier, 1.0)),
        "escalation": _escalation(preset.escalation, has_active_envelope=has_active_envelope, pending=pending),
        "staleness": _gone(preset.staleness, at - ticket.updated_at),
    }
    if preset.extra_factors:
        waiting = ticket.status == Status.IN_PROGRESS and ticket.first_response_at is None
        factors["flags"] = max([preset.flags.get(flag, 1.0) for flag in flags], default=1.0)
        factors["customer_waiting"] = _gone(preset.customer_waiting, at - ticket.created_at) if waiting else 1.0
        factors["reopened"] = preset.reopened if is_reopened else 1.0
    clamped = {name: _clamp(factor, preset.ranges.get(name)) for name, factor in factors.items()}
    base = preset.base[ticket.priority]
    return PriorityScore(
        id=ticket.id,
        ticket_id=ticket.id,
        base=base,
        multipliers=clamped,
        score=_rounded(math.prod(clamped.values(), start=base)),
        preset=preset.name,
        calculated_at=at,
    )


def section(ticket: Ticket, scored: PriorityScore, *, preset: Preset) -> Section:
    """Where the queue shows it: what burns first, then what waits on others (seed S1-34)."""
    burns = scored.score >= preset.attention_score or scored.multipliers.get("sla", 1.0) > preset.attention_sla_over
    if burns or ticket.status in preset.attention_statuses:
        return Section.NEEDS_ATTENTION
    return Section.WAITING_ON_OTHERS if ticket.status in preset.waiting_statuses else Section.ON_TRACK


class QueueItem(Frozen):
    """A ticket in the work queue, with its score and section."""

    ticket: Ticket
    score: PriorityScore
    section: Section


def work_queue(
    scored: Iterable[tuple[Ticket, PriorityScore]], *, preset: Preset, limit: int = AGENT_QUEUE
) -> list[QueueItem]:
    """Open tickets by score, highest first; equal ones oldest first."""
    items = [
        QueueItem(ticket=ticket, score=points, section=section(ticket, points, preset=preset))
        for ticket, points in scored
        if ticket.is_open
    ]
    items.sort(key=lambda item: (-item.score.score, item.ticket.created_at, item.ticket.id))
    return items[:limit]


SCORE_COLUMNS = pl.Schema(
    {
        "priority": pl.String(),
        "tier": pl.String(),
        "vip": pl.Boolean(),
        "status": pl.String(),
        "created_at": pl.Datetime("us", "UTC"),
        "updated_at": pl.Datetime("us", "UTC"),
        "first_response_at": pl.Datetime("us", "UTC"),
        "sla_seconds_left": pl.Float64(),  # null without a deadline
        "sla_share_left": pl.Float64(),  # null without a clock that runs
        "flags": pl.List(pl.String()),  # active ones; null reads as none
        "has_active_envelope": pl.Boolean(),
        "pending_envelope_seconds": pl.Float64(),  # of the longest pending one; null without
        "is_reopened": pl.Boolean(),
    }
)
"""What `score_expr` and `section_expr` read."""


def score_expr(*, at: datetime, preset: Preset) -> pl.Expr:
    """`score` for a whole queue as one expression over SCORE_COLUMNS; a property test holds the two equal."""
    product = base_expr(preset)
    for factor in factor_exprs(at=at, preset=preset).values():
        product = product * factor
    cents = (product * 100 + 0.5).floor()
    return (cents / 100).round(2).alias("score")  # Polars divides a column by multiplying with 1/100


def base_expr(preset: Preset) -> pl.Expr:
    base = pl.lit(None, pl.Float64)
    for priority, points in preset.base.items():
        base = pl.when(pl.col("priority") == priority.value).then(points).otherwise(base)
    return base.fill_null(preset.base[Priority.MEDIUM])


def in_words_expr(*, at: datetime, preset: Preset) -> pl.Expr:
    """`PriorityScore.in_words` for a whole queue."""
    parts = [
        pl.when(factor != 1).then(pl.format(" × {} " + WORDS[name], _shown(factor))).otherwise(pl.lit(""))
        for name, factor in factor_exprs(at=at, preset=preset).items()
    ]
    points = score_expr(at=at, preset=preset)
    return pl.concat_str([_shown(base_expr(preset)), *parts, pl.lit(" = "), _shown(points)]).alias("score_parts")


def section_expr(*, at: datetime, preset: Preset) -> pl.Expr:
    burns = score_expr(at=at, preset=preset) >= preset.attention_score
    at_risk = factor_exprs(at=at, preset=preset)["sla"] > preset.attention_sla_over
    return (
        pl.when(burns | at_risk | _has_status(preset.attention_statuses))
        .then(pl.lit(Section.NEEDS_ATTENTION.value))
        .when(_has_status(preset.waiting_statuses))
        .then(pl.lit(Section.WAITING_ON_OTHERS.value))
        .otherwise(pl.lit(Section.ON_TRACK.value))
        .alias("section")
    )


def factor_exprs(*, at: datetime, preset: Preset) -> dict[str, pl.Expr]:
    """Every factor by name, in the order they are multiplied."""
    flags = pl.col("flags").fill_null([])
    is_vip = pl.col("vip").fill_null(value=False) | flags.list.contains(FlagType.VIP.value)
    factors = {
        "sla": _first((_left(step) < step.limit, step.factor) for step in preset.sla),
        "vip": pl.max_horizontal(_first([(is_vip, preset.vip)]), _by_tier(preset)),
        "escalation": _first([(_helped(preset.escalation), preset.escalation.factor)]),
        "staleness": _gone_expr(preset.staleness, pl.col("updated_at"), at),
    }
    if preset.extra_factors:
        waiting = (pl.col("status") == Status.IN_PROGRESS.value) & pl.col("first_response_at").is_null()
        waited = _gone_expr(preset.customer_waiting, pl.col("created_at"), at)
        factors["flags"] = _highest_flag(preset, flags)
        factors["customer_waiting"] = pl.when(waiting).then(waited).otherwise(1.0)
        factors["reopened"] = _first([(pl.col("is_reopened").fill_null(value=False), preset.reopened)])
    return {name: _clamp_expr(factor, preset.ranges.get(name)) for name, factor in factors.items()}


def _left(step: Left) -> pl.Expr:
    return pl.col("sla_seconds_left" if step.below_share is None else "sla_share_left")


def _shown(number: pl.Expr) -> pl.Expr:
    """As `:g` shows numbers of up to six digits."""
    return number.round(2).cast(pl.String).str.replace(r"\.0$", "")


def _rounded(points: float) -> float:
    return math.floor(points * 100 + 0.5) / 100


def _gone(steps: Sequence[Gone], passed: timedelta) -> float:
    microseconds = passed // timedelta(microseconds=1)
    return next((step.factor for step in steps if microseconds >= step.at_least), 1.0)


def _escalation(rule: Escalation, *, has_active_envelope: bool, pending: float | None) -> float:
    if rule.pending_over_hours is None:
        return rule.factor if has_active_envelope else 1.0
    return rule.factor if pending is not None and pending > rule.pending_over_hours * 3_600.0 else 1.0


def _clamp(factor: float, limits: tuple[float, float] | None) -> float:
    return factor if limits is None else min(max(factor, limits[0]), limits[1])


def _first(steps: Iterable[tuple[pl.Expr, float]]) -> pl.Expr:
    """The factor of the first condition that holds, else 1; null holds nothing."""
    return pl.coalesce(*[pl.when(condition).then(factor) for condition, factor in steps], pl.lit(1.0))


def _by_tier(preset: Preset) -> pl.Expr:
    return _first((pl.col("tier") == tier.value, factor) for tier, factor in preset.tiers.items())


def _helped(rule: Escalation) -> pl.Expr:
    if rule.pending_over_hours is None:
        return pl.col("has_active_envelope").fill_null(value=False)
    return pl.col("pending_envelope_seconds") > rule.pending_over_hours * 3_600.0


def _highest_flag(preset: Preset, flags: pl.Expr) -> pl.Expr:
    """Below 1 is possible, so absent flags count 1 only when there are none at all."""
    known = [pl.when(flags.list.contains(flag.value)).then(factor) for flag, factor in preset.flags.items()]
    others = flags.list.set_difference([flag.value for flag in preset.flags]).list.len() > 0
    return pl.max_horizontal(*known, pl.when(others).then(1.0)).fill_null(1.0)


def _gone_expr(steps: Sequence[Gone], since: pl.Expr, at: datetime) -> pl.Expr:
    passed = (pl.lit(at, pl.Datetime("us", "UTC")) - since).dt.total_microseconds()
    return _first((passed >= step.at_least, step.factor) for step in steps)


def _clamp_expr(factor: pl.Expr, limits: tuple[float, float] | None) -> pl.Expr:
    return factor if limits is None else factor.clip(*limits)


def _has_status(statuses: frozenset[Status]) -> pl.Expr:
    return pl.col("status").is_in(sorted(status.value for status in statuses))
