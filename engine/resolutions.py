"""What a customer gets to make it good, who may grant that much, and who has to agree."""

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from engine import ownership
from engine.contracts import Agent, EmpowermentConfig, Event, Frozen, Instant, Kind, Role, Ticket
from engine.flags import FlagType
from engine.shared import policy_file
from engine.shared.errors import BadInput, NotAllowed


class WentWrong(StrEnum):
    DEFECT = "defect"
    OUTAGE = "outage"
    DELAY = "delay"
    BILLING_ERROR = "billing_error"
    DATA_LOSS = "data_loss"
    WRONG_INFORMATION = "wrong_information"
    SERVICE_FAILURE = "service_failure"
    OTHER = "other"


class Eligibility(StrEnum):
    CONTRACT = "contract"
    SLA_BREACH = "sla_breach"
    WARRANTY = "warranty"
    GOODWILL = "goodwill"
    LEGAL_OBLIGATION = "legal_obligation"
    POLICY_EXCEPTION = "policy_exception"
    OTHER = "other"


class ResolutionType(StrEnum):
    REFUND = "refund"
    FULL_REFUND = "full_refund"
    CREDIT = "credit"
    REPLACEMENT = "replacement"
    REPAIR = "repair"
    INFORMATION = "information"
    WORKAROUND = "workaround"
    NO_ACTION = "no_action"


IN_MONEY = frozenset({ResolutionType.REFUND, ResolutionType.CREDIT})
"""Nothing without an amount; a full refund is a manager's whatever it comes to."""


class EmpowermentTier(StrEnum):
    AGENT = "agent"
    TEAM_LEAD = "team_lead"
    MANAGER = "manager"


class ApprovalStatus(StrEnum):
    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


class GrantReviewStatus(StrEnum):
    NOT_REQUIRED = "not_required"
    PENDING = "pending"
    UPHELD = "upheld"
    REVISED = "revised"
    COACHING_NEEDED = "coaching_needed"


class Claim(Frozen):
    """What an agent writes down for a grant before anything is decided."""

    what_went_wrong: WentWrong
    what_went_wrong_text: str = ""
    why_eligible: Eligibility
    why_eligible_text: str = ""
    type: ResolutionType
    amount: Decimal | None = Field(default=None, ge=0, allow_inf_nan=False, max_digits=18, decimal_places=4)
    currency: str = "EUR"


class Resolution(Claim):
    """A documented grant: what went wrong, why the customer is eligible, what it costs, who approved."""

    id: str
    ticket_id: str
    agent_id: str
    team_id: str | None = None
    tier: EmpowermentTier
    approval_status: ApprovalStatus = ApprovalStatus.NOT_REQUIRED
    approved_by: str | None = None
    approved_at: Instant | None = None
    calibration_status: GrantReviewStatus = GrantReviewStatus.NOT_REQUIRED
    created_at: Instant

    @property
    def is_granted(self) -> bool:
        return self.approval_status in {ApprovalStatus.NOT_REQUIRED, ApprovalStatus.APPROVED}


class GrantPolicy(Frozen):
    """What holds for every team; the limits themselves are each team's `EmpowermentConfig`."""

    always_manager_types: frozenset[ResolutionType] = frozenset({ResolutionType.FULL_REFUND})
    always_manager_eligibility: frozenset[Eligibility] = frozenset({Eligibility.POLICY_EXCEPTION})
    vip_limit_multiplier: Decimal = Field(default=Decimal(1), ge=1)
    calibrated_flags: frozenset[FlagType] = frozenset()


class Granted(NamedTuple):
    ticket: Ticket
    resolution: Resolution
    events: list[Event]


def load(path: str | Path) -> GrantPolicy:
    return policy_file.read(path, GrantPolicy)


def tier_for(
    claim: Claim,
    *,
    agent: Agent,
    limits: EmpowermentConfig,
    policy: GrantPolicy,
    is_vip: bool = False,
    before: Iterable[Resolution] = (),
) -> EmpowermentTier:
    """Who may grant this much (seed S1-R01), together with what the ticket was granted or waits for `before`.

    Up to the lower of the team's and the own limit it is the agent, up to the team's second limit a team lead, else
    a manager. A VIP's limits are higher. A manager's are exceptions, and amounts in two currencies, which can't be
    added up.
    """
    if claim.type in policy.always_manager_types or claim.why_eligible in policy.always_manager_eligibility:
        return EmpowermentTier.MANAGER
    if claim.amount is None and claim.type in IN_MONEY:
        raise BadInput(f"A {claim.type} is limited by its amount: say how much.")
    if not claim.amount:
        return EmpowermentTier.AGENT
    if claim.currency != limits.currency:
        raise NotAllowed(f"The limits of {limits.team_id} are in {limits.currency}; convert {claim.currency} first.")
    counted = [one for one in before if one.amount and one.approval_status != ApprovalStatus.REJECTED]
    if any(one.currency != claim.currency for one in counted):
        return EmpowermentTier.MANAGER
    total = sum((one.amount for one in counted if one.amount), claim.amount)
    factor = policy.vip_limit_multiplier if is_vip else Decimal(1)
    if total <= min(limits.tier1_limit, agent.empowerment_limit) * factor:
        return EmpowermentTier.AGENT
    return EmpowermentTier.TEAM_LEAD if total <= limits.tier2_limit * factor else EmpowermentTier.MANAGER


def propose(
    ticket: Ticket,
    claim: Claim,
    *,
    key: str,
    by: Agent,
    limits: EmpowermentConfig,
    at: datetime,
    policy: GrantPolicy,
    flags: Collection[FlagType] = (),
    before: Iterable[Resolution] = (),
) -> Granted:
    """The owner documents a grant; `before` are those of the ticket so far.

    The agent's own tier is granted at once; above it waits for approval.
    """
    ownership.guard(ticket, by=by.id, doing="propose a resolution")
    is_vip = ticket.vip or FlagType.VIP in flags
    tier = tier_for(claim, agent=by, limits=limits, policy=policy, is_vip=is_vip, before=before)
    needs_approval = tier == EmpowermentTier.TEAM_LEAD or _requires(tier, limits, "approval")
    needs_review = _requires(tier, limits, "calibration") or bool(policy.calibrated_flags & set(flags))
    resolution = Resolution(
        **claim.model_dump(),
        id=key,
        ticket_id=ticket.id,
        agent_id=by.id,
        team_id=limits.team_id,
        tier=tier,
        approval_status=ApprovalStatus.PENDING if needs_approval else ApprovalStatus.NOT_REQUIRED,
        calibration_status=GrantReviewStatus.PENDING if needs_review else GrantReviewStatus.NOT_REQUIRED,
        created_at=at,
    )
    return _changed(ticket, resolution, Kind.RESOLUTION, by=by.id, at=at)


def decide(
    ticket: Ticket,
    resolution: Resolution,
    *,
    by: Agent,
    at: datetime,
    is_approved: bool = True,
    reason: str | None = None,
) -> Granted:
    """Approve or reject a pending grant: by somebody else, of the tier's role or above, a team lead in the own team."""
    if resolution.approval_status != ApprovalStatus.PENDING:
        raise NotAllowed(f"Resolution {resolution.id} is {resolution.approval_status}; there is nothing to approve.")
    if by.id == resolution.agent_id:
        raise NotAllowed(f"{by.name} proposed {resolution.id}; somebody else has to approve it.")
    if not by.is_active or not _may_approve(by, resolution):
        of_team = f" of {resolution.team_id}" if resolution.tier == EmpowermentTier.TEAM_LEAD else ""
        raise NotAllowed(f"{by.name} can't approve {resolution.id}: it takes a {resolution.tier}{of_team} or above.")
    status = ApprovalStatus.APPROVED if is_approved else ApprovalStatus.REJECTED
    decided = resolution.model_copy(update={"approval_status": status, "approved_by": by.id, "approved_at": at})
    return _changed(ticket, decided, Kind.APPROVAL, by=by.id, at=at, reason=reason)


def _requires(tier: EmpowermentTier, limits: EmpowermentConfig, what: str) -> bool:
    return tier == EmpowermentTier.MANAGER and what in limits.tier3_requires


def _may_approve(by: Agent, resolution: Resolution) -> bool:
    if by.role == Role.MANAGER:
        return True
    is_own_team = resolution.team_id is None or resolution.team_id in by.teams
    return by.role == Role.TEAM_LEAD and resolution.tier != EmpowermentTier.MANAGER and is_own_team


def _changed(
    ticket: Ticket, resolution: Resolution, kind: Kind, *, by: str, at: datetime, reason: str | None = None
) -> Granted:
    data = {
        "tier": resolution.tier.value,
        "approval": resolution.approval_status.value,
        "amount": None if resolution.amount is None else str(resolution.amount),
        "currency": resolution.currency,
    }
    event = Event(ticket_id=ticket.id, kind=kind, at=at, value=resolution.id, actor=by, reason=reason, data=data)
    return Granted(ticket.model_copy(update={"updated_at": at}), resolution, [event])
