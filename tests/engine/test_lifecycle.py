"""Which way tickets may move, and what their dates tell."""

from itertools import pairwise
from typing import Any

import pytest

from engine import lifecycle
from engine.contracts import Event, Kind, Priority, SlaEffect, Status
from engine.shared.errors import NotAllowed, NotFound
from tests.engine.people import MONDAY, POLICIES, a_ticket, delivered, later, owned

POLICY = lifecycle.load(POLICIES / "lifecycle.yaml")
CANONICAL = POLICY.preset()


def move(ticket: Any, to: str, preset: str = "canonical") -> lifecycle.Change:
    return lifecycle.transition(ticket, to=Status(to), by="ana", at=later(1), preset=POLICY.preset(preset))


@pytest.mark.parametrize(
    ("preset", "path", "is_legal"),
    [
        ("canonical", "new in_progress resolved closed in_progress", True),
        ("canonical", "new waiting_vendor waiting_internal resolved in_progress", True),
        ("itil-next", "new in_progress waiting_internal in_progress resolved closed", True),
        ("itil-next", "new resolved", False),
        ("itil-next", "new in_progress resolved in_progress", False),
        ("companyos", "new triage in_progress waiting_customer resolved closed in_progress", True),
        ("companyos", "new in_progress", False),
        ("companyos", "new triage in_progress closed", False),
        ("aigenius", "new waiting_customer closed", True),
        ("aigenius", "new resolved new in_progress waiting_vendor resolved closed", True),
        ("aigenius", "new resolved closed new", False),
        ("aigenius", "new waiting_vendor", False),
    ],
)
def test_presets_hold_their_tables(preset: str, path: str, is_legal: bool) -> None:
    statuses = [Status(word) for word in path.split()]
    steps = list(pairwise(statuses))
    allowed = [POLICY.preset(preset).allows(before, after) for before, after in steps]
    assert all(allowed[:-1])
    assert allowed[-1] is is_legal


def test_forbidden_move_says_the_ways_out() -> None:
    with pytest.raises(NotAllowed, match="INC-1 is closed and can't become new; from here it goes to in_progress"):
        move(a_ticket(status="closed"), "new")


def test_unknown_preset_names_the_known() -> None:
    with pytest.raises(NotFound, match="aigenius, canonical, companyos, itil-next"):
        POLICY.preset("sap")


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("in_progress", "waiting_customer", "pause"),
        ("waiting_customer", "in_progress", "resume"),
        ("waiting_customer", "waiting_internal", "resume"),
        ("in_progress", "waiting_internal", "none"),
        ("waiting_customer", "resolved", "stop"),
        ("resolved", "closed", "none"),
        ("closed", "in_progress", "reopen"),
    ],
)
def test_every_move_says_what_it_does_to_the_clock(before: str, after: str, effect: str) -> None:
    _, [event] = move(a_ticket(status=before), after)
    assert event.sla_effect == SlaEffect(effect)


def test_reopening_keeps_history_and_clears_ends() -> None:
    resolved, first = move(owned(), "resolved")
    closed, second = move(resolved, "closed")
    assert (closed.resolved_at, closed.closed_at) == (later(1), later(1))
    again, third = move(closed, "in_progress")
    assert (again.resolved_at, again.closed_at, again.owner_id) == (None, None, "ana")
    assert [event.value for event in first + second + third] == ["resolved", "closed", "in_progress"]


def test_open_envelope_keeps_a_ticket_from_resolving() -> None:
    with pytest.raises(NotAllowed, match="open envelope"):
        move(owned(escalated=True), "resolved")


def test_every_reply_is_a_response_and_the_first_stays_the_first() -> None:
    ticket, [first] = lifecycle.respond(owned(), by="ana", at=later(1))
    ticket, [second] = lifecycle.respond(ticket, by="ana", at=later(2))
    assert (first.kind, second.kind, ticket.first_response_at) == (Kind.RESPONSE, Kind.RESPONSE, later(1))


def test_same_priority_is_no_event() -> None:
    ticket = owned()
    assert lifecycle.reprioritise(ticket, to=Priority.MEDIUM, by="ana", at=later(1)) == (ticket, [])


HISTORIES = [
    ({"status": "new"}, []),
    ({"status": "waiting_customer", "updated_at": later(3)}, [("status", "waiting_customer", 3)]),
    ({"status": "in_progress"}, [("status", "in_progress", 0)]),
    (
        {"status": "closed", "first_response_at": later(1), "resolved_at": later(2), "closed_at": later(9)},
        [("response", None, 1), ("status", "resolved", 2), ("status", "closed", 9)],
    ),
    ({"status": "closed", "closed_at": later(2)}, [("status", "closed", 2)]),
    ({"status": "resolved", "updated_at": later(4)}, [("status", "resolved", 4)]),
    (
        {"status": "in_progress", "resolved_at": later(2), "updated_at": later(5)},
        [("status", "resolved", 2), ("status", "in_progress", 5)],
    ),
    (
        {"status": "closed", "resolved_at": later(5), "closed_at": later(3)},
        [("status", "closed", 3), ("status", "resolved", 5), ("status", "closed", 5)],
    ),
    (
        {"status": "resolved", "resolved_at": later(2), "closed_at": later(2), "updated_at": later(2)},
        [("status", "closed", 2), ("status", "resolved", 2)],
    ),
]


@pytest.mark.parametrize(("dates", "told"), HISTORIES)
def test_dates_tell_the_history(dates: dict[str, Any], told: list[tuple[str, str | None, float]]) -> None:
    created, *rest = lifecycle.history_from_dates(delivered(1, priority="high", **dates), at=MONDAY)
    assert (created.kind, created.at, created.id) == (Kind.CREATED, MONDAY, "web:1/created")
    assert created.data == {"status": "new", "priority": "high", "tier": "standard", "type": "incident"}
    assert [(event.kind, event.value, event.at) for event in rest] == [(kind, to, later(h)) for kind, to, h in told]


@pytest.mark.parametrize(("dates", "told"), HISTORIES)
def test_history_from_dates_ends_where_the_ticket_is(dates: dict[str, Any], told: object) -> None:
    ticket = delivered(1, **dates)
    events = lifecycle.history_from_dates(ticket, at=MONDAY)
    assert lifecycle.replay(events[0].data, events).status == ticket.status
    assert len({event.id for event in events}) == len(events)
    assert events == lifecycle.history_from_dates(ticket, at=MONDAY)


def test_replay_counts_by_instant_whatever_the_order() -> None:
    told = [("resolved", 3), ("waiting_customer", 1), ("in_progress", 2)]
    events = [Event(ticket_id="web:1", kind=Kind.STATUS, at=later(h), value=to) for to, h in told]
    created = {"status": "new", "priority": "low", "tier": "free", "type": "request"}
    state = lifecycle.replay(created, events)
    assert (state.status, state.resolved_at, state.priority) == (Status.RESOLVED, later(3), Priority.LOW)


def test_replay_keeps_the_first_response_and_owner_of_the_last_transfer() -> None:
    facts = [
        (Kind.RESPONSE, None, 1),
        (Kind.RESPONSE, None, 2),
        (Kind.ACCEPTED, "ana", 1),
        (Kind.TRANSFERRED, "ben", 3),
    ]
    events = [Event(ticket_id="web:1", kind=kind, at=later(h), value=value) for kind, value, h in facts]
    created = {"status": "new", "priority": "low", "tier": "free", "type": "request"}
    state = lifecycle.replay(created, events)
    assert (state.first_response_at, state.owner_id, state.accepted_by) == (later(1), "ben", "ana")


def test_resolved_tickets_close_after_their_days() -> None:
    old, young = owned(status="resolved", resolved_at=later(0)), owned(status="resolved", resolved_at=later(1))
    due = lifecycle.due_for_closing([old, young, owned()], at=later(days=14), preset=CANONICAL)
    assert due == [old]
    assert lifecycle.due_for_closing([old], at=later(days=99), preset=POLICY.preset("aigenius")) == []
