"""600 EUR on INC-12: pending until a manager approves, and in Monday's queue whatever the draw."""

from decimal import Decimal

import pytest

from engine import grant_review
from engine.grant_review import Reason
from engine.resolutions import ApprovalStatus, GrantReviewStatus
from engine.shared.errors import NotAllowed
from tests.engine.people import CLEO, DIRK
from tests.engine.test_grant_review import grant, weekly
from tests.engine.test_resolutions import claim, decide, propose


def test_six_hundred_waits_for_a_manager() -> None:
    proposed = propose(claim("600"))
    assert (proposed.approval_status, proposed.calibration_status) == ("pending", GrantReviewStatus.PENDING)
    with pytest.raises(NotAllowed, match="takes a manager"):
        decide(proposed, CLEO)
    assert decide(proposed, DIRK).resolution.approval_status == ApprovalStatus.APPROVED


@pytest.mark.parametrize("seed", ["1", "2026-10", "x"])
def test_it_is_in_mondays_queue_whatever_the_draw(seed: str) -> None:
    large = grant(12, tier="manager", amount=Decimal(600))
    found = weekly([large, *(grant(n) for n in range(100, 140))], seed=seed)
    assert [item.ticket_id for item in found if item.reason == Reason.TIER3] == ["web:12"]


def test_the_sample_is_never_empty_while_there_is_one_to_review() -> None:
    assert [item.reason for item in weekly([grant(1)])] == [Reason.RANDOM_SAMPLE]
    assert grant_review.sample([], seed="1", policy=grant_review.GrantReviewPolicy()) == []
