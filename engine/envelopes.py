"""An envelope asks an expert for help inside a ticket; the owner stays the owner."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pydantic import Field

from engine import lifecycle
from engine.contracts import Agent, Event, Frozen, Instant, Kind, Status, Ticket
from engine.shared import policy_file
from engine.shared.errors import NotAllowed


class EnvelopeStatus(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    COMPLETED = "completed"


class Envelope(Frozen):
    """A sub-case with its own thread, asked of one person or of any member of a team.

    `assigned_to` is the expert: the person asked, or the team member who accepted. A cancelled one is completed
    without a summary. Of a vendor, `team_id` is the vendor's group: its answers come by the owner's hand.
    """

    id: str
    ticket_id: str
    requested_by: str
    assigned_to: str | None = None
    team_id: str | None = None
    is_vendor: bool = False
    status: EnvelopeStatus = EnvelopeStatus.PENDING
    reason: str
    summary: str | None = None
    created_at: Instant
    response_due_at: Instant
    accepted_at: Instant | None = None
    completed_at: Instant | None = None

    @property
    def is_open(self) -> bool:
        return self.status != EnvelopeStatus.COMPLETED

    @property
    def wait(self) -> Status:
        """What the ticket waits for while this one is open."""
        return Status.WAITING_VENDOR if self.is_vendor else Status.WAITING_INTERNAL

    @property
    def is_cancelled(self) -> bool:
        return self.status == EnvelopeStatus.COMPLETED and self.summary is None


class EnvelopePolicy(Frozen):
    response_minutes: int = Field(default=240, ge=1)


class Enveloped(NamedTuple):
    """What a step of an envelope changed."""

    ticket: Ticket
    envelope: Envelope
    events: list[Event]


def load(path: str | Path) -> EnvelopePolicy:
    return policy_file.read(path, EnvelopePolicy)


def open_for(
    ticket: Ticket,
    *,
    key: str,
    by: str,
    reason: str,
    at: datetime,
    policy: EnvelopePolicy,
    preset: lifecycle.Preset,
    others: Iterable[Envelope] = (),
    assigned_to: str | None = None,
    team_id: str | None = None,
    is_vendor: bool = False,
    automatic: bool = False,
) -> Enveloped:
    """Ask for help: the owner, an expert of an active envelope (the next level), or a rule (`automatic`).

    An owned ticket waits internally, or for the vendor; one without owner keeps its status. The owner never changes.
    """
    _may_open(ticket, by, others, automatic=automatic)
    if (assigned_to is None) == (team_id is None) or not reason.strip() or assigned_to == by:
        raise NotAllowed("An envelope needs a reason and either a team or one other person to ask.")
    envelope = Envelope(
        id=key,
        ticket_id=ticket.id,
        requested_by=by,
        assigned_to=assigned_to,
        team_id=team_id,
        is_vendor=is_vendor,
        reason=reason,
        created_at=at,
        response_due_at=at + timedelta(minutes=policy.response_minutes),
    )
    event = _event(envelope, Kind.ENVELOPE_OPENED, by, at, reason)
    escalated = ticket.model_copy(update={"escalated": True, "updated_at": at})
    if ticket.owner_id is None or not preset.allows(ticket.status, envelope.wait):
        return Enveloped(escalated, envelope, [event])
    waiting, moves = lifecycle.transition(
        escalated, to=envelope.wait, by=by, at=at, preset=preset, reason="envelope opened"
    )
    return Enveloped(waiting, envelope, [event, *moves])


def accept(ticket: Ticket, envelope: Envelope, *, by: Agent, at: datetime) -> Enveloped:
    """An expert takes it: any member of the team that was asked, or just the person who was."""
    if envelope.is_vendor:
        raise NotAllowed(f"Envelope {envelope.id} is for the vendor {envelope.team_id}; its answer completes it.")
    if envelope.status != EnvelopeStatus.PENDING:
        raise NotAllowed(f"Envelope {envelope.id} is {envelope.status}; only a pending one can be accepted.")
    is_addressee = by.id == envelope.assigned_to if envelope.team_id is None else envelope.team_id in by.teams
    if not is_addressee or not by.is_active:
        addressee = envelope.assigned_to or f"a member of {envelope.team_id}"
        raise NotAllowed(f"Envelope {envelope.id} is for {addressee}, not for {by.name}.")
    taken = envelope.model_copy(
        update={"status": EnvelopeStatus.ACTIVE, "assigned_to": by.id, "accepted_at": at},
    )
    event = _event(taken, Kind.ENVELOPE_ACCEPTED, by.id, at)
    return Enveloped(ticket.model_copy(update={"updated_at": at}), taken, [event])


def complete(
    ticket: Ticket,
    envelope: Envelope,
    *,
    by: str,
    summary: str,
    at: datetime,
    preset: lifecycle.Preset,
    others: Iterable[Envelope] = (),
) -> Enveloped:
    """The owner or the expert ends an active envelope with a summary; the last one gives the ticket back to work.

    A vendor's is completed by the owner, with what the vendor answered.
    """
    guard_thread(ticket, envelope, by=by)
    if envelope.status != EnvelopeStatus.ACTIVE and not envelope.is_vendor:
        raise NotAllowed(f"Envelope {envelope.id} is {envelope.status}; nobody has worked on it, so cancel it.")
    if not summary.strip():
        raise NotAllowed(f"Envelope {envelope.id} needs a summary for the owner.")
    return _end(ticket, envelope, by=by, at=at, preset=preset, others=others, summary=summary)


def cancel(
    ticket: Ticket,
    envelope: Envelope,
    *,
    by: str,
    at: datetime,
    preset: lifecycle.Preset,
    reason: str,
    others: Iterable[Envelope] = (),
) -> Enveloped:
    """The owner, or whoever asked, takes the question back."""
    if by not in {ticket.owner_id, envelope.requested_by} or not envelope.is_open:
        raise NotAllowed(f"Envelope {envelope.id} can be cancelled by the owner or who asked, while it is open.")
    return _end(ticket, envelope, by=by, at=at, preset=preset, others=others, reason=reason)


def guard_thread(ticket: Ticket, envelope: Envelope, *, by: str) -> None:
    """Inside an open envelope write its owner and the expert of that very envelope once it is active; nobody else."""
    is_expert = envelope.status == EnvelopeStatus.ACTIVE and by == envelope.assigned_to
    if not envelope.is_open or envelope.ticket_id != ticket.id or not (is_expert or by == ticket.owner_id):
        raise NotAllowed(
            f"Envelope {envelope.id} of {ticket.reference} is {envelope.status}: only the ticket's owner and "
            f"its active expert may work in it, not {by}."
        )


def overdue(envelopes: Iterable[Envelope], *, at: datetime) -> list[Envelope]:
    """Pending envelopes that nobody has accepted by their due instant (seed S1-26)."""
    return [e for e in envelopes if e.status == EnvelopeStatus.PENDING and e.response_due_at <= at]


class ExpertView(Frozen):
    """What an expert sees: the ticket to read, the own envelopes to work in, whether to ask the next level."""

    ticket: Ticket
    mine: tuple[Envelope, ...]
    can_open_next_level: bool


def expert_view(ticket: Ticket, envelopes: Iterable[Envelope], *, agent: Agent) -> ExpertView:
    """Own envelopes: all of an owner's ticket, else those assigned to the agent or waiting for a team of theirs."""
    is_owner = ticket.owner_id == agent.id
    mine = [e for e in envelopes if is_owner or concerns(e, agent)]
    return ExpertView(ticket=ticket, mine=tuple(mine), can_open_next_level=is_owner or _is_expert(agent.id, mine))


def concerns(envelope: Envelope, agent: Agent) -> bool:
    """Whether it waits for the agent's answer, or has it."""
    waits_for_team = envelope.status == EnvelopeStatus.PENDING and envelope.team_id in agent.teams
    return envelope.assigned_to == agent.id or waits_for_team


def _is_expert(agent_id: str, envelopes: Iterable[Envelope]) -> bool:
    return any(e.status == EnvelopeStatus.ACTIVE and e.assigned_to == agent_id for e in envelopes)


def _may_open(ticket: Ticket, by: str, others: Iterable[Envelope], *, automatic: bool) -> None:
    if not ticket.is_open:
        raise NotAllowed(
            f"{ticket.reference} is {ticket.status}; reopen it before asking for help.", way_out="ticket reopen"
        )
    here = [e for e in others if e.ticket_id == ticket.id]
    if not (automatic or (ticket.owner_id is not None and by == ticket.owner_id) or _is_expert(by, here)):
        raise NotAllowed(f"{by} can't open an envelope on {ticket.reference}: only its owner or an active expert can.")


def _end(
    ticket: Ticket,
    envelope: Envelope,
    *,
    by: str,
    at: datetime,
    preset: lifecycle.Preset,
    others: Iterable[Envelope],
    summary: str | None = None,
    reason: str | None = None,
) -> Enveloped:
    ended = envelope.model_copy(
        update={"status": EnvelopeStatus.COMPLETED, "summary": summary, "completed_at": at},
    )
    event = _event(ended, Kind.ENVELOPE_COMPLETED, by, at, summary or reason)
    left = [e for e in others if e.is_open and e.id != envelope.id and e.ticket_id == ticket.id]
    calm = ticket.model_copy(update={"escalated": bool(left), "updated_at": at})
    to = _waits_then(ticket.status, left)
    if to == ticket.status or not preset.allows(ticket.status, to):
        return Enveloped(calm, ended, [event])
    reason = "envelope completed" if left else "last envelope completed"
    back, moves = lifecycle.transition(calm, to=to, by=by, at=at, preset=preset, reason=reason)
    return Enveloped(back, ended, [event, *moves])


def _waits_then(status: Status, left: Iterable[Envelope]) -> Status:
    """Where a ticket goes that waited for envelopes, of which these are left: what it waits for now, else to work."""
    waits = {envelope.wait for envelope in left}
    if status not in {Status.WAITING_INTERNAL, Status.WAITING_VENDOR} or status in waits:
        return status
    return min(waits, default=Status.IN_PROGRESS)


def _event(envelope: Envelope, kind: Kind, by: str, at: datetime, reason: str | None = None) -> Event:
    facts = {"assigned_to": envelope.assigned_to, "team_id": envelope.team_id, "is_cancelled": envelope.is_cancelled}
    return Event(ticket_id=envelope.ticket_id, kind=kind, at=at, value=envelope.id, actor=by, reason=reason, data=facts)
