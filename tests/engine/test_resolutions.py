"""Who may grant how much, and who has to agree."""

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from engine import resolutions
from engine.contracts import EmpowermentConfig, Kind
from engine.flags import FlagType
from engine.resolutions import ApprovalStatus, Claim, EmpowermentTier, GrantReviewStatus
from engine.shared.errors import BadInput, NotAllowed
from tests.engine.people import ANA, BEN, CLEO, DIRK, FIN, LIMITS, POLICIES, later, owned

POLICY = resolutions.load(POLICIES / "empowerment.yaml")


def claim(amount: str | None = "40", **changes: Any) -> Claim:
    facts = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "refund", "amount": amount}
    return Claim(**{**facts, **changes})


def propose(what: Claim, **changes: Any) -> resolutions.Resolution:
    facts: dict[str, Any] = {"key": "r1", "by": ANA, "limits": LIMITS, "at": later(1), "policy": POLICY, **changes}
    return resolutions.propose(owned(), what, **facts).resolution


def decide(resolution: resolutions.Resolution, by: Any, **changes: Any) -> resolutions.Granted:
    return resolutions.decide(owned(), resolution, by=by, at=later(2), **changes)


@pytest.mark.parametrize(
    ("amount", "tier"),
    [
        ("0", "agent"),
        ("100", "agent"),
        ("100.01", "team_lead"),
        ("500", "team_lead"),
        ("500.01", "manager"),
    ],
)
def test_amount_decides_the_tier(amount: str | None, tier: str) -> None:
    assert resolutions.tier_for(claim(amount), agent=ANA, limits=LIMITS, policy=POLICY) == EmpowermentTier(tier)


@pytest.mark.parametrize("kind", ["refund", "credit"])
def test_money_without_an_amount_is_no_grant(kind: str) -> None:
    with pytest.raises(BadInput, match=f"A {kind} is limited by its amount: say how much"):
        propose(claim(None, type=kind))
    assert propose(claim(None, type="workaround")).tier == EmpowermentTier.AGENT


def test_own_limit_counts_when_lower() -> None:
    assert resolutions.tier_for(claim("80"), agent=FIN, limits=LIMITS, policy=POLICY) == EmpowermentTier.TEAM_LEAD


@pytest.mark.parametrize(("amount", "tier"), [("150", "agent"), ("150.01", "team_lead"), ("750.01", "manager")])
def test_vip_has_higher_limits(amount: str, tier: str) -> None:
    found = resolutions.tier_for(claim(amount), agent=ANA, limits=LIMITS, policy=POLICY, is_vip=True)
    assert found == EmpowermentTier(tier)


@pytest.mark.parametrize("what", [{"type": "full_refund"}, {"why_eligible": "policy_exception"}])
def test_exceptions_are_a_managers_whatever_the_amount(what: dict[str, str]) -> None:
    assert propose(claim("1", **what)).tier == EmpowermentTier.MANAGER


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity"])
def test_amount_is_a_sum_of_money(amount: str) -> None:
    with pytest.raises(ValidationError):
        claim(amount)


def test_other_currency_has_to_be_converted() -> None:
    with pytest.raises(NotAllowed, match="are in EUR; convert USD first"):
        propose(claim("10", currency="USD"))


@pytest.mark.parametrize(
    ("amount", "approval", "calibration"),
    [("40", "not_required", "not_required"), ("400", "pending", "not_required"), ("600", "pending", "pending")],
)
def test_tier_says_what_is_required(amount: str, approval: str, calibration: str) -> None:
    resolution = propose(claim(amount))
    assert resolution.approval_status == ApprovalStatus(approval)
    assert resolution.calibration_status == GrantReviewStatus(calibration)
    assert resolution.is_granted is (approval == "not_required")


def test_tier_three_as_in_the_first_seed_is_only_calibrated() -> None:
    limits = EmpowermentConfig(team_id="cloud", tier3_requires=("calibration",))
    resolution = propose(claim("600"), limits=limits)
    assert (resolution.approval_status, resolution.calibration_status) == ("not_required", "pending")


@pytest.mark.parametrize(
    ("flag", "status"), [("legal", "pending"), ("physical_damage", "pending"), ("vip", "not_required")]
)
def test_flags_force_calibration(flag: str, status: str) -> None:
    assert propose(claim("40"), flags={FlagType(flag)}).calibration_status == GrantReviewStatus(status)


def test_only_the_owner_proposes() -> None:
    with pytest.raises(NotAllowed, match="only the owner may propose"):
        propose(claim(), by=BEN)


@pytest.mark.parametrize(
    ("amount", "by", "is_allowed"),
    [("400", CLEO, True), ("400", DIRK, True), ("600", DIRK, True), ("600", CLEO, False), ("400", BEN, False)],
)
def test_approver_needs_the_role(amount: str, by: Any, is_allowed: bool) -> None:
    resolution = propose(claim(amount))
    if is_allowed:
        approved = decide(resolution, by)
        assert (approved.resolution.approval_status, approved.resolution.approved_by) == ("approved", by.id)
        assert approved.events[0].kind == Kind.APPROVAL
    else:
        with pytest.raises(NotAllowed, match="can't approve r1: it takes a"):
            decide(resolution, by)


def test_team_lead_of_another_team_can_not_approve() -> None:
    with pytest.raises(NotAllowed, match="team_lead of cloud"):
        decide(propose(claim("400")), CLEO.model_copy(update={"teams": ("network",)}))


def test_nobody_approves_the_own_grant() -> None:
    mine = resolutions.propose(
        owned(owner_id="dirk"), claim("600"), key="r1", by=DIRK, limits=LIMITS, at=later(1), policy=POLICY
    )
    with pytest.raises(NotAllowed, match="somebody else has to approve"):
        decide(mine.resolution, DIRK)


def test_decision_falls_once() -> None:
    rejected = decide(propose(claim("400")), CLEO, is_approved=False, reason="no outage that day")
    assert (rejected.resolution.approval_status, rejected.events[0].reason) == ("rejected", "no outage that day")
    with pytest.raises(NotAllowed, match="nothing to approve"):
        decide(rejected.resolution, DIRK)
    with pytest.raises(NotAllowed, match="nothing to approve"):
        decide(propose(claim("40")), CLEO)


def test_money_is_exact() -> None:
    assert propose(claim("0.10")).amount == Decimal("0.10")
