"""The seven reasons to prefer one group over another, each a number from 0 to 1 (seed S3-07, S3-R02…R08)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from statistics import median
from typing import NamedTuple
from zoneinfo import ZoneInfo

from engine.allocation.policy import AllocationPolicy, AvailabilityMode, Mode, Tiers
from engine.contracts import AssignmentGroup, GroupStatus, Location, Ticket

EARTH_RADIUS_KM = 6371.0
DECIMALS = 6
"""Factors and composites are rounded to this, so that two routes to one number meet and ties are ties."""


class Profile(NamedTuple):
    """What of a ticket matters for its allocation; tickets with equal profiles score alike."""

    skills: tuple[str, ...]
    language: str | None
    certifications: tuple[str, ...]
    lat: float | None
    lng: float | None
    hours: tuple[float | None, ...]
    """Circular time-zone distance to each group, in the order of the groups, at the ticket's creation."""
    complexity: float


Zones = tuple[str | None, ...]


def zones_of(groups: Sequence[AssignmentGroup]) -> Zones:
    return tuple(group.location.timezone for group in groups)


def profile_of(ticket: Ticket, zones: Zones, policy: AllocationPolicy) -> Profile:
    place = ticket.location or Location()
    zone, stated = place.timezone or policy.default_timezone, stated_complexity(ticket)
    return Profile(
        skills=skills_for(ticket, policy),
        language=primary_language(ticket.language),
        certifications=_certifications(ticket),
        lat=place.lat,
        lng=place.lng,
        hours=zone_distances(zone, zones, ticket.created_at),
        complexity=policy.default_complexity if stated is None else stated,
    )


def skills_for(ticket: Ticket, policy: AllocationPolicy) -> tuple[str, ...]:
    """Skills of which a group needs one: by product, else by category, else by `other`; empty demands nothing."""
    table = policy.capabilities
    for word in (ticket.product, ticket.category, "other"):
        if word is not None and word.casefold() in table:
            return table[word.casefold()]
    return ()


def primary_language(tag: str | None) -> str | None:
    """`de` for `de-AT`."""
    return (tag or "").strip().replace("_", "-").split("-")[0].casefold() or None


def share_met(language: str | None, certifications: Iterable[str], group: AssignmentGroup) -> float | None:
    """Which share of the languages and certifications asked for the group has; None if none was asked for."""
    group_languages = {primary_language(tag) for tag in group.languages}
    held = {certificate.casefold() for certificate in group.certifications}
    met = [language in group_languages] if language else []
    met += [certificate in held for certificate in certifications]
    return sum(met) / len(met) if met else None


def availability(group: AssignmentGroup, load: int, policy: AllocationPolicy, *, hours_to_shift: float = 0.0) -> float:
    """S3-R02 by the share of free slots; in mode `wait` 1 / (1 + expected wait / wait_half_hours)."""
    if group.max_bandwidth == 0:
        return 0.0
    if policy.availability == AvailabilityMode.WAIT:
        wait = expected_wait_hours(group, load, hours_to_shift=hours_to_shift)
        return round(1 / (1 + wait / policy.wait_half_hours), DECIMALS)
    free = max(group.max_bandwidth - load, 0) / group.max_bandwidth
    if policy.availability == AvailabilityMode.GRADED:
        return round(free, DECIMALS)
    return 1.0 if free > 0.5 else 0.6 if free > 0.25 else 0.3 if free > 0 else 0.0


def expected_wait_hours(group: AssignmentGroup, load: int, *, hours_to_shift: float = 0.0) -> float:
    """Hours until the shift opens plus the work in hand over the throughput.

    By Little's law a group that holds at most `max_bandwidth` tickets for `avg_resolution_time_hours` each
    finishes max_bandwidth / avg_resolution_time_hours of them an hour.
    """
    return max(hours_to_shift, 0.0) + load * group.metrics.avg_resolution_time_hours / group.max_bandwidth


def bandwidth(group: AssignmentGroup, load: int, complexity: float, policy: AllocationPolicy) -> float:
    """S3-R03 by free slots: twice what the ticket needs 1.0, enough 0.7, less 0.4."""
    free, need = group.max_bandwidth - load, policy.load_units * complexity
    if need <= 0:
        return 1.0
    if policy.mode == Mode.GRADED:
        return round(min(max(free / (2 * need), 0.0), 1.0), DECIMALS)
    return 1.0 if free >= 2 * need else 0.7 if free >= need else 0.4


def velocity(group: AssignmentGroup, reference: float) -> float:
    """S3-R04: resolution speed against the reference, at most 1."""
    return round(min(speed(group) / reference, 1.0), DECIMALS)


def speed(group: AssignmentGroup) -> float:
    return 1 / (group.metrics.avg_resolution_time_hours + 1)


def reference_velocity(groups: Sequence[AssignmentGroup], policy: AllocationPolicy) -> float:
    """The policy's, or the median speed of the active groups."""
    if policy.reference_velocity is not None:
        return policy.reference_velocity
    speeds = [speed(group) for group in groups if group.status == GroupStatus.ACTIVE]
    return median(speeds) if speeds else 1.0


def performance(group: AssignmentGroup, policy: AllocationPolicy) -> float:
    """S3-R05: 0.6 × SLA compliance + 0.4 × quality, by default."""
    share, metrics = policy.sla_compliance_share, group.metrics
    return round(share * metrics.sla_compliance_rate + (1 - share) * metrics.quality_score, DECIMALS)


def proximity(lat: float | None, lng: float | None, group: AssignmentGroup, policy: AllocationPolicy) -> float:
    """S3-R06 by kilometres; a distance of exactly a limit belongs to the farther tier."""
    place = group.location
    if lat is None or lng is None or place.lat is None or place.lng is None:
        return policy.unknown_score
    km = haversine_km(lat, lng, place.lat, place.lng)
    return by_tier(km, policy.distance_km, policy.mode, limit_included=False)


def cultural_fit(met: float | None, policy: AllocationPolicy) -> float:
    """S3-R07 on languages and certifications only: all met 1.0, nothing asked for 0.8, else 0.3 (graded: rising)."""
    if met is None:
        return 0.8
    if policy.mode == Mode.GRADED:
        return round(0.3 + 0.7 * met, DECIMALS)
    return 1.0 if met == 1 else 0.3


def timezone(hours: float | None, policy: AllocationPolicy) -> float:
    """S3-R08 by the circular distance; exactly a limit belongs to the nearer tier."""
    if hours is None:
        return policy.unknown_score
    return by_tier(hours, policy.timezone_hours, policy.mode, limit_included=True)


def by_tier(value: float, tiers: Tiers, mode: Mode, *, limit_included: bool) -> float:
    if mode == Mode.GRADED:
        return round(_interpolated(value, tiers), DECIMALS)
    for limit, score in tiers.steps:
        if value < limit or (limit_included and value == limit):
            return score
    return tiers.beyond


def _interpolated(value: float, tiers: Tiers) -> float:
    points = [*tiers.steps, (tiers.span, tiers.beyond)]
    score = points[0][1]
    for (x0, y0), (x1, y1) in pairwise(points):
        if x1 > x0:
            score += (y1 - y0) * ((min(max(value, x0), x1) - x0) / (x1 - x0))
    return score


def haversine_km(lat1: float, lng1: float, lat2: float, lng2: float) -> float:
    """Great-circle distance in kilometres on a sphere of 6371 km."""
    a = sin(radians(lat2 - lat1) / 2) ** 2
    a += cos(radians(lat1)) * cos(radians(lat2)) * sin(radians(lng2 - lng1) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(min(a, 1.0)))


def zone_distances(zone: str | None, others: Zones, at: datetime) -> tuple[float | None, ...]:
    """Hours between clocks at an instant, the short way round: 1 between Auckland and Honolulu. None if unknown."""
    return _zone_distances(zone, others, int(at.timestamp() // 900))


@lru_cache(maxsize=100_000)
def _zone_distances(zone: str | None, others: Zones, quarter: int) -> tuple[float | None, ...]:
    here = _offset_hours(zone, quarter)
    return tuple(_circular(here, _offset_hours(other, quarter)) for other in others)


_zone = lru_cache(ZoneInfo)
"""A time zone, its file read once: `ZoneInfo` itself keeps the last eight."""


@lru_cache(maxsize=100_000)
def _offset_hours(zone: str | None, quarter: int) -> float | None:
    """UTC offset in the quarter of an hour counted from 1970; clocks change on the quarter."""
    if not zone:
        return None
    try:
        offset = datetime.fromtimestamp(quarter * 900, _zone(zone)).utcoffset()
    except (KeyError, OSError, ValueError, OverflowError):
        return None
    return None if offset is None else offset.total_seconds() / 3600


def _circular(a: float | None, b: float | None) -> float | None:
    if a is None or b is None:
        return None
    apart = abs(a - b) % 24
    return min(apart, 24 - apart)


def stated_complexity(ticket: Ticket) -> float | None:
    """What the source says of it, if that is a number from 0 to 1."""
    given = ticket.external_metadata.get("estimated_complexity")
    if isinstance(given, int | float) and not isinstance(given, bool) and 0 <= given <= 1:
        return float(given)
    return None


def _certifications(ticket: Ticket) -> tuple[str, ...]:
    given = ticket.external_metadata.get("required_certifications") or ()
    words = (given,) if isinstance(given, str) else given
    if not isinstance(words, list | tuple):
        return ()
    return tuple(sorted({word.casefold() for word in words if isinstance(word, str)}))
