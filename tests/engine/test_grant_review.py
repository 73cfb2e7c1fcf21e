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


@pytest.fixture
def reviewed() -> grant_review.Reviewed:
    """Ana's grant, reviewed by Cleo."""
    resolution = grant()
    [item] = weekly([resolution])
    return review(item, resolution)


BY_TWO = POLICY.model_copy(update={"second_reviewer_share": Decimal(1)})


def second(done: grant_review.Reviewed, **changes: Any) -> grant_review.SecondOpinion:
    facts = {
        "by": DIRK,
        "outcome": ReviewOutcome.REVISED,
        "notes": "",
        "at": later(days=9),
        "policy": BY_TWO,
        **changes,
    }
    return grant_review.second_opinion(owned(), done.item, done.resolution, **facts).opinion


def test_second_opinion_stands_beside_the_first(reviewed: grant_review.Reviewed) -> None:
    assert (second(reviewed).outcome, second(reviewed).given_by) == (ReviewOutcome.REVISED, "dirk")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"by": CLEO}, "somebody else's"),
        ({"by": ANA}, "neither granted nor approved"),
        ({"seen": [later(days=8)]}, "opened INC-1 after its review"),
        ({"policy": POLICY.model_copy(update={"second_reviewer_share": Decimal(0)})}, "not drawn for two"),
    ],
)
def test_second_opinion_is_blind_and_of_another(
    reviewed: grant_review.Reviewed, changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(NotAllowed, match=why):
        second(reviewed, **changes)


def test_a_ticket_opened_before_the_first_review_tells_no_outcome(reviewed: grant_review.Reviewed) -> None:
    assert second(reviewed, seen=[later(days=7.9)]).given_by == "dirk"


def test_second_opinion_is_given_once_and_after_the_first(reviewed: grant_review.Reviewed) -> None:
    with pytest.raises(NotAllowed, match="has a second opinion already, by dirk"):
        second(reviewed, given=[second(reviewed)])
    [waiting] = weekly([reviewed.resolution])
    with pytest.raises(NotAllowed, match="no first review yet"):
        second(reviewed._replace(item=waiting))


def test_about_half_is_reviewed_by_two() -> None:
    items = weekly([grant(n, tier="manager") for n in range(400)])
    drawn = [item for item in items if grant_review.needs_second(item, policy=POLICY)]
    assert 170 < len(drawn) < 230
    assert drawn == [item for item in items if grant_review.needs_second(item, policy=POLICY)]
