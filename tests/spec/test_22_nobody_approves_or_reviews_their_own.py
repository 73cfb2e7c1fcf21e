"""Ana proposes 400 EUR: Cleo, her team lead, may approve; Ana may not. VIP limits are one and a half times as high."""

from typing import Any

import pytest

from engine import resolutions
from engine.resolutions import EmpowermentTier
from engine.shared.errors import NotAllowed
from tests.engine.people import ANA, CLEO, LIMITS
from tests.engine.test_grant_review import grant, review, weekly
from tests.engine.test_resolutions import POLICY, claim, decide, propose

ELSEWHERE = CLEO.model_copy(update={"id": "lia", "teams": ("network",)})


@pytest.mark.parametrize(("by", "may"), [(CLEO, True), (ANA, False), (ELSEWHERE, False)])
def test_the_own_team_lead_approves(by: Any, *, may: bool) -> None:
    proposed = propose(claim("400"))
    if may:
        assert decide(proposed, by).resolution.approved_by == by.id
    else:
        with pytest.raises(NotAllowed):
            decide(proposed, by)


@pytest.mark.parametrize("part", ["agent_id", "approved_by"])
def test_who_granted_or_approved_does_not_review(part: str) -> None:
    resolution = grant(**{part: "cleo"})
    (item,) = weekly([resolution])
    with pytest.raises(NotAllowed, match="neither granted nor approved"):
        review(item, resolution, by=CLEO)


@pytest.mark.parametrize(("amount", "tier"), [("149.99", "agent"), ("150", "agent"), ("150.01", "team_lead")])
def test_a_vip_may_get_half_as_much_again(amount: str, tier: str) -> None:
    found = resolutions.tier_for(claim(amount), agent=ANA, limits=LIMITS, policy=POLICY, is_vip=True)
    assert found == EmpowermentTier(tier)


@pytest.mark.parametrize("what", [{"type": "full_refund"}, {"why_eligible": "policy_exception"}])
def test_a_full_refund_or_exception_is_a_managers(what: dict[str, str]) -> None:
    assert propose(claim("1", **what)).tier == EmpowermentTier.MANAGER
