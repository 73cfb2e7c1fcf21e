"""One ticket, one decision: who is out, who scores what, who gets it. The plain reference for a whole backlog."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from engine.allocation import explain, factors
from engine.allocation.factors import DECIMALS, Profile
from engine.allocation.policy import FACTORS, AllocationPolicy
from engine.contracts import AllocationDecision, Alternative, AssignmentGroup, GroupStatus, Outcome, Scores, Ticket

FULL = "full"


class Verdict(NamedTuple):
    """What was found about one group: its composite, or the filter that took it out."""

    group: AssignmentGroup
    free: int
    composite: float | None
    excluded: str | None


def decide(
    ticket: Ticket,
    groups: Sequence[AssignmentGroup],
    policy: AllocationPolicy,
    at: datetime,
    *,
    hours_to_shift: Mapping[str, float] | None = None,
) -> AllocationDecision:
    """The best group for a ticket: hard filters first, then the weighted sum.

    `hours_to_shift` gives, by group id, the hours until the group works again; a group not named is at work.
    Equal composites go to the group with more free slots, then to the smaller group id.
    """
    profile = factors.profile_of(ticket, factors.zones_of(groups), policy)
    reference = factors.reference_velocity(groups, policy)
    verdicts, scored = [], {}
    for index, group in enumerate(groups):
        free = group.max_bandwidth - group.current_load
        barred = exclusion(group, profile.skills, profile.language, policy) or fullness(free, group)
        if barred is None:
            wait = (hours_to_shift or {}).get(group.group_id, 0.0)
            scored[group.group_id] = score(
                group, profile, profile.hours[index], reference, policy=policy, hours_to_shift=wait
            )
            verdicts.append(Verdict(group, free, scored[group.group_id].composite, None))
        else:
            verdicts.append(Verdict(group, free, None, barred))
    found = conclude(verdicts, profile, policy)
    if found.winner is None:
        return unplaced(ticket.id, at, found, policy)
    scores = scored[found.winner.group.group_id]
    return placed(ticket.id, at, found.winner, scores, found.others, policy=policy)


def exclusion(
    group: AssignmentGroup, skills: Sequence[str], language: str | None, policy: AllocationPolicy
) -> str | None:
    """Why a group can't take such a ticket however idle it is; None if it can."""
    if group.status != GroupStatus.ACTIVE:
        return "not active"
    if group.is_vendor and not policy.allocate_to_vendors:
        return "a vendor, which is waited for and not allocated to"
    if skills and not {word.casefold() for word in group.capabilities} & set(skills):
        return f"lacks {' or '.join(skills)}"
    if policy.language_required and language and factors.share_met(language, (), group) == 0:
        return f"does not speak {language}"
    return None


def fullness(free: int, group: AssignmentGroup) -> str | None:
    if group.max_bandwidth == 0:
        return f"{FULL} (nobody is there)"
    return None if free > 0 else f"{FULL} ({group.max_bandwidth - free} of {group.max_bandwidth})"


def score(
    group: AssignmentGroup,
    profile: Profile,
    hours: float | None,
    reference: float,
    *,
    policy: AllocationPolicy,
    hours_to_shift: float = 0.0,
) -> Scores:
    """The seven factors and their weighted sum."""
    met = factors.share_met(profile.language, profile.certifications, group)
    values = {
        "velocity": factors.velocity(group, reference),
        "performance": factors.performance(group, policy),
        "proximity": factors.proximity(profile.lat, profile.lng, group, policy),
        "cultural_fit": factors.cultural_fit(met, policy),
        "timezone": factors.timezone(hours, policy),
        "availability": factors.availability(group, group.current_load, policy, hours_to_shift=hours_to_shift),
        "bandwidth": factors.bandwidth(group, group.current_load, profile.complexity, policy),
    }
    return Scores(**values, composite=weighted_sum(values, policy.effective_weights))


def weighted_sum(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """S3-08: the sum of factor × weight, in the order of FACTORS, rounded to 6 decimals."""
    total = 0.0
    for name in FACTORS:
        total += values[name] * weights[name]
    return min(round(total, DECIMALS), 1.0)


class Conclusion(NamedTuple):
    outcome: Outcome
    rationale: str
    winner: Verdict | None
    others: tuple[Alternative, ...]


def conclude(verdicts: Sequence[Verdict], profile: Profile, policy: AllocationPolicy) -> Conclusion:
    """Who wins, and the others in the order they would be asked; the rationale of a win is left to `placed`."""
    ranked = sorted((v for v in verdicts if v.composite is not None), key=_rank)
    barred = sorted((v for v in verdicts if v.composite is None), key=lambda v: v.group.group_id)
    if ranked and (ranked[0].composite or 0.0) >= policy.min_score:
        return Conclusion(Outcome.ALLOCATED, "", ranked[0], _alternatives([*ranked[1:], *barred]))
    others = _alternatives([*ranked, *barred])
    if ranked or any((v.excluded or "").startswith(FULL) for v in barred):
        return Conclusion(Outcome.WAITING, explain.waiting(others, policy), None, others)
    language = profile.language if policy.language_required else None
    return Conclusion(Outcome.NO_SKILL, explain.no_skill(profile.skills, language), None, others)


def placed(
    ticket_id: str,
    at: datetime,
    winner: Verdict,
    scores: Scores,
    others: tuple[Alternative, ...],
    *,
    policy: AllocationPolicy,
) -> AllocationDecision:
    group, rivals = winner.group, sum(1 for a in others if a.composite is not None)
    return AllocationDecision(
        ticket_id=ticket_id,
        decided_at=at,
        outcome=Outcome.ALLOCATED,
        group_id=group.group_id,
        group_name=group.name,
        scores=scores,
        rationale=explain.chosen(group, scores, policy, free=winner.free, rivals=rivals),
        score=scores.composite,
        policy=policy.label,
        alternatives=others,
    )


def unplaced(ticket_id: str, at: datetime, found: Conclusion, policy: AllocationPolicy) -> AllocationDecision:
    return AllocationDecision(
        ticket_id=ticket_id,
        decided_at=at,
        outcome=found.outcome,
        rationale=found.rationale,
        policy=policy.label,
        alternatives=found.others,
    )


def _rank(verdict: Verdict) -> tuple[float, int, str]:
    return -(verdict.composite or 0.0), -verdict.free, verdict.group.group_id


def _alternatives(verdicts: Sequence[Verdict]) -> tuple[Alternative, ...]:
    return tuple(_alternative(v.group.group_id, v.group.name, v.composite, v.excluded) for v in verdicts)


@lru_cache(maxsize=65_536)
def _alternative(group_id: str, name: str, composite: float | None, excluded: str | None) -> Alternative:
    """One value shared by all the decisions that say it."""
    return Alternative(group_id=group_id, group_name=name, composite=composite, excluded=excluded)
