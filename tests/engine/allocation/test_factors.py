"""Seven factors as the design document writes them, with its defects repaired."""

from datetime import UTC, datetime

import pytest

from engine.allocation import factors
from engine.allocation.policy import AllocationPolicy, Weights
from engine.contracts import GroupMetrics, Location
from tests.engine.allocation.desk import CHICAGO, NEW_YORK, group, policy

STEPPED, GRADED = policy("hld-v2"), policy("hld-v2", mode="graded", availability="graded")


def test_performance_weighs_sla_over_quality() -> None:
    shown = GroupMetrics(sla_compliance_rate=0.96, quality_score=0.89)
    assert factors.performance(group("a", metrics=shown), STEPPED) == pytest.approx(0.932)


def test_new_york_is_1144_km_from_chicago() -> None:
    km = factors.haversine_km(NEW_YORK.lat or 0, NEW_YORK.lng or 0, CHICAGO.lat or 0, CHICAGO.lng or 0)
    assert km == pytest.approx(1144.3, abs=0.1)
    assert factors.proximity(NEW_YORK.lat, NEW_YORK.lng, group("a", location=CHICAGO), STEPPED) == 0.4


@pytest.mark.parametrize(
    ("km", "stepped", "graded"),
    [
        (0, 1.0, 1.0), (49.9, 1.0, 1.0), (50, 0.7, 1.0), (275, 0.7, 0.85), (500, 0.4, 0.7),
        (1999, 0.4, 0.4002), (2000, 0.2, 0.4), (20015, 0.2, 0.2),
    ],
)  # fmt: skip
def test_distance_tiers(km: float, stepped: float, graded: float) -> None:
    tiers = STEPPED.distance_km
    assert factors.by_tier(km, tiers, STEPPED.mode, limit_included=False) == stepped
    assert factors.by_tier(km, tiers, GRADED.mode, limit_included=False) == pytest.approx(graded)


@pytest.mark.parametrize(("hours", "score"), [(0, 1.0), (2, 1.0), (2.5, 0.7), (6, 0.7), (6.5, 0.4), (12, 0.4)])
def test_timezone_tiers_include_their_limit(hours: float, score: float) -> None:
    assert factors.timezone(hours, STEPPED) == score


@pytest.mark.parametrize(
    ("here", "there", "month", "hours"),
    [
        ("Pacific/Auckland", "Pacific/Honolulu", 1, 1.0),  # +13 and -10: 23 h by subtraction
        ("Pacific/Auckland", "Pacific/Honolulu", 7, 2.0),
        ("Europe/London", "America/New_York", 1, 5.0),
        ("Asia/Kolkata", "Asia/Kathmandu", 1, 0.25),
        ("Etc/GMT+12", "Etc/GMT-14", 1, 2.0),
        ("UTC", "Asia/Tokyo", 1, 9.0),
        ("Mars/Phobos", "UTC", 1, None),
        (None, "UTC", 1, None),
    ],
)
def test_clocks_are_compared_in_a_circle(here: str | None, there: str, month: int, hours: float | None) -> None:
    assert factors.zone_distances(here, (there,), datetime(2026, month, 15, tzinfo=UTC)) == (hours,)


def test_daylight_saving_counts_at_ticket_time() -> None:
    zones = ("America/New_York",)
    before, after = datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert factors.zone_distances("UTC", zones, before) == (5.0,)
    assert factors.zone_distances("UTC", zones, after) == (4.0,)


@pytest.mark.parametrize(
    ("free", "score"), [(0, 0.0), (1, 0.3), (25, 0.3), (26, 0.6), (50, 0.6), (51, 1.0), (100, 1.0)]
)
def test_availability_steps(free: int, score: float) -> None:
    assert factors.availability(group("a", slots=100), 100 - free, STEPPED) == score


def test_a_group_without_slots_is_not_available() -> None:
    for mode in ("stepped", "graded", "wait"):
        assert factors.availability(group("a", slots=0, free=0), 0, policy(availability=mode)) == 0.0


def test_availability_is_the_expected_wait_on_shift() -> None:
    waiting = policy("helmdesk", wait_half_hours=24)
    busy = group("a", slots=10, hours=12)
    assert factors.expected_wait_hours(busy, 5, hours_to_shift=3) == 9.0  # 5 × 12 / 10 + 3
    assert factors.availability(busy, 0, waiting) == 1.0
    assert factors.availability(busy, 0, waiting, hours_to_shift=24) == 0.5
    quick, slow = group("q", hours=2), group("s", hours=48)
    assert factors.availability(quick, 5, waiting) > factors.availability(slow, 5, waiting)


@pytest.mark.parametrize(
    ("free", "complexity", "stepped", "graded"),
    [
        (4, 1.0, 1.0, 1.0),
        (3, 1.0, 0.7, 0.75),
        (2, 1.0, 0.7, 0.5),
        (1, 1.0, 0.4, 0.25),
        (1, 0.5, 0.7, 0.5),
        (1, 0, 1, 1),
    ],
)
def test_bandwidth_counts_free_slots(free: int, complexity: float, stepped: float, graded: float) -> None:
    large = group("a", slots=100)
    assert factors.bandwidth(large, 100 - free, complexity, STEPPED) == stepped
    assert factors.bandwidth(large, 100 - free, complexity, GRADED) == pytest.approx(graded)


def test_the_median_group_has_full_velocity() -> None:
    groups = [group("a", hours=4), group("b", hours=9), group("c", hours=19)]
    reference = factors.reference_velocity(groups, STEPPED)
    assert [factors.velocity(g, reference) for g in groups] == [1.0, 1.0, 0.5]
    assert factors.reference_velocity(groups, policy(reference_velocity=0.5)) == 0.5


@pytest.mark.parametrize(
    ("language", "certificates", "stepped", "graded"),
    [
        (None, (), 0.8, 0.8), ("de", (), 1.0, 1.0), ("fr", (), 0.3, 0.3),
        ("de", ("iso-27001",), 1.0, 1.0), ("fr", ("iso-27001",), 0.3, 0.65),
    ],
)  # fmt: skip
def test_fit_is_languages_and_certificates(
    language: str | None, certificates: tuple[str, ...], stepped: float, graded: float
) -> None:
    skilled = group("a", languages=("de-AT", "en"), certifications=("ISO-27001",))
    met = factors.share_met(language, certificates, skilled)
    assert factors.cultural_fit(met, STEPPED) == stepped
    assert factors.cultural_fit(met, GRADED) == pytest.approx(graded)


def test_other_cultural_words_count_for_nothing() -> None:
    metrics = GroupMetrics(cultural_competencies=("fr", "24x7"))
    assert factors.share_met("fr", (), group("a", metrics=metrics)) == 0


def test_an_unknown_place_scores_what_the_policy_says() -> None:
    nowhere = group("a", location=Location())
    assert factors.proximity(1.0, 1.0, nowhere, policy(unknown_score=0.25)) == 0.25
    assert factors.timezone(None, policy(unknown_score=0.25)) == 0.25


@pytest.mark.parametrize("preset", ["helmdesk", "hld-v2", "hld-v1"])
def test_weights_of_every_preset_sum_to_one(preset: str) -> None:
    chosen: AllocationPolicy = policy(preset)
    assert sum(chosen.effective_weights.values()) == pytest.approx(1)
    assert isinstance(chosen.weights, Weights)
