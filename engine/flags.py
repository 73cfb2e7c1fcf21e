"""A flag marks a ticket that needs special handling: damage, social media, VIP, legal, the same trouble again."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import polars as pl
from pydantic import Field

from engine import lifecycle
from engine.contracts import Event, Frozen, Instant, Kind, Priority, Ticket
from engine.shared import policy_file
from engine.shared.errors import NotAllowed
from engine.timeline import TimelineEntry, chasers


class FlagType(StrEnum):
    PHYSICAL_DAMAGE = "physical_damage"
    SOCIAL_MEDIA = "social_media"
    VIP = "vip"
    LEGAL = "legal"
    REPEAT_CONTACT = "repeat_contact"


class CaseFlag(Frozen):
    """A marker with who set it and why; a cleared one stays as history."""

    id: str
    ticket_id: str
    type: FlagType
    added_by: str
    reason: str
    created_at: Instant
    cleared_at: Instant | None = None
    cleared_by: str | None = None

    @property
    def is_active(self) -> bool:
        return self.cleared_at is None


class Effect(Frozen):
    """What a flag sets in motion: who hears of it, whose envelope is opened, what is suggested."""

    notify: tuple[str, ...] = ()
    raises_priority: bool = False
    envelope_team: str | None = None
    suggests: tuple[str, ...] = ()


class RepeatContact(Frozen):
    contacts: int = Field(default=3, ge=2)
    within_days: int = Field(default=30, ge=1)


class FlagPolicy(Frozen):
    effects: dict[FlagType, Effect]
    repeat_contact: RepeatContact = RepeatContact()


class Flagged(NamedTuple):
    ticket: Ticket
    flag: CaseFlag
    events: list[Event]
    effect: Effect


def load(path: str | Path) -> FlagPolicy:
    return policy_file.read(path, FlagPolicy)


def active(flags: Iterable[CaseFlag]) -> frozenset[FlagType]:
    return frozenset(flag.type for flag in flags if flag.is_active)


def add(
    ticket: Ticket,
    *,
    key: str,
    type: FlagType,
    by: str,
    reason: str,
    at: datetime,
    policy: FlagPolicy,
    present: Iterable[CaseFlag] = (),
) -> Flagged:
    """Flag a ticket; where the policy says so its priority rises by one step, which re-bases its clocks, the first time
    it has that flag."""
    before = [flag for flag in present if flag.ticket_id == ticket.id and flag.type == type]
    if active(before):
        raise NotAllowed(f"{ticket.reference} already has the flag {type}.")
    flag = CaseFlag(id=key, ticket_id=ticket.id, type=type, added_by=by, reason=reason, created_at=at)
    event = Event(ticket_id=ticket.id, kind=Kind.FLAG, at=at, value=type, actor=by, reason=reason, data={"flag": key})
    effect = policy.effects.get(type, Effect())
    flagged = ticket.model_copy(update={"updated_at": at})
    raised: list[Event] = []
    if effect.raises_priority and ticket.is_open and not before:
        flagged, raised = lifecycle.reprioritise(
            flagged, to=one_step_up(ticket.priority), by=by, at=at, reason=f"flag {type}"
        )
    return Flagged(flagged, flag, [event, *raised], effect)


def clear(ticket: Ticket, flag: CaseFlag, *, by: str, at: datetime) -> Flagged:
    """Take a flag off; what it set in motion stays."""
    if not flag.is_active:
        raise NotAllowed(f"The flag {flag.type} of {ticket.reference} was cleared by {flag.cleared_by} already.")
    event = Event(ticket_id=ticket.id, kind=Kind.FLAG_CLEARED, at=at, value=flag.type, actor=by, data={"flag": flag.id})
    cleared = flag.model_copy(update={"cleared_at": at, "cleared_by": by})
    return Flagged(ticket.model_copy(update={"updated_at": at}), cleared, [event], Effect())


def one_step_up(priority: Priority) -> Priority:
    """The next higher priority; critical stays."""
    ladder = list(Priority)
    return ladder[max(ladder.index(priority) - 1, 0)]


def is_repeat_contact(
    ticket: Ticket, *, of_requester: Iterable[Ticket], entries: Iterable[TimelineEntry], policy: RepeatContact
) -> bool:
    """Whether the requester came back often enough about one issue (seed S1-43).

    A contact is a ticket of the same requester and issue within the days before, this one, or a mail that chases
    an unanswered one. The issue is the product, else the category; `other` is no issue, so nothing equals it.
    """
    since = ticket.created_at - timedelta(days=policy.within_days)
    earlier = [t for t in of_requester if t.id != ticket.id and since <= t.created_at <= ticket.created_at]
    same = sum(_is_same_issue(ticket, other) for other in earlier)
    return 1 + same + chasers(e for e in entries if e.ticket_id == ticket.id) >= policy.contacts


def came_back(tickets: pl.DataFrame, new: pl.DataFrame, *, policy: RepeatContact) -> list[str]:
    """Those of the `new` tickets whose tickets alone make them repeat contacts, out of all `tickets` of the store: what
    `is_repeat_contact` says where nobody chased an answer; a property test holds the two equal. Both have ticket,
    requester_id, product, category, created_at."""
    named = tickets.select("ticket", "requester_id", "product", "category", "created_at").drop_nulls("requester_id")
    known = named.join(new.select("ticket", is_new=True), on="ticket", how="left").sort("created_at")
    theirs = known.join(known.filter("is_new").select("requester_id").unique(), on="requester_id", how="semi")
    has_product = pl.col("product").is_not_null()
    often = [
        _often(theirs.filter(has_product), "product", policy).filter("is_new"),
        _often(theirs.filter(pl.col("category") != "other"), "category", policy).filter("is_new", ~has_product),
    ]
    return pl.concat(often)["ticket"].sort().to_list()


def _often(tickets: pl.DataFrame, issue: str, policy: RepeatContact) -> pl.DataFrame:
    """Those of the tickets, ordered by creation, whose requester made so many with the same `issue` in the days up to
    them. Counted in a window that moves: pairs of tickets would grow with the square of what one requester writes."""
    window = pl.len().rolling("created_at", period=timedelta(days=policy.within_days), closed="both")
    return tickets.filter(window.over("requester_id", issue) >= policy.contacts)


def _is_same_issue(one: Ticket, other: Ticket) -> bool:
    if one.requester_id is None or one.requester_id != other.requester_id:
        return False
    if one.product is not None:
        return one.product == other.product
    return one.category != "other" and one.category == other.category
