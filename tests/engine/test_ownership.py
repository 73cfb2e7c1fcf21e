"""Ownership is sacred: one owner, set once, and only the exception moves it."""

from typing import Any

import pytest

from engine import lifecycle, ownership
from engine.contracts import Kind, Status
from engine.ownership import TransferReason
from engine.shared.errors import NotAllowed
from tests.engine.people import ANA, BEN, CLEO, DIRK, EVA, FIN, POLICIES, a_ticket, later, owned

POLICY = ownership.load(POLICIES / "ownership.yaml")
LIFECYCLES = lifecycle.load(POLICIES / "lifecycle.yaml")
CANONICAL = LIFECYCLES.preset()


def accept(ticket: Any, by: Any = ANA, load: int = 0, preset: lifecycle.Preset = CANONICAL) -> lifecycle.Change:
    return ownership.accept(ticket, by=by, load=load, at=later(1), preset=preset)


def transfer(**changes: Any) -> lifecycle.Change:
    facts: dict[str, Any] = {"to": BEN, "reason": TransferReason.TERMINATION, "authorised_by": DIRK, "at": later(1)}
    return ownership.transfer(owned(), policy=POLICY, **{**facts, **changes})


def test_accepting_sets_the_owner_for_good() -> None:
    ticket, events = accept(a_ticket())
    assert (ticket.owner_id, ticket.accepted_by, ticket.accepted_at) == ("ana", "ana", later(1))
    assert [(event.kind, event.value) for event in events] == [(Kind.ACCEPTED, "ana"), (Kind.STATUS, "in_progress")]
    with pytest.raises(NotAllowed, match="join with an envelope instead"):
        accept(ticket, by=CLEO)


def test_owner_can_not_accept_twice() -> None:
    with pytest.raises(NotAllowed, match="owned by ana"):
        accept(owned())


@pytest.mark.parametrize(
    ("by", "load", "status", "said"),
    [
        (EVA, 0, "new", "Eva is not active"),
        (BEN, 1, "new", "1 open tickets of at most 1"),
        (ANA, 25, "new", "25 open tickets of at most 25"),
        (ANA, 0, "closed", "nothing left to accept"),
    ],
)
def test_accepting_is_refused_with_the_reason(by: Any, load: int, status: str, said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        accept(a_ticket(status=status), by=by, load=load)


@pytest.mark.parametrize(
    ("preset", "before", "after"),
    [
        ("canonical", "new", "in_progress"),
        ("canonical", "waiting_vendor", "waiting_vendor"),
        ("companyos", "new", "triage"),
        ("companyos", "triage", "triage"),
        ("aigenius", "new", "in_progress"),
    ],
)
def test_accepting_moves_a_new_ticket_where_the_preset_says(preset: str, before: str, after: str) -> None:
    ticket, _ = accept(a_ticket(status=before), preset=LIFECYCLES.preset(preset))
    assert ticket.status == Status(after)


def test_load_counts_open_tickets_only() -> None:
    assert ownership.open_load([owned(), owned(status="waiting_customer"), owned(status="resolved")]) == 2


def test_transfer_keeps_who_accepted() -> None:
    ticket, [event] = transfer()
    assert (ticket.owner_id, ticket.accepted_by) == ("ben", "ana")
    assert (event.actor, event.value, event.reason) == ("dirk", "ben", "termination")
    assert event.data["from"] == "ana"


@pytest.mark.parametrize(("days", "is_allowed"), [(None, False), (0, False), (30, False), (31, True)])
def test_leave_counts_after_thirty_days(days: int | None, is_allowed: bool) -> None:
    leave = TransferReason.EXTENDED_LEAVE
    assert ownership.can_transfer(owned(), reason=leave, leave_days=days, policy=POLICY) is is_allowed
    if not is_allowed:
        with pytest.raises(NotAllowed, match="Open an envelope instead"):
            transfer(reason=leave, leave_days=days)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"authorised_by": CLEO}, "ask a manager"),
        ({"authorised_by": ANA}, "ask a manager"),
        ({"authorised_by": DIRK.model_copy(update={"is_active": False})}, "can't authorise"),
        ({"to": EVA}, "another active agent"),
        ({"to": ANA}, "another active agent"),
    ],
)
def test_transfer_needs_a_manager_and_somebody_to_take_it(change: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        transfer(**change)


def test_ticket_without_owner_is_accepted_not_transferred() -> None:
    reason = TransferReason.TERMINATION
    assert not ownership.can_transfer(a_ticket(), reason=reason, leave_days=None, policy=POLICY)


def test_only_the_owner_may_act() -> None:
    ownership.guard(owned(), by="ana", doing="reply")
    with pytest.raises(NotAllowed, match="only the owner may reply"):
        ownership.guard(owned(), by=FIN.id, doing="reply")
    with pytest.raises(NotAllowed, match="accept it first"):
        ownership.guard(a_ticket(), by="ana", doing="reply")


def test_release_waits_for_the_end_and_keeps_the_owner() -> None:
    with pytest.raises(NotAllowed, match="once it is resolved or closed"):
        ownership.release(owned(), by="ana", at=later(1))
    ticket, [event] = ownership.release(owned(status="resolved"), by="ana", at=later(1))
    assert (ticket.owner_id, event.kind) == ("ana", Kind.RELEASED)
    with pytest.raises(NotAllowed, match="only the owner"):
        ownership.release(owned(status="closed"), by="ben", at=later(1))
