"""Ownership is sacred: set once by accepting, and changed only when the owner is gone for good or for long."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from pydantic import Field

from engine import lifecycle
from engine.contracts import Agent, Event, Frozen, Kind, Role, Status, Team, Ticket
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


class LeftBehind(Frozen):
    """An open ticket whose owner is gone; `transfer` is the command that hands it over."""

    ticket_id: str
    reference: str
    subject: str
    owner_id: str
    why: str
    transfer: str


class Difference(Frozen):
    """An open ticket that its source has assigned to somebody else than its owner."""

    ticket_id: str
    reference: str
    subject: str
    owner_id: str
    assignee_id: str


def names_of(agent: Agent) -> tuple[str, ...]:
    """What sources call an agent: id, e-mail address and name."""
    return tuple(dict.fromkeys(name for name in (agent.id, agent.email, agent.name) if name))


def by_name(agents: Iterable[Agent]) -> dict[str, Agent]:
    """Agents by what sources call them, capitals aside; a name of several is nobody's, and an id wins."""
    people = list(agents)
    named: dict[str, list[Agent]] = {}
    for agent in people:
        for name in {name.casefold() for name in names_of(agent)}:
            named.setdefault(name, []).append(agent)
    return {name: found[0] for name, found in named.items() if len(found) == 1} | {a.id.casefold(): a for a in people}


def is_of_team(agent: Agent, team: Team | None) -> bool:
    """Whether a ticket of this team is the agent's to look after, as one of it or as a manager; one without a team is
    everybody's."""
    return team is None or team.id in agent.teams or agent.role == Role.MANAGER


def open_load(held: Sequence[Ticket]) -> int:
    """Tickets that take up an agent's capacity: owned by or assigned to the agent, each once, and still open.

    Counted, never kept as a counter.
    """
    return sum(ticket.is_open for ticket in held)


def accept(ticket: Ticket, *, by: Agent, load: int, at: datetime, preset: lifecycle.Preset) -> Change:
    """Set the owner, for good. `load` is the number of open tickets the agent has already, but for this one.

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


def assign(ticket: Ticket, *, to: Agent | None, group: str | None, load: int, by: str, at: datetime) -> Change:
    """Say who is to take an open ticket without owner: somebody who may accept it (`load` as there), a group, or both.

    Owner is who then accepts it. What is so already is no event.
    """
    if ticket.owner_id is not None:
        raise NotAllowed(f"{ticket.reference} is owned by {ticket.owner_id} and stays there; open an envelope instead.")
    if not ticket.is_open:
        raise NotAllowed(f"{ticket.reference} is {ticket.status}; reopen it first.", way_out="ticket reopen")
    if to is not None:
        _may_accept(ticket, to, load)
    wanted = {
        Kind.GROUP: ("group_id", group),
        Kind.ASSIGNEE: ("assignee_id", to.id if to else None),
    }
    moves = {kind: pair for kind, pair in wanted.items() if pair[1] and getattr(ticket, pair[0]) != pair[1]}
    events = [Event(ticket_id=ticket.id, kind=kind, at=at, value=value, actor=by) for kind, (_, value) in moves.items()]
    return ticket.model_copy(update=dict(moves.values()) | {"updated_at": at}), events


def gone(owner: Agent | None, *, at: datetime, policy: OwnershipPolicy) -> TransferReason | None:
    """Why the owner of tickets is gone: nobody here or inactive, or in the midst of a leave of more days than the
    policy says; None for one who is there. Absences that meet are one leave."""
    if owner is None or not owner.is_active:
        return TransferReason.TERMINATION
    is_long = leave(owner, at) > timedelta(days=policy.leave_days_over)
    return TransferReason.EXTENDED_LEAVE if is_long else None


def leave(agent: Agent, at: datetime) -> timedelta:
    """How long the leave is that the agent is on at this instant; zero for one who is there."""
    runs: list[tuple[datetime, datetime]] = []
    for absence in sorted(agent.absences, key=lambda absence: absence.starts_at):
        if runs and absence.starts_at <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(runs[-1][1], absence.ends_at))
        else:
            runs.append((absence.starts_at, absence.ends_at))
    return next((end - start for start, end in runs if start <= at < end), timedelta())


def left_behind(
    tickets: Iterable[Ticket], owners: Mapping[str, Agent], *, at: datetime, policy: OwnershipPolicy
) -> list[LeftBehind]:
    """Open tickets whose owner is gone, with the way to another owner."""
    found = []
    for ticket in tickets:
        owner = owners.get(ticket.owner_id or "")
        why = gone(owner, at=at, policy=policy) if ticket.owner_id and ticket.is_open else None
        if why is not None and ticket.owner_id:
            found.append(
                LeftBehind(
                    ticket_id=ticket.id,
                    reference=ticket.reference,
                    subject=ticket.subject,
                    owner_id=ticket.owner_id,
                    why=why,
                    transfer=f"helmdesk ticket transfer {ticket.id} --to AGENT --reason {why} --by MANAGER",
                )
            )
    return found


def differences(tickets: Iterable[Ticket], agents: Iterable[Agent]) -> list[Difference]:
    """Open tickets whose assignee at the source is not their owner."""
    known = by_name(agents)
    found = []
    for ticket in tickets:
        if ticket.owner_id is None or ticket.assignee_id is None or not ticket.is_open:
            continue
        assigned = known.get(ticket.assignee_id.strip().casefold())
        if assigned is None or assigned.id != ticket.owner_id:
            found.append(
                Difference(
                    ticket_id=ticket.id,
                    reference=ticket.reference,
                    subject=ticket.subject,
                    owner_id=ticket.owner_id,
                    assignee_id=ticket.assignee_id,
                )
            )
    return found


def transfer(
    ticket: Ticket,
    *,
    owner: Agent | None,
    to: Agent,
    reason: TransferReason,
    by: Agent,
    at: datetime,
    policy: OwnershipPolicy,
) -> Change:
    """The exception: a manager hands the ticket to another owner, whatever that owner's load. `accepted_by` stays.

    `owner` is its owner's record, which has to say that the owner is gone, for this reason.
    """
    if ticket.owner_id is None:
        raise NotAllowed(f"{ticket.reference} has no owner to transfer it from; accept it.", way_out="ticket accept")
    if gone(owner, at=at, policy=policy) != reason:
        raise NotAllowed(
            f"{ticket.reference} can't change its owner: {ticket.owner_id} {_standing(owner, at)}, and that is no "
            f"{reason} (inactive, or away for more than {policy.leave_days_over} days). Open an envelope instead."
        )
    if by.role not in policy.authorised_by or not by.is_active:
        raise NotAllowed(f"{by.name} can't authorise a transfer; ask a {' or '.join(policy.authorised_by)}.")
    if not to.is_active or to.id == ticket.owner_id:
        raise NotAllowed(f"{ticket.reference} can't go to {to.name}: choose another active agent.")
    away = leave(owner, at).days if owner and owner.is_active else None
    event = Event(
        ticket_id=ticket.id,
        kind=Kind.TRANSFERRED,
        at=at,
        value=to.id,
        actor=by.id,
        reason=reason,
        data={"from": ticket.owner_id, "leave_days": away},
    )
    return ticket.model_copy(update={"owner_id": to.id, "updated_at": at}), [event]


def _standing(owner: Agent | None, at: datetime) -> str:
    if owner is None or not owner.is_active:
        return "is not active"
    away = leave(owner, at).days
    return f"is active and away for {away} days" if owner.is_away(at) else "is active and here"


def release(ticket: Ticket, *, by: str, at: datetime) -> Change:
    """The owner lays a finished ticket aside. The owner stays on record; a reopened ticket comes back to them."""
    guard(ticket, by=by, doing="release it")
    if ticket.is_open:
        raise NotAllowed(
            f"{ticket.reference} is {ticket.status}; it can be released once it is resolved or closed.",
            way_out="ticket resolve",
        )
    event = Event(ticket_id=ticket.id, kind=Kind.RELEASED, at=at, actor=by)
    return ticket.model_copy(update={"updated_at": at}), [event]


def guard(ticket: Ticket, *, by: str, doing: str) -> None:
    """Replying, resolving and changing the status are the owner's alone. Raises NotAllowed for anybody else."""
    if ticket.owner_id is None:
        first = "accept" if ticket.is_open else "reopen"
        raise NotAllowed(f"{ticket.reference} has no owner; {first} it first to {doing}.", way_out=f"ticket {first}")
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
        raise NotAllowed(f"{ticket.reference} is {ticket.status}; reopen it, and it is yours.", way_out="ticket reopen")
