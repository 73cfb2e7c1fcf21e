"""Calibration sees what it must, draws fairly, and never comes out empty."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import grant_review, resolutions
from engine.flags import FlagType
from engine.grant_review import GrantReviewPolicy, Reason, ReviewOutcome
from engine.resolutions import EmpowermentTier, GrantReviewStatus, Resolution
from engine.shared.errors import NotAllowed
from tests.engine.people import ANA, BEN, CLEO, DIRK, POLICIES, later, owned

POLICY = grant_review.load(POLICIES / "calibration.yaml")
CALIBRATED = resolutions.load(POLICIES / "empowerment.yaml").calibrated_flags


def grant(number: int = 1, **changes: Any) -> Resolution:
    facts = {
        "id": f"r{number:03}",
        "ticket_id": f"web:{number}",
        "agent_id": "ana",
        "team_id": "cloud",
        "what_went_wrong": "outage",
        "why_eligible": "goodwill",
        "type": "refund",
        "amount": Decimal(40),
        "tier": "agent",
        "created_at": later(1),
    }
    return Resolution(**{**facts, **changes})


def weekly(grants: list[Resolution], *, seed: str = "1", **more: Any) -> list[grant_review.GrantReviewItem]:
    since, until = grant_review.week_before(later(days=7))
    facts: dict[str, Any] = {"flags": {}, "calibrated_flags": CALIBRATED, "policy": POLICY, "at": later(days=7), **more}
    return grant_review.weekly_queue(grants, seed=seed, since=since, until=until, **facts)


@pytest.mark.parametrize(("count", "floor", "ceil"), [(10, 0, 1), (19, 0, 1), (20, 1, 1), (39, 1, 2), (40, 2, 2)])
def test_sample_sizes_at_five_percent(count: int, floor: int, ceil: int) -> None:
    as_in_the_seed = GrantReviewPolicy(rounding="floor", at_least_per_stratum=0)
    assert grant_review.sample_size(count, policy=as_in_the_seed) == floor
    assert grant_review.sample_size(count, policy=POLICY) == ceil
    assert grant_review.sample_size(count, policy=GrantReviewPolicy(rounding="floor")) == max(floor, 1)


def test_nothing_to_sample_gives_nothing() -> None:
    assert grant_review.sample_size(0, policy=POLICY) == 0
    assert weekly([]) == []


@given(st.lists(st.tuples(st.sampled_from(["agent", "team_lead"]), st.sampled_from(["cloud", "network", None]))))
def test_every_stratum_is_seen(members: list[tuple[str, str | None]]) -> None:
    grants = [grant(n, tier=tier, team_id=team) for n, (tier, team) in enumerate(members)]
    drawn = grant_review.sample(grants, seed="1", policy=POLICY)
    assert {(r.tier, r.team_id) for r in drawn} == {(r.tier, r.team_id) for r in grants}
    assert bool(drawn) == bool(grants)


def test_same_seed_same_sample_in_any_order() -> None:
    grants = [grant(n) for n in range(60)]
    first = grant_review.sample(grants, seed="2026-10", policy=POLICY)
    assert first == grant_review.sample(grants[::-1], seed="2026-10", policy=POLICY)
    assert len(first) == 3
    assert first != grant_review.sample(grants, seed="2026-11", policy=POLICY)


def test_queue_takes_what_is_certain_and_a_sample_of_the_rest() -> None:
    grants = [grant(1, tier="manager"), grant(2), grant(3), grant(4), grant(5)]
    items = weekly(grants, flags={"web:2": {FlagType.LEGAL}}, complaints={"web:3"})
    found = {item.ticket_id: (item.reason, item.detail) for item in items}
    assert found.pop("web:1") == (Reason.TIER3, None)
    assert found.pop("web:2") == (Reason.FLAGGED, "flagged_legal")
    assert found.pop("web:3") == (Reason.COMPLAINT, None)
    assert list(found.values()) == [(Reason.RANDOM_SAMPLE, "1")]


def test_one_item_per_grant_and_asking_again_adds_none() -> None:
    grants = [grant(n) for n in range(40)]
    items = weekly(grants)
    listed = {item.resolution_id for item in items}
    assert len(items) == len(listed) == 2
    assert weekly(grants, listed=listed) == []


def test_complaint_about_an_older_grant_is_still_heard() -> None:
    old = grant(1, created_at=later(days=-30))
    assert [item.reason for item in weekly([old], complaints={"web:1"})] == [Reason.COMPLAINT]
    assert weekly([old]) == []


@pytest.mark.parametrize("at", [later(days=7), later(days=13.6)])
def test_week_before_runs_monday_to_monday(at: datetime) -> None:
    since, until = grant_review.week_before(at)
    assert (since, until) == (later(-9), later(-9, days=7))


def review(item: Any, resolution: Resolution, **changes: Any) -> grant_review.Reviewed:
    facts = {"by": CLEO, "outcome": ReviewOutcome.UPHELD, "notes": "the outage lasted a day", **changes}
    return grant_review.review(owned(), item, resolution, at=later(days=8), policy=POLICY, **facts)


def test_review_writes_outcome_and_lesson() -> None:
    resolution = grant()
    [item] = weekly([resolution])
    done = review(item, resolution)
    assert (done.item.outcome, done.resolution.calibration_status) == (ReviewOutcome.UPHELD, GrantReviewStatus.UPHELD)
    assert (
        done.lesson.text == "INC-1: refund of 40 EUR for outage was handled correctly because the outage lasted a day."
    )
    with pytest.raises(NotAllowed, match="was reviewed by cleo already"):
        review(done.item, done.resolution)


@pytest.mark.parametrize("by", [ANA, BEN, DIRK, CLEO.model_copy(update={"is_active": False})])
def test_reviewer_neither_granted_nor_approved(by: Any) -> None:
    resolution = grant(approved_by="dirk", tier=EmpowermentTier.TEAM_LEAD)
    [item] = weekly([resolution])
    with pytest.raises(NotAllowed, match="neither granted nor approved"):
        review(item, resolution, by=by)


def test_report_counts_upheld_and_money() -> None:
    grants = [
        grant(1, tier="manager", amount=Decimal(600)),
        grant(2, agent_id="ben", team_id="network", amount=Decimal("0.10")),
        grant(3, agent_id="ben", amount=Decimal("0.20"), what_went_wrong="delay"),
        grant(4, amount=Decimal(99), approval_status="rejected"),
        grant(5, currency="USD"),
    ]
    items = weekly(grants, complaints={"web:2"})
    outcomes = {"web:1": ReviewOutcome.UPHELD, "web:2": ReviewOutcome.REVISED}
    by_id = {r.id: r for r in grants}
    done = [
        review(item, by_id[item.resolution_id], outcome=outcomes[item.ticket_id]).item
        for item in items
        if item.ticket_id in outcomes
    ]
    report = grant_review.report([*done, *(i for i in items if i.ticket_id not in outcomes)], grants)
    assert (report.resolutions, report.reviewed, report.upheld_percent) == (5, 2, 50.0)
    assert report.upheld_percent_by_reason == {Reason.TIER3: 100.0, Reason.COMPLAINT: 0.0}
    money = {(c.by, c.name, c.currency): (c.amount, c.grants) for c in report.compensation}
    assert money["agent", "ben", "EUR"] == (Decimal("0.30"), 2)
    assert money["agent", "ana", "EUR"] == (Decimal(600), 1)
    assert money["agent", "ana", "USD"] == (Decimal(40), 1)
    assert money["team", "network", "EUR"] == (Decimal("0.10"), 1)
    assert money["reason", "delay", "EUR"] == (Decimal("0.20"), 1)
    assert [(week.week, week.reviewed, week.upheld_percent) for week in report.trend] == [("2026-W11", 2, 50.0)]


def test_report_without_reviews_says_so() -> None:
    report = grant_review.report([], [])
    assert (report.upheld_percent, report.trend, report.compensation) == (None, (), ())
