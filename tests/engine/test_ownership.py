"""Ownership is sacred: one owner, set once, and only the exception moves it."""

from typing import Any

import pytest

from engine import lifecycle, ownership
from engine.contracts import Agent, Kind, Status
from engine.ownership import TransferReason
from engine.shared.errors import NotAllowed
from tests.engine.people import ANA, BEN, CLEO, DIRK, EVA, FIN, POLICIES, TEAMS, a_ticket, later, on_leave, owned

POLICY = ownership.load(POLICIES / "ownership.yaml")
LIFECYCLES = lifecycle.load(POLICIES / "lifecycle.yaml")
CANONICAL = LIFECYCLES.preset()
LEFT = ANA.model_copy(update={"is_active": False})


def accept(ticket: Any, by: Any = ANA, load: int = 0, preset: lifecycle.Preset = CANONICAL) -> lifecycle.Change:
    return ownership.accept(ticket, by=by, load=load, at=later(1), preset=preset)


def transfer(**changes: Any) -> lifecycle.Change:
    facts: dict[str, Any] = {"to": BEN, "reason": TransferReason.TERMINATION, "by": DIRK, "at": later(1), "owner": LEFT}
    return ownership.transfer(owned(), policy=POLICY, **{**facts, **changes})


@pytest.mark.parametrize(("who", "theirs"), [(ANA, True), (FIN, False), (DIRK, True)])
def test_a_tickets_team_is_its_members_and_managers(who: Agent, theirs: bool) -> None:
    cloud = TEAMS[0]
    assert ownership.is_of_team(who.model_copy(update={"teams": who.teams if who != DIRK else ()}), cloud) == theirs
    assert ownership.is_of_team(who, None)


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
        (ANA, 0, "closed", "reopen it, and it is yours"),
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


def assign(ticket: Any, to: Any = BEN, group: str | None = None, load: int = 0) -> lifecycle.Change:
    return ownership.assign(ticket, to=to, group=group, load=load, by="cleo", at=later(1))


def test_assigning_names_whom_it_is_for_and_sets_no_owner() -> None:
    ticket, events = assign(a_ticket(), group="g-1")
    assert (ticket.assignee_id, ticket.group_id, ticket.owner_id) == ("ben", "g-1", None)
    assert [(event.kind, event.value, event.actor) for event in events] == [
        (Kind.GROUP, "g-1", "cleo"),
        (Kind.ASSIGNEE, "ben", "cleo"),
    ]
    assert assign(ticket, group="g-1")[1] == []


@pytest.mark.parametrize(
    ("ticket", "to", "load", "why"),
    [
        (owned(), BEN, 0, "owned by ana and stays there"),
        (a_ticket(status="closed"), BEN, 0, "closed; reopen it first"),
        (a_ticket(), EVA, 0, "Eva is not active"),
        (a_ticket(), BEN, 1, "1 open tickets of at most 1"),
    ],
)
def test_assigning_is_refused_with_the_reason(ticket: Any, to: Any, load: int, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        assign(ticket, to, load=load)


def test_transfer_keeps_who_accepted() -> None:
    ticket, [event] = transfer()
    assert (ticket.owner_id, ticket.accepted_by) == ("ben", "ana")
    assert (event.actor, event.value, event.reason) == ("dirk", "ben", "termination")
    assert event.data["from"] == "ana"


@pytest.mark.parametrize(
    ("owner", "why"),
    [
        (ANA, None),
        (on_leave(ANA, 30), None),
        (on_leave(ANA, 31), "extended_leave"),
        (on_leave(ANA, 60, since=70), None),
        (on_leave(ANA, 60, since=-1), None),
        (LEFT, "termination"),
        (None, "termination"),
    ],
)
def test_who_is_gone_is_inactive_or_on_a_leave_of_more_than_thirty_days(owner: Any, why: str | None) -> None:
    assert ownership.gone(owner, at=later(1), policy=POLICY) == why
    for reason in TransferReason:
        if reason != why:
            with pytest.raises(NotAllowed, match="Open an envelope instead"):
                transfer(reason=reason, owner=owner)


def test_absences_that_meet_are_one_leave() -> None:
    holiday, sick = on_leave(ANA, 20, since=20).absences[0], on_leave(ANA, 12).absences[0]
    away = ANA.model_copy(update={"absences": (sick, holiday)})
    assert ownership.leave(away, later(1)).days == 32
    assert transfer(reason=TransferReason.EXTENDED_LEAVE, owner=away)[0].owner_id == "ben"


def test_agents_are_known_by_id_address_and_name_and_a_name_of_two_is_nobodys() -> None:
    twin = BEN.model_copy(update={"name": "Ana"})
    known = ownership.by_name([ANA, twin])
    assert [known.get(name) for name in ("ana", "ana@desk.example", "ben")] == [ANA, ANA, twin]
    assert ownership.by_name([BEN, twin.model_copy(update={"id": "cleo"})]).get("ben@desk.example") is None


def test_tickets_of_who_is_gone_are_listed_with_their_transfer() -> None:
    tickets = [owned(), owned(id="web:2", status="closed"), owned(id="web:3", owner_id="ben")]
    [left] = ownership.left_behind(tickets, {"ana": LEFT, "ben": BEN}, at=later(1), policy=POLICY)
    assert (left.ticket_id, left.why) == ("web:1", "termination")
    assert "ticket transfer web:1" in left.transfer


def test_tickets_whose_assignee_is_another_are_listed() -> None:
    tickets = [owned(id=name, assignee_id=name) for name in ("ana", "ANA@desk.example", "Ben", "nobody")]
    assert [each.ticket_id for each in ownership.differences([*tickets, owned()], [ANA, BEN])] == ["Ben", "nobody"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"by": CLEO}, "ask a manager"),
        ({"by": ANA}, "ask a manager"),
        ({"by": DIRK.model_copy(update={"is_active": False})}, "can't authorise"),
        ({"to": EVA}, "another active agent"),
        ({"to": ANA}, "another active agent"),
    ],
)
def test_transfer_needs_a_manager_and_somebody_to_take_it(change: dict[str, Any], said: str) -> None:
    with pytest.raises(NotAllowed, match=said):
        transfer(**change)


def test_ticket_without_owner_is_accepted_not_transferred() -> None:
    with pytest.raises(NotAllowed, match="accept it"):
        ownership.transfer(
            a_ticket(), owner=None, to=BEN, reason=TransferReason.TERMINATION, by=DIRK, at=later(1), policy=POLICY
        )


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
