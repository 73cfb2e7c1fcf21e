"""What the desk allows and refuses in a day: tickets taken down, help, pauses, ends, grants, the end of a ticket."""

from typing import Any

import pytest

from engine import cases
from engine.contracts import AssignmentGroup, Contact, Kind, Status
from engine.desk import Desk
from engine.envelopes import EnvelopeStatus
from engine.flags import FlagType
from engine.resolutions import Claim, WentWrong
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.storage.ports import Store
from tests.engine.people import BEN, a_desk, delivered, later

VENDOR = AssignmentGroup(group_id="acme", name="Acme", max_bandwidth=9, is_vendor=True)


def accepted(store: Store, **changes: Any) -> Desk:
    """A desk whose one ticket is Ana's."""
    desk = a_desk(store, delivered(1, **changes))
    desk.accept("web:1", by="ana", at=later(1))
    return desk


def refund(amount: str, **changes: Any) -> Claim:
    facts = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "refund", "amount": amount}
    return Claim.model_validate({**facts, **changes})


class TestCreating:
    def test_tickets_taken_down_are_numbered_by_the_year(self, store: Store) -> None:
        desk = a_desk(store)
        made = [desk.create(title="No dial tone", by="ana", at=later(n)) for n in (1, 2)]
        made.append(desk.create(title="Next year", by="ana", at=later(days=365)))
        assert [ticket.id for ticket in made] == [f"desk:INC-{n}" for n in ("2026-0001", "2026-0002", "2027-0001")]
        assert {ticket.reference for ticket in made} == {ticket.external_id for ticket in made}
        assert desk.accept(made[0].id, by="ana", at=later(3)).owner_id == "ana"

    def test_nobody_creates_for_a_group_that_is_not_there(self, store: Store) -> None:
        desk = a_desk(store)
        with pytest.raises(NotFound, match="no group nowhere"):
            desk.create(title="x", by="ana", group="nowhere", at=later(1))
        with pytest.raises(NotAllowed, match=r"Eva .* not active"):
            desk.create(title="x", by="eva", at=later(1))
        with pytest.raises(BadInput, match="title is blank"):
            desk.create(title=" ", by="ana", at=later(1))


class TestLoad:
    def test_assigned_tickets_count_and_each_once(self, store: Store) -> None:
        desk = a_desk(store, delivered(1), delivered(2, assignee="ben@desk.example"))
        with pytest.raises(NotAllowed, match="1 open tickets of at most 1"):
            desk.accept("web:1", by="ben", at=later(1))
        assert desk.accept("web:2", by="ben", at=later(1)).owner_id == "ben"
        assert [item.ticket.id for item in desk.my_queue(by="ben", at=later(2))] == ["web:2"]


class TestStatus:
    @pytest.mark.parametrize(
        ("to", "way"),
        [("resolved", "ticket resolve"), ("closed", "ticket close"), ("waiting_internal", "by an envelope"),
         ("waiting_vendor", "ask the vendor")],
    )  # fmt: skip
    def test_a_plain_change_refuses_what_has_its_own_way(self, store: Store, to: str, way: str) -> None:
        desk = accepted(store)
        with pytest.raises(NotAllowed, match=way):
            desk.change_status("web:1", to=Status(to), by="ana", at=later(2))
        desk.resolve("web:1", by="ana", summary="done", at=later(3))
        with pytest.raises(NotAllowed, match="reopen it with a reason"):
            desk.change_status("web:1", to=Status.IN_PROGRESS, by="ana", at=later(4))


class TestEnding:
    def test_what_went_wrong_stands_in_the_history(self, store: Store) -> None:
        desk = accepted(store)
        desk.resolve("web:1", by="ana", summary="Rerouted.", what_went_wrong=WentWrong.OUTAGE, at=later(2))
        assert store.history("web:1")[-1].data == {"what_went_wrong": "outage"}

    def test_survey_is_kept_at_closing(self, store: Store) -> None:
        desk = accepted(store)
        desk.resolve("web:1", by="ana", summary="Rerouted.", at=later(2))
        desk.close("web:1", by="ana", survey=cases.Answers(csat=4, nps=9), at=later(3))
        assert [(one.csat, one.nps) for one in store.all(cases.Survey)] == [(4, 9)]

    def test_who_reopens_a_ticket_without_owner_owns_it(self, store: Store) -> None:
        group = AssignmentGroup(group_id="g", name="G", max_bandwidth=9, team_id="cloud")
        desk = a_desk(store, delivered(1, status="closed", closed_at=later(1), group="g"))
        store.put([group])
        with pytest.raises(NotAllowed, match="reopen it first"):
            desk.reply("web:1", by="ana", text="hi", at=later(2))
        with pytest.raises(NotAllowed, match="for Cloud; one of them"):
            desk.reopen("web:1", by="fin", reason="came back", at=later(2))
        ticket = desk.reopen("web:1", by="ana", reason="came back", at=later(2))
        assert (ticket.owner_id, ticket.accepted_by, ticket.status) == ("ana", "ana", Status.IN_PROGRESS)


class TestHelp:
    def test_a_vendor_is_waited_for_and_answers_by_the_owner(self, store: Store) -> None:
        desk = accepted(store)
        store.put([VENDOR])
        asked = desk.open_envelope("web:1", by="ana", reason="firmware", team_id="acme", at=later(2))
        assert store.ticket("web:1").status == Status.WAITING_VENDOR
        with pytest.raises(NotAllowed, match="only the ticket's owner"):
            desk.complete_envelope(asked.id, by="ben", summary="x", at=later(3))
        done = desk.complete_envelope(asked.id, by="ana", summary="patched in 4.2", at=later(3))
        assert (done.status, store.ticket("web:1").status) == (EnvelopeStatus.COMPLETED, Status.IN_PROGRESS)

    def test_while_a_colleague_is_asked_too_the_ticket_waits_for_them_then(self, store: Store) -> None:
        desk = accepted(store)
        store.put([VENDOR])
        desk.open_envelope("web:1", by="ana", reason="DNS", assigned_to="ben", at=later(2))
        asked = desk.open_envelope("web:1", by="ana", reason="firmware", team_id="acme", at=later(2))
        desk.complete_envelope(asked.id, by="ana", summary="patched", at=later(3))
        ticket = store.ticket("web:1")
        assert (ticket.status, ticket.escalated, ticket.owner_id) == (Status.WAITING_INTERNAL, True, "ana")

    def test_an_expert_asks_the_next_level(self, store: Store) -> None:
        desk = accepted(store)
        first = desk.open_envelope("web:1", by="ana", reason="DNS", assigned_to="ben", at=later(2))
        with pytest.raises(NotAllowed, match="only its owner or an active expert"):
            desk.open_envelope("web:1", by="ben", reason="deeper", assigned_to="fin", at=later(2))
        desk.accept_envelope(first.id, by="ben", at=later(2))
        nested = desk.open_envelope("web:1", by="ben", reason="deeper", assigned_to="fin", at=later(3))
        assert [one.id for one in desk.my_envelopes(by="fin")] == [nested.id]

    @pytest.mark.parametrize(
        ("asked", "kind", "why"),
        [({"assigned_to": "eva"}, NotAllowed, "not active"), ({"assigned_to": "zoe"}, NotFound, "no agent zoe"),
         ({"team_id": "legal"}, NotAllowed, "Nobody is in Legal"), ({"team_id": "zoo"}, NotFound, "no team zoo")],
    )  # fmt: skip
    def test_who_cannot_answer_is_not_asked(self, store: Store, asked: Any, kind: Any, why: str) -> None:
        desk = accepted(store)
        with pytest.raises(kind, match=why):
            desk.open_envelope("web:1", by="ana", reason="help", at=later(2), **asked)
        assert store.ticket("web:1").status == Status.IN_PROGRESS

    def test_tasks_go_to_agents_and_the_late_come_first(self, store: Store) -> None:
        desk = accepted(store)
        with pytest.raises(NotFound, match="no agent zoe"):
            desk.add_task("web:1", title="call", by="ana", assigned_to="zoe", at=later(2))
        names = ["call", "write", "ask"]
        for name, due in zip(names, (None, later(9), later(3)), strict=True):
            desk.add_task("web:1", title=name, by="ana", assigned_to="ben", due_date=due, at=later(2))
        assert [task.title for task in desk.my_tasks(by="ben", at=later(4))] == ["ask", "write", "call"]


class TestClocks:
    def test_a_lead_who_is_not_the_owner_approves_a_pause(self, store: Store) -> None:
        desk = accepted(store)
        for name in ("ana", "ben"):
            with pytest.raises(NotAllowed, match="ask another lead"):
                desk.pause("web:1", reason="holiday", by=name, at=later(2))
        desk.pause("web:1", reason="holiday", by="cleo", at=later(2))
        with pytest.raises(NotAllowed, match="paused already"):
            desk.pause("web:1", reason="again", by="cleo", at=later(2))
        desk.resume("web:1", by="ana", at=later(3))
        kinds = [(event.kind, event.value) for event in store.history("web:1")[-2:]]
        assert kinds == [(Kind.PAUSE, "holiday"), (Kind.RESUME, None)]

    def test_the_agreed_end_moves_with_a_reason(self, store: Store) -> None:
        desk = accepted(store)
        with pytest.raises(BadInput, match="reason is blank"):
            desk.agree_due("web:1", due=later(9), reason=" ", by="ana", at=later(2))
        with pytest.raises(NotAllowed, match="Fin may not move"):
            desk.agree_due("web:1", due=later(9), reason="agreed", by="fin", at=later(2))
        assert desk.agree_due("web:1", due=later(9), reason="agreed", by="ana", at=later(2)).agreed_due_at == later(9)
        event = store.history("web:1")[-1]
        assert (event.kind, event.value, event.reason) == (Kind.DUE, later(9).isoformat(), "agreed")

    def test_priority_takes_a_reason(self, store: Store) -> None:
        desk = accepted(store)
        with pytest.raises(BadInput, match="reason is blank"):
            desk.reprioritise("web:1", to="high", reason="", by="ana", at=later(2))
        assert desk.reprioritise("web:1", to="high", reason="all down", by="cleo", at=later(2)).priority == "high"


class TestWords:
    def test_customers_are_known(self, store: Store) -> None:
        desk = accepted(store, requester="rob")
        store.put([Contact(id="sue", email="sue@x.example", name="Sue")])
        for author in (None, "rob", "sue", "sue@x.example"):
            desk.receive("web:1", author=author, text="hello?", at=later(2))
        with pytest.raises(NotFound, match="no contact zoe"):
            desk.receive("web:1", author="zoe", text="hello?", at=later(3))
        assert [event.kind for event in store.history("web:1")].count(Kind.CUSTOMER_MESSAGE) == 4

    def test_history_names_who_took_them_down(self, store: Store) -> None:
        desk = accepted(store, requester="rob")
        desk.receive("web:1", text="hello?", by="ben", at=later(2))
        event = store.history("web:1")[-1]
        assert (event.actor, event.data["taken_by"]) == ("rob", "ben")

    def test_nobody_flags(self, store: Store) -> None:
        desk = accepted(store)
        with pytest.raises(NotFound, match="no agent zoe"):
            desk.add_flag("web:1", type=FlagType.LEGAL, by="zoe", reason="x", at=later(2))
        with pytest.raises(NotAllowed, match="no flag legal"):
            desk.clear_flag("web:1", type=FlagType.LEGAL, by="ana", at=later(2))


class TestGrants:
    @pytest.mark.parametrize(
        ("amounts", "tiers"),
        [(["60", "40"], ["agent", "agent"]), (["60", "40.01"], ["agent", "team_lead"]),
         (["300", "200.01"], ["team_lead", "manager"]), (["100", "0"], ["agent", "agent"])],
    )  # fmt: skip
    def test_several_on_a_ticket_add_up(self, store: Store, amounts: Any, tiers: list[str]) -> None:
        desk = accepted(store)
        made = [desk.propose_resolution("web:1", refund(amount), by="ana", at=later(2)) for amount in amounts]
        assert [grant.tier for grant in made] == tiers

    def test_a_refused_one_counts_no_more(self, store: Store) -> None:
        desk = accepted(store)
        first = desk.propose_resolution("web:1", refund("400"), by="ana", at=later(2))
        desk.approve_resolution(first.id, by="cleo", is_approved=False, at=later(3))
        assert desk.propose_resolution("web:1", refund("100"), by="ana", at=later(4)).tier == "agent"

    def test_two_currencies_are_a_managers(self, store: Store) -> None:
        desk = accepted(store)
        before = desk.propose_resolution("web:1", refund("10"), by="ana", at=later(2))
        store.put([before.model_copy(update={"currency": "USD"}), BEN])
        assert desk.propose_resolution("web:1", refund("10"), by="ana", at=later(3)).tier == "manager"
