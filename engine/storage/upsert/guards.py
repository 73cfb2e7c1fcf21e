"""What a store refuses whatever the caller thinks; the database holds the same by constraints and triggers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.contracts import AllocationDecision, Event, Kind, Outcome, Ticket
from engine.not_measured import is_undated
from engine.shared.errors import BadInput, Conflict, NotFound


def may_save(
    ticket: Ticket, before: Mapping[str, Any] | None, events: Sequence[Event], known_ids: Iterable[str]
) -> None:
    """`before` is the stored row. Raises NotFound, BadInput, or Conflict if somebody else was faster."""
    if before is None:
        raise NotFound(f"There is no ticket {ticket.id}; it has to be delivered first.")
    if foreign := {event.ticket_id for event in events} - {ticket.id}:
        raise BadInput(f"An event of {', '.join(sorted(foreign))} can't be saved with {ticket.id}.")
    if before["version"] != ticket.version:
        raise Conflict(
            f"{ticket.reference} has moved on to version {before['version']} since version {ticket.version}"
            f"{_owned(before)}; load it again and decide again."
        )
    if repeated := sorted(known_ids):
        raise Conflict(f"{ticket.reference}: event {repeated[0]} is recorded already; load it again.")
    if (ticket.owner_id is None) != (ticket.accepted_by is None):
        raise BadInput(f"{ticket.reference} needs both an owner and who accepted it, or neither.")
    _keeps_owner(ticket, before, events)


def _keeps_owner(ticket: Ticket, before: Mapping[str, Any], events: Sequence[Event]) -> None:
    accepted, owner = before["accepted_by"], before["owner_id"]
    if accepted is not None and ticket.accepted_by != accepted:
        raise Conflict(f"{ticket.reference} was accepted by {accepted}, which never changes.")
    handed_over = {event.value for event in events if event.kind == Kind.TRANSFERRED}
    if owner is not None and ticket.owner_id != owner and ticket.owner_id not in handed_over:
        raise Conflict(f"{ticket.reference} is owned by {owner}; only a transfer changes that.")


def owned(row: Mapping[str, Any], event: Event) -> dict[str, Any]:
    """The columns of a ticket that an `accepted` event gives its first owner."""
    updated_at = max(row["updated_at"], event.at)
    accepted_at = None if is_undated(event) else event.at
    return {"owner_id": event.value, "accepted_by": event.value, "accepted_at": accepted_at, "updated_at": updated_at}


def _owned(before: Mapping[str, Any]) -> str:
    return f" and is owned by {before['owner_id']}" if before["owner_id"] else ""


def all_known(wanted: Iterable[str], known: Iterable[str]) -> None:
    """Raises NotFound for a ticket that is not in the store."""
    if missing := sorted(set(wanted) - set(known)):
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NotFound(f"There is no ticket {missing[0]}{more}; it has to be delivered first.")


def not_repeated(
    decisions: Iterable[AllocationDecision], last: Mapping[str, tuple[str, str | None]]
) -> list[AllocationDecision]:
    """The decisions whose outcome or group differs from their ticket's last one, given those already kept."""
    latest, new = dict(last), []
    for decision in decisions:
        answer = (decision.outcome.value, decision.group_id)
        if latest.get(decision.ticket_id) != answer:
            latest[decision.ticket_id] = answer
            new.append(decision)
    return new


def allocated(decision: AllocationDecision) -> Event:
    """The event of a decision, at the instant it speaks of; its value is the group, None if there is none."""
    return Event(
        ticket_id=decision.ticket_id,
        kind=Kind.ALLOCATED,
        at=decision.decided_at,
        value=decision.group_id if decision.outcome == Outcome.ALLOCATED else None,
        actor="allocation",
        reason=decision.rationale,
        data={"outcome": decision.outcome.value, "confidence": decision.score, "policy": decision.policy},
    )
