"""How consistent grants are: how many are upheld, what they cost, whether two reviewers agree, which limits fit."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Literal, TypeVar

from engine.contracts import Frozen
from engine.grant_review import (
    GrantReviewItem,
    GrantReviewPolicy,
    LimitAdvice,
    Reason,
    ReviewOutcome,
    ReviewStatus,
    SecondOpinion,
)
from engine.resolutions import EmpowermentTier, Resolution
from engine.shared.wilson import wilson

K = TypeVar("K")
V = TypeVar("V")
Reviewed = tuple[GrantReviewItem, Resolution]


class Upheld(Frozen):
    """How many of the reviewed grants were upheld; `low` and `high` bound the percentage at 95 % (Wilson)."""

    by: Literal["agent", "team", "reason", "amount", "listed"]
    name: str
    reviewed: int
    upheld: int
    percent: float
    low: float
    high: float


class Compensation(Frozen):
    """What was granted in one currency: by agent, team, what went wrong, or ISO week of the grant."""

    by: Literal["agent", "team", "reason", "week"]
    name: str
    currency: str
    amount: Decimal
    grants: int


class Week(Frozen):
    """One ISO week of reviews, such as 2026-W05."""

    week: str
    reviewed: int
    upheld_percent: float


class Agreement(Frozen):
    """Of grants that two people reviewed: how often they found the same, and Cohen's kappa where there are enough."""

    by_two: int
    agreed: int
    kappa: float | None
    in_words: str


class Limit(StrEnum):
    RAISE = "raise"
    KEEP = "keep"
    LOWER = "lower"
    TOO_FEW = "too_few"


class Advice(Frozen):
    """What the fair sample says of a team's limit at a tier; the interval is None if nothing was reviewed."""

    team: str
    tier: EmpowermentTier
    reviewed: int
    upheld: int
    low: float | None
    high: float | None
    limit: Limit


class GrantReviewReport(Frozen):
    """How consistent the desk is. Percentages are None as long as nothing was reviewed."""

    resolutions: int
    items: int
    reviewed: int
    upheld_percent: float | None
    upheld: tuple[Upheld, ...]
    agreement: Agreement
    compensation: tuple[Compensation, ...]
    trend: tuple[Week, ...]
    advice: tuple[Advice, ...]


def report(
    items: Iterable[GrantReviewItem],
    resolutions: Iterable[Resolution],
    *,
    opinions: Iterable[SecondOpinion] = (),
    policy: GrantReviewPolicy,
) -> GrantReviewReport:
    """Shares upheld, what was granted, agreement, advice, and the trend by week of review (seed S1-42)."""
    items, grants = list(items), {grant.id: grant for grant in resolutions}
    done = [item for item in items if item.review_status == ReviewStatus.REVIEWED]
    pairs = [(item, grants[item.resolution_id]) for item in done]
    upheld = sum(map(_is_upheld, done))
    by_week = _grouped(done, lambda item: _iso_week(item.reviewed_at or item.created_at))
    return GrantReviewReport(
        resolutions=len(grants),
        items=len(items),
        reviewed=len(done),
        upheld_percent=_percent(upheld, len(done)) if done else None,
        upheld=tuple(_shares(pairs, policy)),
        agreement=agreement(done, opinions, policy=policy),
        compensation=tuple(_compensation([grant for grant in grants.values() if grant.is_granted and grant.amount])),
        trend=tuple(
            Week(week=week, reviewed=len(of_week), upheld_percent=_percent(sum(map(_is_upheld, of_week)), len(of_week)))
            for week, of_week in sorted(by_week.items())
        ),
        advice=tuple(_advice(pairs, grants.values(), policy.limits)),
    )


def agreement(
    items: Iterable[GrantReviewItem], opinions: Iterable[SecondOpinion], *, policy: GrantReviewPolicy
) -> Agreement:
    """Whether first and second reviewers find the same; kappa is not known of few, nor if all found one thing."""
    first = {item.id: item.outcome for item in items if item.outcome}
    both = [(first[one.item_id], one.outcome) for one in opinions if one.item_id in first]
    known = kappa(both) if len(both) >= policy.kappa_from else None
    if known is not None:
        words = f"kappa {known:.2f}, of {len(both)} reviewed by two"
    elif len(both) < policy.kappa_from:
        words = f"not known: {len(both)} reviewed by two, {policy.kappa_from} are needed"
    else:
        words = f"not known: both found the same one thing in all {len(both)}"
    return Agreement(by_two=len(both), agreed=sum(a == b for a, b in both), kappa=known, in_words=words)


def kappa(both: Sequence[tuple[str, str]]) -> float | None:
    """Agreement of two beyond chance, (po - pe) / (1 - pe) (J. Cohen 1960, Educ. Psychol. Meas. 20, 37-46); None where
    chance alone agrees always."""
    many = len(both)
    firsts, seconds = Counter(first for first, _ in both), Counter(second for _, second in both)
    by_chance = sum(firsts[outcome] * seconds[outcome] for outcome in firsts)
    if by_chance == many * many:
        return None
    observed = sum(first == second for first, second in both)
    return (many * observed - by_chance) / (many * many - by_chance)


def advise(upheld: int, reviewed: int, *, rule: LimitAdvice) -> Limit:
    """What so many upheld of so many reviewed say of a limit."""
    if reviewed < rule.reviews_from:
        return Limit.TOO_FEW
    low, high = wilson(float(upheld), float(reviewed))
    if low >= rule.raise_from:
        return Limit.RAISE
    return Limit.LOWER if high < rule.lower_below else Limit.KEEP


def band(grant: Resolution, policy: GrantReviewPolicy) -> str:
    """The band of a grant's amount in its currency, such as `50 to 200 EUR`."""
    if not grant.amount:
        return "no amount"
    bounds = [Decimal(0), *sorted(policy.amount_bands)]
    for low, high in pairwise(bounds):
        if grant.amount <= high:
            return f"{low:f} to {high:f} {grant.currency}"
    return f"over {bounds[-1]:f} {grant.currency}"


def _advice(pairs: Sequence[Reviewed], grants: Iterable[Resolution], rule: LimitAdvice) -> Iterable[Advice]:
    """Of each team and tier with a limit that anything was granted under. What is reviewed for a reason is no fair
    sample, so it does not count."""
    limited = (EmpowermentTier.AGENT, EmpowermentTier.TEAM_LEAD)
    known = {(grant.team_id, grant.tier) for grant in grants if grant.team_id and grant.tier in limited}
    fair = _grouped((p for p in pairs if p[0].reason == Reason.RANDOM_SAMPLE), lambda p: (p[1].team_id, p[1].tier))
    for team, tier in sorted(known, key=lambda one: (str(one[0]), limited.index(one[1]))):
        of_it = fair.get((team, tier), [])
        upheld = sum(_is_upheld(item) for item, _ in of_it)
        low, high = _bounds(upheld, len(of_it)) if of_it else (None, None)
        limit = advise(upheld, len(of_it), rule=rule)
        yield Advice(team=team or "", tier=tier, reviewed=len(of_it), upheld=upheld, low=low, high=high, limit=limit)


def _shares(pairs: Sequence[Reviewed], policy: GrantReviewPolicy) -> Iterable[Upheld]:
    views: Mapping[Literal["agent", "team", "reason", "amount", "listed"], Callable[[Reviewed], str]] = {
        "agent": lambda pair: pair[1].agent_id,
        "team": lambda pair: pair[1].team_id or "none",
        "reason": lambda pair: pair[1].what_went_wrong,
        "amount": lambda pair: band(pair[1], policy),
        "listed": lambda pair: pair[0].reason,
    }
    for by, name in views.items():
        for called, members in sorted(_grouped(pairs, name).items()):
            many, upheld = len(members), sum(_is_upheld(item) for item, _ in members)
            low, high = _bounds(upheld, many)
            yield Upheld(by=by, name=called, reviewed=many, upheld=upheld, percent=_percent(upheld, many), low=low,
                         high=high)  # fmt: skip


def _compensation(granted: Sequence[Resolution]) -> Iterable[Compensation]:
    views: Mapping[Literal["agent", "team", "reason", "week"], Callable[[Resolution], str]] = {
        "agent": lambda grant: grant.agent_id,
        "team": lambda grant: grant.team_id or "none",
        "reason": lambda grant: grant.what_went_wrong,
        "week": lambda grant: _iso_week(grant.created_at),
    }
    for by, name in views.items():
        groups = _grouped(granted, lambda grant, name=name: (name(grant), grant.currency))  # type: ignore[misc]
        for (called, currency), members in sorted(groups.items()):
            amount = sum((grant.amount or Decimal(0) for grant in members), Decimal(0))
            yield Compensation(by=by, name=called, currency=currency, amount=amount, grants=len(members))


def _grouped(values: Iterable[V], key: Callable[[V], K]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = defaultdict(list)
    for value in values:
        groups[key(value)].append(value)
    return groups


def _is_upheld(item: GrantReviewItem) -> bool:
    return item.outcome == ReviewOutcome.UPHELD


def _percent(part: int, many: int) -> float:
    return round(100 * part / many, 1)


def _bounds(part: int, many: int) -> tuple[float, float]:
    low, high = wilson(float(part), float(many))
    return round(100 * low, 1), round(100 * high, 1)


def _iso_week(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02d}"
