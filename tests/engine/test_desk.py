"""The use cases over a store: decided by the rules, kept whole, and replayable."""

from typing import Any

import pytest

from engine import cases, lifecycle, timeline
from engine.access import User, UserRole, user_of
from engine.contracts import Kind, StandardTicket, Status, first_broken_link
from engine.envelopes import Envelope
from engine.flags import CaseFlag, FlagType
from engine.grant_review import GrantReviewItem, Lesson, ReviewOutcome
from engine.kanban import WipMode
from engine.notifications import QueuedNotification
from engine.ownership import TransferReason
from engine.priority import TimeLeft
from engine.reminders import DueList, Reminder
from engine.resolutions import Claim, GrantReviewStatus, Resolution
from engine.shared.errors import BadInput, Conflict, NotAllowed, NotFound
from engine.storage.ports import Store
from engine.tasks import TaskStatus
from tests.engine.people import ANA, MONDAY, a_desk, delivered, later, on_leave

REFUND = {"what_went_wrong": "outage", "why_eligible": "goodwill", "type": "refund"}


def kinds(store: Store, ticket_id: str = "web:1") -> list[str]:
    return [event.kind.value for event in store.history(ticket_id)]


def test_a_whole_day_is_kept_and_replayable(store: Store) -> None:
    desk = a_desk(store, delivered(1, requester="rob"))
    desk.accept("web:1", by="ana", at=later(1))
    desk.reply("web:1", by="ana", text="Looking into it.", at=later(1.5))
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=later(2))
    desk.accept_envelope(asked.id, by="ben", at=later(3))
    desk.note("web:1", by="ben", text="zone file", envelope_id=asked.id, at=later(3.5))
    desk.complete_envelope(asked.id, by="ben", summary="zone was missing", at=later(4))
    desk.change_status("web:1", to=Status.WAITING_CUSTOMER, by="ana", at=later(5))
    desk.receive("web:1", author="rob", text="It works.", at=later(6))
    desk.resolve("web:1", by="ana", summary="Added the zone.", at=later(7))
    desk.close("web:1", by="ana", at=later(8))
    ticket = desk.reopen("web:1", by="ana", reason="came back", at=later(9))
    history = store.history("web:1")
    assert ticket == store.ticket("web:1")
    assert (ticket.owner_id, ticket.status, ticket.first_response_at) == ("ana", Status.IN_PROGRESS, later(1.5))
    assert lifecycle.replay(history[0].data, history) == lifecycle.state_of(ticket)
    assert first_broken_link(history) is None
    assert ticket.version == len(history)


def test_second_to_accept_is_told_who_was_faster(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    with pytest.raises(NotAllowed, match="owned by ana; join with an envelope"):
        desk.accept("web:1", by="cleo", at=later(1))


def test_same_version_is_written_once(store: Store) -> None:
    desk = a_desk(store)
    stale = store.ticket("web:1")
    desk.accept("web:1", by="ana", at=later(1))
    with pytest.raises(Conflict):
        desk.keep(*lifecycle.respond(stale, by="ana", at=later(1)), at=later(1))


def test_refused_decision_leaves_nothing(store: Store) -> None:
    desk = a_desk(store)
    before = store.counts()
    for act in (
        lambda: desk.reply("web:1", by="ana", text="hi", at=later(1)),
        lambda: desk.resolve("web:1", by="ana", summary="done", at=later(1)),
        lambda: desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=later(1)),
        lambda: desk.add_task("web:1", title="call", by="ana", at=later(1)),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert store.counts() == before
    with pytest.raises(NotFound):
        desk.accept("web:1", by="nobody", at=later(1))


def test_capacity_is_counted_from_open_tickets(store: Store) -> None:
    desk = a_desk(store, delivered(1), delivered(2))
    desk.accept("web:1", by="ben", at=later(1))
    with pytest.raises(NotAllowed, match="1 open tickets of at most 1"):
        desk.accept("web:2", by="ben", at=later(2))
    desk.resolve("web:1", by="ben", summary="done", at=later(3))
    desk.release("web:1", by="ben", at=later(3))
    assert desk.accept("web:2", by="ben", at=later(4)).owner_id == "ben"


def test_lead_assigns_what_nobody_owns_and_the_agent_hears_of_it(store: Store) -> None:
    desk = a_desk(store)
    with pytest.raises(NotAllowed, match="Ana may not assign INC-1"):
        desk.assign("web:1", to="ana", by="ana", at=later(1))
    with pytest.raises(BadInput, match="an agent, a group or both"):
        desk.assign("web:1", by="cleo", at=later(1))
    with pytest.raises(NotFound):
        desk.assign("web:1", group="nowhere", by="cleo", at=later(1))
    given = desk.assign("web:1", to="ana", by="cleo", at=later(1))
    assert (given.assignee_id, given.owner_id, kinds(store)[-1]) == ("ana", None, Kind.ASSIGNEE)
    assert [row.agent_id for row in store.all(QueuedNotification)] == ["ana"]
    assert desk.assign("web:1", to="ana", by="cleo", at=later(2)).version == given.version
    desk.accept("web:1", by="ana", at=later(3))
    with pytest.raises(NotAllowed, match="owned by ana and stays there"):
        desk.assign("web:1", to="ben", by="cleo", at=later(4))


def test_transfer_is_kept_with_who_accepted(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    reason = TransferReason.EXTENDED_LEAVE
    with pytest.raises(NotAllowed):
        desk.transfer("web:1", to="ben", reason=reason, by="dirk", at=later(2))
    store.put([on_leave(ANA, 31)])
    moved = desk.transfer("web:1", to="ben", reason=reason, by="dirk", at=later(2))
    assert (moved.owner_id, moved.accepted_by) == ("ben", "ana")
    assert kinds(store)[-1] == Kind.TRANSFERRED


def test_action_of_a_slow_clock_does_not_precede_what_it_follows(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.resolve("web:1", by="ana", summary="done", at=later(2))
    ticket = desk.reopen("web:1", by="ana", reason="not done", at=later(2, minutes=-1))
    history = store.history("web:1")
    assert ticket.status == Status.IN_PROGRESS
    assert lifecycle.replay(history[0].data, history) == lifecycle.state_of(ticket)


def test_customer_reads_replies_and_summary_alone(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.note("web:1", by="ana", text="odd customer", at=later(1))
    desk.reply("web:1", by="ana", text="On it.", at=later(2))
    desk.resolve("web:1", by="ana", summary="Fixed.", at=later(3))
    assert [entry.content for entry in desk.read_timeline("web:1", reader=None)] == ["On it.", "Fixed."]
    assert "odd customer" in [entry.content for entry in desk.read_timeline("web:1", reader=user_of(ANA))]


def test_who_may_not_read_is_refused_and_who_may_reads_by_right(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.note("web:1", by="ana", text="odd customer", at=later(1))
    gone = user_of(ANA).model_copy(update={"is_active": False})
    for read in (desk.read_ticket, desk.read_timeline, desk.read_history):
        with pytest.raises(NotAllowed, match="Ana is not active"):
            read("web:1", reader=gone)
    auditor = User(id="aud", name="Aud", roles=(UserRole.AUDITOR,))
    admin = User(id="adm", name="Adm", roles=(UserRole.ADMIN,))
    texts = {who.id: [e.content for e in desk.read_timeline("web:1", reader=who)] for who in (auditor, admin)}
    assert ("odd customer" in texts["aud"], texts["adm"]) == (True, [])
    assert [e.kind for e in desk.read_history("web:1", reader=admin)] == ["created", "accepted", "status"]
    assert "message" in [e.kind for e in desk.read_history("web:1", reader=auditor)]


def test_notes_are_for_owner_supervisors_and_experts(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.note("web:1", by="cleo", text="please hurry", at=later(2))
    with pytest.raises(NotAllowed, match="only the owner may add a note"):
        desk.note("web:1", by="ben", text="me too", at=later(2))


def test_expert_sees_the_own_envelope(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", assigned_to="fin", at=later(2))
    assert [e.id for e in desk.expert_view("web:1", by="fin").mine] == [asked.id]
    cancelled = desk.cancel_envelope(asked.id, by="ana", reason="found it", at=later(3))
    assert store.get(Envelope, asked.id) == cancelled
    assert (cancelled.is_cancelled, store.ticket("web:1").status) == (True, Status.IN_PROGRESS)


def test_tasks_are_kept_with_their_history(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    task = desk.add_task("web:1", title="call", by="ana", assigned_to="ben", at=later(2))
    assert desk.move_task(task.id, to=TaskStatus.DONE, by="ben", at=later(3)).completed_at == later(3)
    assert kinds(store)[-2:] == ["task", "task"]


def test_legal_flag_opens_a_legal_envelope_at_once(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.add_flag("web:1", type=FlagType.LEGAL, by="ana", reason="letter from a lawyer", at=later(2))
    [envelope] = store.all(Envelope)
    assert (envelope.team_id, store.ticket("web:1").status) == ("legal", Status.WAITING_INTERNAL)
    assert store.ticket("web:1").owner_id == "ana"


def test_social_media_flag_tells_the_manager_and_raises_the_priority(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.add_flag("web:1", type=FlagType.SOCIAL_MEDIA, by="ana", reason="a thread", at=later(2))
    assert [row.agent_id for row in store.all(QueuedNotification)] == ["dirk"]
    assert (store.ticket("web:1").priority, kinds(store)[-2:]) == ("high", ["flag", "priority"])
    assert desk.clear_flag("web:1", type=FlagType.SOCIAL_MEDIA, by="ana", at=later(3)).cleared_by == "ana"


def test_third_contact_is_flagged_when_it_comes(store: Store) -> None:
    rob = {"requester": "rob", "category": "vpn"}
    desk = a_desk(store, delivered(1, **rob), delivered(2, **rob))
    desk.receive("web:2", text="still nothing", at=later(1))
    assert [(flag.ticket_id, flag.type) for flag in store.all(CaseFlag)] == [("web:2", FlagType.REPEAT_CONTACT)]
    desk.receive("web:2", text="hello?", at=later(2))
    assert len(store.all(CaseFlag)) == 1


def grant(desk: Any, amount: str, *, at: Any = None) -> Resolution:
    return desk.propose_resolution("web:1", Claim(**REFUND, amount=amount), by="ana", at=at or later(2))


def test_grant_goes_through_approval_and_calibration(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    big = grant(desk, "600")
    with pytest.raises(NotAllowed, match="takes a manager"):
        desk.approve_resolution(big.id, by="cleo", at=later(3))
    assert desk.approve_resolution(big.id, by="dirk", at=later(3)).approved_by == "dirk"
    [item] = store.all(GrantReviewItem)
    desk.review_grant(item.id, by="cleo", outcome=ReviewOutcome.REVISED, notes="500 was due", at=later(4))
    assert store.get(Resolution, big.id).calibration_status == GrantReviewStatus.REVISED
    assert "because 500 was due" in store.all(Lesson)[0].text
    report = desk.grant_review_report(since=MONDAY, until=later(days=1))
    assert (report.upheld_percent, report.compensation[0].amount) == (0.0, 600)


def test_a_vip_flag_of_ones_own_raises_no_limit(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    desk.add_flag("web:1", type=FlagType.VIP, by="ana", reason="so I say", at=later(1))
    assert grant(desk, "120").tier == "team_lead"
    desk.clear_flag("web:1", type=FlagType.VIP, by="ana", at=later(3))
    desk.add_flag("web:1", type=FlagType.VIP, by="cleo", reason="their largest site", at=later(3))
    assert grant(desk, "10", at=later(4)).tier == "agent"


@pytest.mark.parametrize("who", ["ana", "ben", "cleo", "dirk", "fin"])
def test_flags_are_for_the_owner_an_expert_the_team_and_a_lead(store: Store, who: str) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))  # of the team cloud, as are ben, cleo and dirk, who manages
    if who == "fin":
        with pytest.raises(NotAllowed, match="INC-1 is for Cloud; Fin is none of them nor its expert"):
            desk.add_flag("web:1", type=FlagType.LEGAL, by=who, reason="so I say", at=later(2))
        asked = desk.open_envelope("web:1", by="ana", reason="is it the router?", assigned_to=who, at=later(2))
        desk.accept_envelope(asked.id, by=who, at=later(2))
    assert desk.add_flag("web:1", type=FlagType.LEGAL, by=who, reason="a letter", at=later(3)).is_active
    if who == "fin":
        desk.complete_envelope(asked.id, by=who, summary="it was", at=later(4))
        with pytest.raises(NotAllowed, match="is for Cloud"):
            desk.clear_flag("web:1", type=FlagType.LEGAL, by=who, at=later(5))
    else:
        assert not desk.clear_flag("web:1", type=FlagType.LEGAL, by=who, at=later(5)).is_active


def test_weekly_queue_is_never_empty_and_the_same_when_asked_again(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    small = [grant(desk, "10", at=later(2 + n / 10)) for n in range(8)]
    [item] = desk.draw_grant_review(at=later(days=7), seed=202610)
    assert item.resolution_id in {resolution.id for resolution in small}
    assert desk.draw_grant_review(at=later(days=8), seed=202610) == []
    waiting = [r for r in store.all(Resolution) if r.calibration_status == GrantReviewStatus.PENDING]
    assert [resolution.id for resolution in waiting] == [item.resolution_id]


def test_complaint_at_closing_reaches_the_weekly_queue(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    grant(desk, "10")
    survey = cases.Answers(csat=1, is_complaint=True)
    lessons = {cases.Backlog.DOCS: "say where the zone goes", cases.Backlog.PRODUCT: " "}
    desk.close("web:1", by="ana", at=later(3), survey=survey, lessons=lessons)
    assert [item.reason for item in desk.draw_grant_review(at=later(days=7), seed=1)] == ["complaint"]
    assert [signal.backlog for signal in store.all(cases.FeedbackSignal)] == [cases.Backlog.DOCS]


def test_work_queue_puts_what_burns_first(store: Store) -> None:
    desk = a_desk(
        store, delivered(1), delivered(2, priority="high"), delivered(3, vip=True), delivered(4, status="closed")
    )
    queue = desk.work_queue(at=MONDAY, left={"web:3": TimeLeft(share=0.2)})
    assert [(item.ticket.id, item.score.score, item.section) for item in queue] == [
        ("web:3", 120.0, "needs_attention"),
        ("web:2", 70.0, "on_track"),
        ("web:1", 40.0, "on_track"),
    ]
    assert desk.my_queue(at=MONDAY, by="ana") == []


def test_queue_counts_flags_and_active_envelopes(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.reply("web:1", by="ana", text="hi", at=MONDAY)
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=MONDAY)
    assert desk.work_queue(at=MONDAY)[0].score.multipliers["escalation"] == 1.0
    desk.accept_envelope(asked.id, by="ben", at=MONDAY)
    desk.add_flag("web:1", type=FlagType.REPEAT_CONTACT, by="ana", reason="again", at=MONDAY)
    [item] = desk.my_queue(at=MONDAY, by="ana")
    assert item.score.score == 67.6
    assert item.section == "waiting_on_others"


def test_reopened_counts_where_the_preset_says_so(store: Store) -> None:
    desk = a_desk(store, priority_preset="feature-map")
    desk.accept("web:1", by="ana", at=later(1))
    desk.resolve("web:1", by="ana", summary="done", at=later(2))
    desk.reopen("web:1", by="ana", reason="no", at=later(3))
    assert desk.work_queue(at=later(3))[0].score.multipliers["reopened"] == 1.4


def test_cards_move_by_the_rules_and_within_limits(store: Store) -> None:
    desk = a_desk(store, delivered(1), delivered(2))
    view = desk.save_view(name="Ours", team="cloud", limits={"waiting_customer": 1}, limits_are=WipMode.HARD, by="ana")
    for number in (1, 2):
        desk.accept(f"web:{number}", by="ana", at=later(1))
    assert desk.move_card(view.id, ticket="web:1", to="waiting_customer", by="ana", at=later(2)).ticket.version == 4
    with pytest.raises(NotAllowed, match="finish one there first"):
        desk.move_card(view.id, ticket="web:2", to="waiting_customer", by="ana", at=later(2))
    assert [shown.name for shown in desk.views(by="ana")] == ["My tickets", "All tickets", "By priority", "Ours"]
    assert view not in desk.views(by="fin")
    with pytest.raises(NotAllowed, match="kept by one of the team, which Fin is not"):
        desk.save_view(name="Ours", team="cloud", by="fin")
    with pytest.raises(NotAllowed, match="is of cloud"):
        desk.view(view.id, by="fin")
    with pytest.raises(BadInput, match="filters on colour"):
        desk.save_view(name="Odd", filters={"colour": "red"}, by="ana")


def test_reminders_are_set_snoozed_and_done(store: Store) -> None:
    desk = a_desk(store)
    reminder = desk.remind("web:1", by="ana", trigger_at=later(2), message="call back", at=later(1))
    assert [r.id for r in desk.due_reminders(by="ana", at=later(2)).overdue] == [reminder.id]
    desk.snooze(reminder.id, minutes=30, by="ana", at=later(2))
    assert [r.id for r in desk.due_reminders(by="ana", at=later(2)).upcoming] == [reminder.id]
    desk.complete_reminder(reminder.id, by="ana", at=later(3))
    assert desk.due_reminders(by="ana", at=later(3)) == DueList(overdue=(), upcoming=())
    assert store.get(Reminder, reminder.id).status == "completed"
    assert store.ticket("web:1").updated_at == MONDAY


def test_entries_and_flags_of_one_ticket_have_keys_of_their_own(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    for hour in (2, 3, 4):
        desk.reply("web:1", by="ana", text=f"{hour}", at=later(hour))
    assert len({entry.id for entry in store.all(timeline.TimelineEntry)}) == 3


@pytest.mark.parametrize("name", ["one\ntwo", "one\u2028", "one\r"])
def test_names_that_no_route_reaches_are_refused(store: Store, name: str) -> None:
    with pytest.raises(BadInput, match="the name of a view is one line"):
        a_desk(store).save_view(name=name, by="ana")
    with pytest.raises(ValueError, match="a ticket's id is one line"):
        StandardTicket(ticket_id=name, source="web", created_at=MONDAY)
