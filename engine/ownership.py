"""Ownership is sacred: set once by accepting, and changed only when the owner is gone for good or for long."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from engine import lifecycle
from engine.contracts import Agent, Event, Frozen, Kind, Role, Status, Ticket
from engine.lifecycle import Change
from engine.shared import policy_file
from engine.shared.errors import NotAllowed


class TransferReason(StrEnum):
    TERMINATION = "termination"
    EXTENDED_LEAVE = "extended_leave"


class OwnershipPolicy(Frozen):
    """A leave counts as extended when it lasts more than `leave_days_over` days."""

    leave_days_over: int = Field(default=30, ge=0)
    authorised_by: tuple[Role, ...] = (Role.MANAGER,)


def load(path: str | Path) -> OwnershipPolicy:
    return policy_file.read(path, OwnershipPolicy)


def open_load(owned: Sequence[Ticket]) -> int:
    """Tickets that take up an agent's capacity: owned and still open. Counted, never kept as a counter."""
    return sum(ticket.is_open for ticket in owned)


def accept(ticket: Ticket, *, by: Agent, load: int, at: datetime, preset: lifecycle.Preset) -> Change:
    """Set the owner, for good. `load` is the number of open tickets the agent owns already.

    A new ticket moves to where the preset's first owner takes it; one already under way keeps its status.
    """
    _may_accept(ticket, by, load)
    event = Event(ticket_id=ticket.id, kind=Kind.ACCEPTED, at=at, value=by.id, actor=by.id)
    owned = ticket.model_copy(
        update={"owner_id": by.id, "accepted_by": by.id, "accepted_at": at, "updated_at": at},
    )
    if ticket.status not in {Status.NEW, Status.TRIAGE} or ticket.status == preset.on_accept:
        return owned, [event]
    moved, events = lifecycle.transition(owned, to=preset.on_accept, by=by.id, at=at, preset=preset, reason="accepted")
    return moved, [event, *events]


def can_transfer(ticket: Ticket, *, reason: TransferReason, leave_days: int | None, policy: OwnershipPolicy) -> bool:
    """Only for an owned ticket whose owner left, or is on leave for more days than the policy says."""
    if ticket.owner_id is None:
        return False
    return reason == TransferReason.TERMINATION or (leave_days or 0) > policy.leave_days_over


def transfer(
    ticket: Ticket,
    *,
    to: Agent,
    reason: TransferReason,
    authorised_by: Agent,
    at: datetime,
    policy: OwnershipPolicy,
    leave_days: int | None = None,
) -> Change:
    """The exception: a manager hands the ticket to another owner, whatever that owner's load. `accepted_by` stays."""
    if not can_transfer(ticket, reason=reason, leave_days=leave_days, policy=policy):
        raise NotAllowed(
            f"{ticket.reference} can't change its owner: only when the owner left or is on leave for more than "
            f"{policy.leave_days_over} days. Open an envelope instead."
        )
    if authorised_by.role not in policy.authorised_by or not authorised_by.is_active:
        raise NotAllowed(f"{authorised_by.name} can't authorise a transfer; ask a {' or '.join(policy.authorised_by)}.")
    if not to.is_active or to.id == ticket.owner_id:
        raise NotAllowed(f"{ticket.reference} can't go to {to.name}: choose another active agent.")
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.TRANSFERRED,
        at=at,
        value=to.id,
        actor=authorised_by.id,
        reason=reason,
        data={"from": ticket.owner_id, "leave_days": leave_days},
    )
    return ticket.model_copy(update={"owner_id": to.id, "updated_at": at}), [event]


def release(ticket: Ticket, *, by: str, at: datetime) -> Change:
    """The owner lays a finished ticket aside. The owner stays on record; a reopened ticket comes back to them."""
    guard(ticket, by=by, doing="release it")
    if ticket.is_open:
        raise NotAllowed(f"{ticket.reference} is {ticket.status}; it can be released once it is resolved or closed.")
    event = Event(ticket_id=ticket.id, kind=Kind.RELEASED, at=at, actor=by)
    return ticket.model_copy(update={"updated_at": at}), [event]


def guard(ticket: Ticket, *, by: str, doing: str) -> None:
    """Replying, resolving and changing the status are the owner's alone. Raises NotAllowed for anybody else."""
    if ticket.owner_id is None:
        raise NotAllowed(f"{ticket.reference} has no owner; accept it first to {doing}.")
    if ticket.owner_id != by:
        raise NotAllowed(f"{ticket.reference} is owned by {ticket.owner_id}; only the owner may {doing}.")


def _may_accept(ticket: Ticket, by: Agent, load: int) -> None:
    if ticket.owner_id is not None:
        raise NotAllowed(f"{ticket.reference} is owned by {ticket.owner_id}; join with an envelope instead.")
    if not by.is_active:
        raise NotAllowed(f"{by.name} is not active and can't accept {ticket.reference}.")
    if load >= by.max_tickets:
        raise NotAllowed(f"{by.name} has {load} open tickets of at most {by.max_tickets}; resolve one first.")
    if not ticket.is_open:
        raise NotAllowed(f"{ticket.reference} is {ticket.status}; there is nothing left to accept.")
