"""The decision who should get a ticket, with the scores that led there."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from engine.contracts.base import Frozen, Instant

Score = Annotated[float, Field(ge=0, le=1)]


class Scores(Frozen):
    """The seven factors of S3-07, each in [0, 1], and their weighted sum."""

    availability: Score
    bandwidth: Score
    velocity: Score
    performance: Score
    proximity: Score
    cultural_fit: Score
    timezone: Score
    composite: Score


class Outcome(StrEnum):
    ALLOCATED = "allocated"
    WAITING = "waiting"
    """No group can take it now: it stays in the waiting queue."""
    NO_SKILL = "no_skill"
    """No active group has the capability: a person has to look."""


class Alternative(Frozen):
    """A group that was considered; `excluded` says which hard filter took it out."""

    group_id: str
    group_name: str
    composite: float | None = None
    excluded: str | None = None


class AllocationDecision(Frozen):
    """Which group should get the ticket and why. `score` is the composite one of the chosen group."""

    ticket_id: str
    decided_at: Instant
    outcome: Outcome
    group_id: str | None = None
    group_name: str | None = None
    assigned_to_user_id: str | None = None
    scores: Scores | None = None
    rationale: str
    score: float = 0.0
    policy: str = "default"
    alternatives: tuple[Alternative, ...] = ()
