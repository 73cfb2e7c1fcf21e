"""The whole backlog at once: the most urgent ticket chooses first, and every placed ticket takes a slot."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import pairwise

import polars as pl

from engine.allocation import factors
from engine.allocation.decide import Conclusion, Verdict, conclude, exclusion, fullness, placed, unplaced
from engine.allocation.factors import DECIMALS, EARTH_RADIUS_KM, Profile
from engine.allocation.policy import FACTORS, AllocationPolicy, Mode, Tiers
from engine.contracts import AllocationDecision, AssignmentGroup, Scores, Ticket

FIXED = FACTORS[:5]
"""The factors that don't move while tickets are placed; availability and bandwidth follow the load."""


def allocate(
    tickets: Sequence[Ticket],
    groups: Sequence[AssignmentGroup],
    policy: AllocationPolicy,
    at: datetime,
    *,
    hours_to_shift: Mapping[str, float] | None = None,
) -> list[AllocationDecision]:
    """One decision a ticket, in the order given, which is the order of choice (priority score, highest first).

    Equal to calling `decide` ticket after ticket with the loads as they have become.
    """
    desk = _Desk(groups, policy, hours_to_shift or {})
    zones = factors.zones_of(groups)
    profiles = [factors.profile_of(ticket, zones, policy) for ticket in tickets]
    desk.learn(list(dict.fromkeys(profiles)))
    return [desk.place(ticket.id, profile, at) for ticket, profile in zip(tickets, profiles, strict=True)]


class _Desk:
    """Groups filling up. What was found for a profile is reused until the next ticket is placed."""

    def __init__(
        self, groups: Sequence[AssignmentGroup], policy: AllocationPolicy, hours_to_shift: Mapping[str, float]
    ) -> None:
        self.groups, self.policy = groups, policy
        self.load = [group.current_load for group in groups]
        self.waits = [hours_to_shift.get(group.group_id, 0.0) for group in groups]
        self.available = [self._availability(g) for g in range(len(groups))]
        self.fixed: dict[Profile, list[tuple[float, ...]]] = {}
        self.barred: dict[Profile, list[str | None]] = {}
        self.waiting: dict[Profile, Conclusion] = {}

    def learn(self, profiles: Sequence[Profile]) -> None:
        """Everything about these profiles that the load does not change."""

        @cache
        def bars(skills: tuple[str, ...], language: str | None) -> list[str | None]:
            return [exclusion(group, skills, language, self.policy) for group in self.groups]

        rows = fixed_scores(profiles, self.groups, self.policy).select(*FIXED, "fixed").rows()
        width = len(self.groups)
        for index, profile in enumerate(profiles):
            self.fixed[profile] = rows[index * width : (index + 1) * width]
            self.barred[profile] = bars(profile.skills, profile.language)

    def place(self, ticket_id: str, profile: Profile, at: datetime) -> AllocationDecision:
        found = self.waiting.get(profile) or conclude(self._verdicts(profile), profile, self.policy)
        if found.winner is None:
            self.waiting[profile] = found
            return unplaced(ticket_id, at, found, self.policy)
        g = next(i for i, group in enumerate(self.groups) if group is found.winner.group)
        scores = self._scores(g, profile, found.winner.composite or 0.0)
        self.load[g] += 1
        self.available[g] = self._availability(g)
        self.waiting.clear()
        return placed(ticket_id, at, found.winner, scores, found.others, policy=self.policy)

    def _verdicts(self, profile: Profile) -> list[Verdict]:
        verdicts, fixed = [], self.fixed[profile]
        for g, (group, barred) in enumerate(zip(self.groups, self.barred[profile], strict=True)):
            free = group.max_bandwidth - self.load[g]
            excluded = barred or fullness(free, group)
            composite = self._composite(g, fixed[g][-1], profile.complexity) if excluded is None else None
            verdicts.append(Verdict(group, free, composite, excluded))
        return verdicts

    def _composite(self, g: int, fixed: float, complexity: float) -> float:
        weights = self.policy.effective_weights
        total = fixed + self.available[g] * weights["availability"]
        total += factors.bandwidth(self.groups[g], self.load[g], complexity, self.policy) * weights["bandwidth"]
        return min(round(total, DECIMALS), 1.0)

    def _scores(self, g: int, profile: Profile, composite: float) -> Scores:
        values = dict(zip(FIXED, self.fixed[profile][g], strict=False))
        return Scores(
            **values,
            availability=self.available[g],
            bandwidth=factors.bandwidth(self.groups[g], self.load[g], profile.complexity, self.policy),
            composite=composite,
        )

    def _availability(self, g: int) -> float:
        group = self.groups[g]
        return factors.availability(group, self.load[g], self.policy, hours_to_shift=self.waits[g])


def fixed_scores(
    profiles: Sequence[Profile], groups: Sequence[AssignmentGroup], policy: AllocationPolicy
) -> pl.DataFrame:
    """Every profile with every group, profile by profile: the five fixed factors and `fixed`, their weighted sum."""
    reference = factors.reference_velocity(groups, policy)

    @cache
    def met(language: str | None, certifications: tuple[str, ...]) -> list[float | None]:
        return [factors.share_met(language, certifications, group) for group in groups]

    cross = pl.DataFrame(
        {
            "lat": [p.lat for p in profiles for _ in groups],
            "lng": [p.lng for p in profiles for _ in groups],
            "hours": [h for p in profiles for h in p.hours],
            "met": [m for p in profiles for m in met(p.language, p.certifications)],
            "group_lat": [g.location.lat for g in groups] * len(profiles),
            "group_lng": [g.location.lng for g in groups] * len(profiles),
            "velocity": [factors.velocity(g, reference) for g in groups] * len(profiles),
            "performance": [factors.performance(g, policy) for g in groups] * len(profiles),
        },
        schema=dict.fromkeys(
            ("lat", "lng", "hours", "met", "group_lat", "group_lng", "velocity", "performance"), pl.Float64
        ),
    )
    unknown = pl.lit(policy.unknown_score)
    scored = cross.with_columns(
        proximity=pl.coalesce(by_tier(kilometres(), policy.distance_km, policy.mode, limit_included=False), unknown),
        cultural_fit=pl.coalesce(_fit(policy.mode), pl.lit(0.8)),
        timezone=pl.coalesce(
            by_tier(pl.col("hours"), policy.timezone_hours, policy.mode, limit_included=True), unknown
        ),
    )
    total = pl.lit(0.0)
    for name in FIXED:
        total = total + pl.col(name) * policy.effective_weights[name]
    return scored.with_columns(fixed=total)


def kilometres() -> pl.Expr:
    """Great-circle distance between (lat, lng) and (group_lat, group_lng); null where one is not known."""
    lat1, lat2 = pl.col("lat").radians(), pl.col("group_lat").radians()
    a = ((pl.col("group_lat") - pl.col("lat")).radians() / 2).sin() ** 2
    a = a + lat1.cos() * lat2.cos() * ((pl.col("group_lng") - pl.col("lng")).radians() / 2).sin() ** 2
    return 2 * EARTH_RADIUS_KM * a.clip(upper_bound=1.0).sqrt().arcsin()


def by_tier(value: pl.Expr, tiers: Tiers, mode: Mode, *, limit_included: bool) -> pl.Expr:
    """`factors.by_tier` as an expression; null stays null."""
    if mode == Mode.GRADED:
        points = [*tiers.steps, (tiers.span, tiers.beyond)]
        score = pl.when(value.is_not_null()).then(pl.lit(points[0][1]))
        graded: pl.Expr = score
        for (x0, y0), (x1, y1) in pairwise(points):
            if x1 > x0:
                graded = graded + (y1 - y0) * ((value.clip(x0, x1) - x0) / (x1 - x0))
        return graded.round(DECIMALS)
    stepped: pl.Expr = pl.lit(tiers.beyond)
    for limit, step in reversed(tiers.steps):
        nearer = value <= limit if limit_included else value < limit
        stepped = pl.when(nearer).then(pl.lit(step)).otherwise(stepped)
    return pl.when(value.is_not_null()).then(stepped)


def _fit(mode: Mode) -> pl.Expr:
    met = pl.col("met")
    if mode == Mode.GRADED:
        return (0.3 + 0.7 * met).round(DECIMALS)
    return pl.when(met == 1).then(1.0).when(met.is_not_null()).then(0.3)
