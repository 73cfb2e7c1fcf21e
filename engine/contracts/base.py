"""Things that happened: the append-only events that state and clocks are recomputed from."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A value: immutable, compared by content, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{value.isoformat()} is out of reach in UTC") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment with a time zone, held in UTC. A naive datetime is refused."""


class Kind(StrEnum):
    """What can happen to a ticket. The first group moves SLA clocks and keeps the SLA engine's words."""

    STATUS = "status"
    RESPONSE = "response"
    PRIORITY = "priority"
    TIER = "tier"
    TYPE = "type"
    PAUSE = "pause"
    RESUME = "resume"
    ACCEPTED = "accepted"
    CUSTOMER_MESSAGE = "customer_message"
    DUE = "due"
    GROUP = "group"
    CHANNEL = "channel"

    CREATED = "created"
    CHANGED = "changed"
    OUTCOME = "outcome"
    ASSIGNEE = "assignee"
    TRANSFERRED = "transferred"
    RELEASED = "released"
    MESSAGE = "message"
    FLAG = "flag"
    FLAG_CLEARED = "flag_cleared"
    ENVELOPE_OPENED = "envelope_opened"
    ENVELOPE_ACCEPTED = "envelope_accepted"
    ENVELOPE_COMPLETED = "envelope_completed"
    TASK = "task"
    LINKED = "linked"
    RESOLUTION = "resolution"
    APPROVAL = "approval"
    CALIBRATION = "calibration"
    ALLOCATED = "allocated"
    CLASSIFIED = "classified"
    DRAFTED = "drafted"
    REMINDER = "reminder"
    ALERT = "alert"
    ACKNOWLEDGED = "acknowledged"
    RULE = "rule"


CLOCK_KINDS = frozenset(
    {
        Kind.STATUS,
        Kind.RESPONSE,
        Kind.PRIORITY,
        Kind.TIER,
        Kind.TYPE,
        Kind.PAUSE,
        Kind.RESUME,
        Kind.ACCEPTED,
        Kind.CUSTOMER_MESSAGE,
        Kind.DUE,
        Kind.GROUP,
        Kind.CHANNEL,
    }
)
"""The kinds the SLA engine replays; the rest are history. `response` is every public answer of a person of the desk,
`customer_message` every one of the requester's side; `message` is neither: a note, or an automation's."""


class SlaEffect(StrEnum):
    """What an event did to the resolution clock, written down for the reader; clocks are never computed from it."""

    NONE = "none"
    START = "start"
    PAUSE = "pause"
    RESUME = "resume"
    STOP = "stop"
    REOPEN = "reopen"
    REBASE = "rebase"


class Event(Frozen):
    """One thing that happened to one ticket.

    `id` is given by sources that know their own (delivering it twice changes nothing); the store fills it otherwise.
    `value` is the new value for the kinds that set one (`status`, `priority`, …).
    """

    ticket_id: str
    kind: Kind
    at: Instant
    value: str | None = None
    actor: str = "system"
    reason: str | None = None
    sla_effect: SlaEffect = SlaEffect.NONE
    data: dict[str, Any] = Field(default_factory=dict)
    id: str | None = None


class RecordedEvent(Event):
    """An event as the store keeps it: numbered per ticket from 1 and chained to the one before."""

    id: str
    version: int
    recorded_at: Instant
    hash: str


GENESIS = "0" * 64


def seal(event: Event, *, version: int, previous_hash: str, recorded_at: datetime) -> RecordedEvent:
    """Number an event and chain it: its hash covers its content and the hash before it (SHA-256, canonical JSON)."""
    fields = event.model_dump(exclude={"id"}) | {
        "id": event.id or f"{event.ticket_id}#{version}",
        "version": version,
        "recorded_at": recorded_at,
    }
    return RecordedEvent(**fields, hash=_digest(fields, previous_hash))


def first_broken_link(history: Iterable[RecordedEvent]) -> int | None:
    """The version of the first event of one ticket's history (ordered, whole) that was altered; None if none was."""
    previous = GENESIS
    for expected, event in enumerate(history, start=1):
        fields = event.model_dump(exclude={"hash"})
        if event.version != expected or event.hash != _digest(fields, previous):
            return event.version
        previous = event.hash
    return None


def chained(fields: Mapping[str, Any], previous_hash: str) -> str:
    """The hash of an event whose instants are written out in ISO 8601, with `+00:00`."""
    return hashlib.sha256((previous_hash + _canonical(fields)).encode()).hexdigest()


def _digest(fields: dict[str, Any], previous_hash: str) -> str:
    instants = {name: fields[name].isoformat() for name in ("at", "recorded_at")}
    return chained({**fields, **instants}, previous_hash)


_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str).encode
