"""Calibration reviews a fair sample of grants each week, so that the same case gets the same answer from everyone."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple

from pydantic import Field

from engine.contracts import Agent, Event, Frozen, Instant, Kind, Role, Ticket
from engine.flags import FlagType
from engine.resolutions import EmpowermentTier, GrantReviewStatus, Resolution
from engine.shared import policy_file
from engine.shared.errors import NotAllowed


class Reason(StrEnum):
    """Why a grant is reviewed; the first that holds is written down."""

    TIER3 = "tier3"
    FLAGGED = "flagged"
    COMPLAINT = "complaint"
    RANDOM_SAMPLE = "random_sample"


class ReviewStatus(StrEnum):
    PENDING = "pending"
    REVIEWED = "reviewed"


class ReviewOutcome(StrEnum):
    UPHELD = "upheld"
    REVISED = "revised"
    COACHING_NEEDED = "coaching_needed"


class GrantReviewItem(Frozen):
    """One resolution on the weekly list; its id is made of the resolution, so that it is listed once."""

    id: str
    resolution_id: str
    ticket_id: str
    reason: Reason
    detail: str | None = None
    review_status: ReviewStatus = ReviewStatus.PENDING
    outcome: ReviewOutcome | None = None
    notes: str = ""
    reviewed_by: str | None = None
    reviewed_at: Instant | None = None
    created_at: Instant

    def is_hidden_from(self, reader: str, *, needs_second: bool, has_second: bool) -> bool:
        """Whether the first outcome is not shown yet: another's opinion is still to come, without knowing it."""
        return self.outcome is not None and needs_second and not has_second and reader != self.reviewed_by


class Lesson(Frozen):
    """What a review taught, for the next agent with such a case (seed S1-R05)."""

    id: str
    resolution_id: str
    ticket_id: str
    text: str
    created_at: Instant


class SecondOpinion(Frozen):
    """What another reviewer found in the same grant without knowing what the first did; it changes no outcome."""

    id: str
    item_id: str
    resolution_id: str
    ticket_id: str
    outcome: ReviewOutcome
    notes: str = ""
    given_by: str
    given_at: Instant


class LimitAdvice(Frozen):
    """When upheld shares speak for another limit: `raise_from` the lower bound of the share's interval, `lower_below`
    its upper bound, both as shares; neither is said of fewer than `reviews_from` reviewed grants."""

    reviews_from: int = Field(default=15, ge=1)
    raise_from: float = Field(default=0.75, ge=0, le=1)
    lower_below: float = Field(default=0.65, ge=0, le=1)


class GrantReviewPolicy(Frozen):
    """`second_reviewer_share` of what is listed is reviewed by two; their kappa is known from `kappa_from` on."""

    sample_share: Decimal = Field(default=Decimal("0.05"), gt=0, le=1)
    rounding: Literal["ceil", "floor"] = "ceil"
    at_least_per_stratum: int = Field(default=1, ge=0)
    strata: tuple[Literal["tier", "team_id", "agent_id", "type", "what_went_wrong"], ...] = ("tier", "team_id")
    reviewers: frozenset[Role] = frozenset({Role.TEAM_LEAD, Role.MANAGER})
    second_reviewer_share: Decimal = Field(default=Decimal("0.25"), ge=0, le=1)
    kappa_from: int = Field(default=10, ge=2)
    amount_bands: tuple[Decimal, ...] = (Decimal(50), Decimal(200), Decimal(1000))
    limits: LimitAdvice = LimitAdvice()


def load(path: str | Path) -> GrantReviewPolicy:
    return policy_file.read(path, GrantReviewPolicy)


def sample_size(count: int, *, policy: GrantReviewPolicy) -> int:
    """How many of a stratum are drawn; never more than there are."""
    share = count * policy.sample_share
    size = math.ceil(share) if policy.rounding == "ceil" else math.floor(share)
    return min(count, max(size, policy.at_least_per_stratum))


def sample(resolutions: Iterable[Resolution], *, seed: str, policy: GrantReviewPolicy) -> list[Resolution]:
    """A random sample per stratum. The same seed and resolutions, in any order, give the same sample."""
    strata: dict[tuple[str, ...], list[Resolution]] = defaultdict(list)
    for resolution in sorted(resolutions, key=lambda r: r.id):
        strata[tuple(str(getattr(resolution, name)) for name in policy.strata)].append(resolution)
    drawn = [
        resolution
        for stratum, members in sorted(strata.items())
        for resolution in Random("/".join((seed, *stratum))).sample(members, sample_size(len(members), policy=policy))
    ]
    return sorted(drawn, key=lambda r: r.id)


def weekly_queue(
    resolutions: Sequence[Resolution],
    *,
    seed: str,
    since: datetime,
    until: datetime,
    at: datetime,
    policy: GrantReviewPolicy,
    flags: Mapping[str, Collection[FlagType]],
    calibrated_flags: frozenset[FlagType],
    complaints: Collection[str] = (),
    listed: Collection[str] = (),
) -> list[GrantReviewItem]:
    """All of tier 3, all flagged, all with complaints, and a sample of the rest (seed S1-41), each once.

    The sample is drawn from the grants of `since` up to before `until`, so that asking again draws the same; what is
    certain may be older. `flags` by ticket, `complaints` are ticket ids, `listed` resolution ids that have an item.
    """
    reasons = {r.id: why for r in resolutions if (why := certain_reason(r, flags, calibrated_flags, complaints))}
    rest = [r for r in resolutions if r.id not in reasons and since <= r.created_at < until]
    reasons |= {r.id: (Reason.RANDOM_SAMPLE, seed) for r in sample(rest, seed=seed, policy=policy)}
    return [item_for(r, reason=reasons[r.id], at=at) for r in resolutions if r.id in reasons and r.id not in listed]


def week_before(at: datetime) -> tuple[datetime, datetime]:
    """Monday to Monday, midnight UTC, of the week before the one of this instant."""
    utc = at.astimezone(UTC)
    monday = datetime.combine(utc.date() - timedelta(days=utc.weekday()), time(), UTC)
    return monday - timedelta(days=7), monday


def certain_reason(
    resolution: Resolution,
    flags: Mapping[str, Collection[FlagType]],
    calibrated_flags: frozenset[FlagType],
    complaints: Collection[str] = (),
) -> tuple[Reason, str | None] | None:
    """Why this grant is reviewed in any case, with a detail; None if it is not."""
    if resolution.tier == EmpowermentTier.MANAGER:
        return Reason.TIER3, None
    if flagged := sorted(calibrated_flags & set(flags.get(resolution.ticket_id, ()))):
        return Reason.FLAGGED, f"flagged_{flagged[0]}"
    return (Reason.COMPLAINT, None) if resolution.ticket_id in complaints else None


def item_for(resolution: Resolution, *, reason: tuple[Reason, str | None], at: datetime) -> GrantReviewItem:
    return GrantReviewItem(
        id=f"{resolution.id}/calibration",
        resolution_id=resolution.id,
        ticket_id=resolution.ticket_id,
        reason=reason[0],
        detail=reason[1],
        created_at=at,
    )


def listed_event(item: GrantReviewItem, *, at: datetime) -> Event:
    data = {"item": item.id, "resolution": item.resolution_id}
    return Event(ticket_id=item.ticket_id, kind=Kind.CALIBRATION, at=at, value="listed", reason=item.reason, data=data)


class Reviewed(NamedTuple):
    ticket: Ticket
    item: GrantReviewItem
    resolution: Resolution
    lesson: Lesson
    events: list[Event]


def review(
    ticket: Ticket,
    item: GrantReviewItem,
    resolution: Resolution,
    *,
    by: Agent,
    outcome: ReviewOutcome,
    notes: str,
    at: datetime,
    policy: GrantReviewPolicy,
) -> Reviewed:
    """Record what the review found, once, by a reviewer who did not grant it."""
    if item.review_status != ReviewStatus.PENDING:
        raise NotAllowed(f"{item.id} was reviewed by {item.reviewed_by} already: {item.outcome}.")
    _check_reviewer(by, item, resolution, policy)
    changes = {"review_status": ReviewStatus.REVIEWED, "outcome": outcome, "notes": notes}
    reviewed = item.model_copy(update={**changes, "reviewed_by": by.id, "reviewed_at": at})
    judged = resolution.model_copy(update={"calibration_status": GrantReviewStatus(outcome.value)})
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.CALIBRATION,
        at=at,
        value=outcome,
        actor=by.id,
        reason=notes,
        data={"item": item.id, "resolution": resolution.id},
    )
    lesson = _lesson(ticket, reviewed, resolution, at)
    return Reviewed(ticket.model_copy(update={"updated_at": at}), reviewed, judged, lesson, [event])


def needs_second(item: GrantReviewItem, *, policy: GrantReviewPolicy) -> bool:
    """Whether two people review this grant: drawn by its name, so that the answer is the same whenever it is asked."""
    return Random(f"second/{item.id}").random() < policy.second_reviewer_share


class SecondGiven(NamedTuple):
    ticket: Ticket
    opinion: SecondOpinion
    events: list[Event]


def second_opinion(
    ticket: Ticket,
    item: GrantReviewItem,
    resolution: Resolution,
    *,
    by: Agent,
    outcome: ReviewOutcome,
    notes: str,
    at: datetime,
    policy: GrantReviewPolicy,
    given: Collection[SecondOpinion] = (),
    seen: Iterable[datetime] = (),
) -> SecondGiven:
    """Record what a second reviewer found, once, of a grant that is drawn for two.

    `seen`: when this reviewer opened the ticket, whose history tells the outcome; since the first review is too late.
    """
    if item.reviewed_at is None or not needs_second(item, policy=policy):
        why = "was not drawn for two reviewers" if item.reviewed_at else "has no first review yet: decide that"
        raise NotAllowed(f"{item.id} takes no second opinion: it {why}.")
    if given:
        raise NotAllowed(f"{item.id} has a second opinion already, by {next(iter(given)).given_by}.")
    _check_reviewer(by, item, resolution, policy)
    if by.id == item.reviewed_by:
        raise NotAllowed(f"{by.name} reviewed {item.id} first; the second opinion is somebody else's.")
    if any(when >= item.reviewed_at for when in seen):
        raise NotAllowed(
            f"{by.name} opened {ticket.reference} after its review, and its history tells the outcome; "
            "the second opinion is of somebody who has not."
        )
    facts = {"item_id": item.id, "resolution_id": resolution.id, "ticket_id": ticket.id}
    opinion = SecondOpinion(id=f"{item.id}/second", **facts, outcome=outcome, notes=notes, given_by=by.id, given_at=at)
    data = {"item": item.id, "resolution": resolution.id, "outcome": outcome.value}
    event = Event(ticket_id=ticket.id, kind=Kind.CALIBRATION, at=at, value="second_opinion", actor=by.id, reason=notes,
                  data=data)  # fmt: skip
    return SecondGiven(ticket.model_copy(update={"updated_at": at}), opinion, [event])


def _check_reviewer(by: Agent, item: GrantReviewItem, resolution: Resolution, policy: GrantReviewPolicy) -> None:
    if by.role not in policy.reviewers or not by.is_active or by.id in {resolution.agent_id, resolution.approved_by}:
        raise NotAllowed(
            f"{by.name} can't review {item.id}: it takes a {' or '.join(sorted(policy.reviewers))} "
            "who neither granted nor approved it."
        )


def _lesson(ticket: Ticket, item: GrantReviewItem, resolution: Resolution, at: datetime) -> Lesson:
    verdict = {
        ReviewOutcome.UPHELD: "was handled correctly",
        ReviewOutcome.REVISED: "should have been decided otherwise",
        ReviewOutcome.COACHING_NEEDED: "calls for coaching",
    }
    amount = f" of {resolution.amount} {resolution.currency}" if resolution.amount else ""
    summary = f"{ticket.reference}: {resolution.type}{amount} for {resolution.what_went_wrong}"
    outcome = verdict[item.outcome] if item.outcome else "was not decided"
    text = f"{summary} {outcome}" + (f" because {item.notes}" if item.notes else "") + "."
    return Lesson(id=f"{item.id}/lesson", resolution_id=resolution.id, ticket_id=ticket.id, text=text, created_at=at)
