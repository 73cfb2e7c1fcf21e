"""What the desk does by itself; doing it twice does nothing twice."""

import polars as pl
import pytest

from engine.alert_matrix import Nudge
from engine.contracts import AssignmentGroup, Status
from engine.flags import CaseFlag
from engine.notifications import QueuedNotification
from engine.reminders import Reminder
from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import MONDAY, a_desk, delivered, later


def tickets_of(store: Store) -> pl.DataFrame:
    return store.frame("tickets").rename({"id": "ticket"})


def told(store: Store) -> list[tuple[str, str]]:
    return sorted((row.agent_id, row.event_type) for row in store.all(QueuedNotification))


def test_alerts_are_raised_once_and_end_with_their_condition(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    raised = desk.nudge(tickets_of(store), at=later(minutes=6), seconds_left={"web:1": 3600.0})
    assert [alert.id for alert in raised] == ["web:1/not_assigned/1/1"]
    assert desk.nudge(tickets_of(store), at=later(minutes=7), seconds_left={"web:1": 3600.0}) == []
    desk.accept("web:1", by="ana", at=later(minutes=8))
    desk.nudge(tickets_of(store), at=later(minutes=9), seconds_left={"web:1": 3600.0})
    assert store.get(Nudge, "web:1/not_assigned/1/1").cleared_at == later(minutes=9)


def test_being_nudged_is_no_update(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    desk.nudge(tickets_of(store), at=later(minutes=16))
    assert store.ticket("web:1").updated_at == MONDAY
    assert [event.kind for event in store.history("web:1")][-1] == "alert"


def test_several_levels_at_once_are_told_once_at_the_highest(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    desk.accept("web:1", by="ana", at=later(minutes=1))
    raised = desk.nudge(tickets_of(store), at=later(minutes=60), seconds_left={"web:1": 3600.0})
    assert [alert.level for alert in raised] == [1, 2, 3]
    assert told(store) == [(who, "alert_level_3") for who in ("ana", "cleo", "dirk")]


def test_alert_is_acknowledged_once(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    [alert, *_] = desk.nudge(tickets_of(store), at=later(minutes=6), seconds_left={"web:1": 3600.0})
    assert desk.acknowledge(alert.id, by="dirk", at=later(1)).acknowledged_by == "dirk"
    with pytest.raises(NotAllowed, match="acknowledged by dirk already"):
        desk.acknowledge(alert.id, by="cleo", at=later(1))


def test_finished_ticket_ends_its_alerts(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    desk.accept("web:1", by="ana", at=later(minutes=1))
    desk.nudge(tickets_of(store), at=later(1))
    desk.resolve("web:1", by="ana", summary="done", at=later(2))
    assert desk.nudge(tickets_of(store), at=later(3)) == []
    assert not [alert for alert in store.all(Nudge) if alert.is_active]


def test_new_tickets_go_where_the_rules_say(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"), delivered(2))
    assert desk.arrived(["web:1", "web:2"], at=MONDAY) == []
    store.put([AssignmentGroup(group_id="senior-support", name="Seniors", max_bandwidth=5)])
    assert [act.rule for act in desk.arrived(["web:1", "web:2"], at=MONDAY)] == ["route_critical_to_senior"]
    assert (store.ticket("web:1").group_id, store.ticket("web:2").group_id) == ("senior-support", None)
    assert desk.arrived(["web:1", "web:2"], at=MONDAY) == []


def test_new_tickets_of_a_frequent_requester_are_flagged(store: Store) -> None:
    rob = {"requester": "rob", "category": "vpn"}
    desk = a_desk(store, *(delivered(n, **rob) for n in (1, 2, 3)), delivered(4, requester="sue", category="vpn"))
    desk.arrived(["web:3", "web:4"], at=MONDAY)
    assert [flag.ticket_id for flag in store.all(CaseFlag)] == ["web:3"]


def test_envelope_without_taker_reaches_the_manager_once(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=MONDAY)
    assert desk.escalate_overdue(at=later(3.9)) == []
    assert [act.message for act in desk.escalate_overdue(at=later(4))] == [
        "Escalation web:1/envelope-4 of INC-1 waiting 4+ hours"
    ]
    assert told(store) == [
        ("ben", "envelope_opened"),
        ("dirk", "envelope_opened"),
        ("dirk", "rule"),
        ("fin", "envelope_opened"),
    ]
    assert desk.escalate_overdue(at=later(9)) == []


def test_tickets_that_need_a_reminder_get_one(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    assert desk.set_reminders(at=later(1), seconds_left={"web:1": 9000.0}) == []
    assert [r.id for r in desk.set_reminders(at=later(2), seconds_left={"web:1": 5400.0})] == ["web:1/auto/sla"]
    assert desk.set_reminders(at=later(3), seconds_left={"web:1": 1800.0}) == []
    assert told(store) == [("ana", "reminder")]
    assert store.ticket("web:1").updated_at == MONDAY


def test_snoozed_reminder_rings_again(store: Store) -> None:
    desk = a_desk(store)
    reminder = desk.remind("web:1", by="ana", trigger_at=later(2), message="call", at=later(1))
    assert len(desk.set_reminders(at=later(2))) == 1
    desk.snooze(reminder.id, minutes=45, by="ana", at=later(2))
    assert desk.set_reminders(at=later(2.5)) == []
    assert [r.status for r in desk.set_reminders(at=later(3))] == ["triggered"]
    assert [r.status for r in store.all(Reminder)] == ["triggered"]


def test_resolved_tickets_close_by_themselves(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.resolve("web:1", by="ana", summary="done", at=later(1))
    assert desk.close_resolved(at=later(days=14)) == []
    desk.close_resolved(at=later(1, days=14))
    assert store.ticket("web:1").status == Status.CLOSED
    assert store.history("web:1")[-1].actor == "system"
