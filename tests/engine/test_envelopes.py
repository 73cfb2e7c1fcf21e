"""Help comes in envelopes: beside the owner, never instead."""

from typing import Any

import pytest

from engine import envelopes, lifecycle
from engine.contracts import Kind, Status
from engine.envelopes import EnvelopeStatus
from engine.shared.errors import NotAllowed
from tests.engine.people import ANA, BEN, CLEO, EVA, FIN, POLICIES, a_ticket, later, owned

POLICY = envelopes.load(POLICIES / "envelopes.yaml")
LIFECYCLES = lifecycle.load(POLICIES / "lifecycle.yaml")
CANONICAL = LIFECYCLES.preset()


def ask(ticket: Any = None, *, by: str = "ana", key: str = "e1", hour: float = 1, **changes: Any) -> Any:
    where = {} if "assigned_to" in changes else {"team_id": "network"}
    facts: dict[str, Any] = {"reason": "DNS", "policy": POLICY, "preset": CANONICAL, **where, **changes}
    return envelopes.open_for(owned() if ticket is None else ticket, key=key, by=by, at=later(hour), **facts)


def active(ticket: Any = None, **changes: Any) -> Any:
    opened = ask(ticket, **changes)
    return envelopes.accept(opened.ticket, opened.envelope, by=BEN, at=later(2))


def finish(step: Any, *, by: str = "ben", others: Any = (), summary: str = "zone was missing") -> Any:
    return envelopes.complete(
        step.ticket, step.envelope, by=by, summary=summary, at=later(3), preset=CANONICAL, others=others
    )


def test_opening_waits_internally_for_four_hours_at_most() -> None:
    opened = ask()
    assert (opened.ticket.status, opened.ticket.escalated) == (Status.WAITING_INTERNAL, True)
    assert opened.envelope.response_due_at == later(5)
    assert [event.kind for event in opened.events] == [Kind.ENVELOPE_OPENED, Kind.STATUS]


def test_owner_stays_when_expert_joins() -> None:
    done = finish(active())
    assert (done.ticket.owner_id, done.ticket.accepted_by) == ("ana", "ana")
    assert not [event for event in done.events if event.kind in {Kind.ACCEPTED, Kind.TRANSFERRED}]


def test_clock_keeps_running_during_an_envelope() -> None:
    assert [event.sla_effect for event in ask().events] == ["none", "none"]


def test_strangers_can_not_open() -> None:
    for stranger in ("fin", "cleo", "system"):
        with pytest.raises(NotAllowed, match="only its owner or an active expert"):
            ask(by=stranger)


def test_active_expert_asks_the_next_level() -> None:
    first = active()
    second = ask(first.ticket, by="ben", key="e2", others=[first.envelope], assigned_to="cleo")
    assert second.envelope.requested_by == "ben"
    ended = finish(first, others=[second.envelope]).envelope
    with pytest.raises(NotAllowed, match="active expert"):
        ask(first.ticket, by="ben", key="e3", others=[ended])


def test_expert_of_another_ticket_is_no_expert_here() -> None:
    elsewhere = active(owned(id="web:2")).envelope
    with pytest.raises(NotAllowed, match="active expert"):
        ask(by="ben", others=[elsewhere])


@pytest.mark.parametrize(
    "wrong",
    [{"reason": " "}, {"team_id": "network", "assigned_to": "ben"}, {"assigned_to": None}, {"assigned_to": "ana"}],
)
def test_envelope_needs_a_reason_and_one_address(wrong: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed, match="a reason and either a team or one other person"):
        ask(**wrong)


def test_any_team_member_accepts_and_becomes_the_expert() -> None:
    taken = active().envelope
    assert (taken.status, taken.assigned_to, taken.accepted_at) == (EnvelopeStatus.ACTIVE, "ben", later(2))


@pytest.mark.parametrize("who", [ANA, CLEO, EVA])
def test_outsiders_and_inactive_can_not_accept(who: Any) -> None:
    opened = ask()
    with pytest.raises(NotAllowed, match="is for a member of network"):
        envelopes.accept(opened.ticket, opened.envelope, by=who, at=later(2))


def test_person_routed_is_for_that_person_only() -> None:
    opened = ask(assigned_to="fin")
    with pytest.raises(NotAllowed, match="is for fin, not for Ben"):
        envelopes.accept(opened.ticket, opened.envelope, by=BEN, at=later(2))
    assert envelopes.accept(opened.ticket, opened.envelope, by=FIN, at=later(2)).envelope.assigned_to == "fin"


def test_envelope_is_accepted_once() -> None:
    taken = active()
    with pytest.raises(NotAllowed, match="only a pending one"):
        envelopes.accept(taken.ticket, taken.envelope, by=FIN, at=later(3))


@pytest.mark.parametrize("by", ["ben", "ana"])
def test_expert_or_owner_completes_and_work_goes_on(by: str) -> None:
    done = finish(active(), by=by)
    assert (done.ticket.status, done.ticket.escalated) == (Status.IN_PROGRESS, False)
    assert (done.envelope.status, done.envelope.summary) == (EnvelopeStatus.COMPLETED, "zone was missing")
    assert done.events[0].reason == "zone was missing"


def test_pending_or_strangers_can_not_complete() -> None:
    with pytest.raises(NotAllowed, match="cancel it"):
        finish(ask(), by="ana")
    with pytest.raises(NotAllowed, match="not fin"):
        finish(active(), by="fin")
    with pytest.raises(NotAllowed, match="needs a summary"):
        finish(active(), summary="  ")


def test_only_the_last_completion_returns_the_ticket() -> None:
    first = active()
    second = ask(first.ticket, key="e2")
    half = envelopes.complete(
        second.ticket, first.envelope, by="ben", summary="done", at=later(3), preset=CANONICAL, others=[second.envelope]
    )
    assert (half.ticket.status, half.ticket.escalated) == (Status.WAITING_INTERNAL, True)
    last = envelopes.cancel(
        half.ticket, second.envelope, by="ana", at=later(4), preset=CANONICAL, reason="moot", others=[half.envelope]
    )
    assert (last.ticket.status, last.ticket.escalated) == (Status.IN_PROGRESS, False)
    assert last.envelope.is_cancelled


def test_expert_guard_is_of_that_very_envelope() -> None:
    taken = active()
    envelopes.guard_thread(taken.ticket, taken.envelope, by="ben")
    other = taken.envelope.model_copy(update={"id": "e2", "assigned_to": "fin"})
    for envelope, who in [(other, "ben"), (taken.envelope, "fin"), (ask().envelope, "ben")]:
        with pytest.raises(NotAllowed, match="only the ticket's owner and its active expert"):
            envelopes.guard_thread(taken.ticket, envelope, by=who)


def test_expert_is_out_once_it_is_completed() -> None:
    done = finish(active())
    with pytest.raises(NotAllowed, match="is completed"):
        envelopes.guard_thread(done.ticket, done.envelope, by="ben")


def test_unowned_ticket_keeps_its_status_when_a_rule_asks() -> None:
    opened = ask(a_ticket(), by="system", automatic=True)
    assert (opened.ticket.status, opened.ticket.escalated) == (Status.NEW, True)


def test_preset_without_waiting_internal_keeps_the_status() -> None:
    opened = ask(preset=LIFECYCLES.preset("aigenius"))
    assert (opened.ticket.status, opened.ticket.escalated) == (Status.IN_PROGRESS, True)


def test_finished_ticket_gets_no_envelope() -> None:
    with pytest.raises(NotAllowed, match="reopen it"):
        ask(owned(status="resolved"))


def test_overdue_is_pending_past_its_due_instant() -> None:
    waiting, taken = ask().envelope, active().envelope
    assert envelopes.overdue([waiting, taken], at=later(4.99)) == []
    assert envelopes.overdue([waiting, taken], at=later(5)) == [waiting]


def test_expert_sees_own_envelopes_and_may_ask_further() -> None:
    taken, other = active().envelope, ask(key="e2", assigned_to="cleo").envelope
    view = envelopes.expert_view(owned(), [taken, other], agent=BEN)
    assert (view.mine, view.can_open_next_level) == ((taken,), True)
    waiting = envelopes.expert_view(owned(), [ask().envelope], agent=FIN)
    assert (len(waiting.mine), waiting.can_open_next_level) == (1, False)
