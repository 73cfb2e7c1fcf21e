"""What the desk does by itself; doing it twice does nothing twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from engine.alert_matrix import Nudge
from engine.contracts import AssignmentGroup, Status, Team
from engine.desk import Desk
from engine.envelopes import Envelope
from engine.flags import FlagType
from engine.notifications import QueuedNotification
from engine.reminders import Reminder
from engine.rules import Fact, Rule, RulePolicy, Trigger
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


def created(*keys: str, is_news: bool = True) -> list[Fact]:
    return [Fact(Trigger.TICKET_CREATED, key, is_news=is_news) for key in keys]


def with_rules(desk: Desk, *rules: Rule) -> Desk:
    return Desk(desk.store, desk.policies._replace(rules=RulePolicy(rules=rules)))


def a_rule(name: str, to: str = "team:cloud", event: str = "ticket.created", **conditions: Any) -> Rule:
    kind = {"type": "notify", "message": name} if to == "team:cloud" else {"type": "assign"}
    trigger = {"event": event, "conditions": [{field: value} for field, value in conditions.items()]}
    return Rule.model_validate({"name": name, "trigger": trigger, "action": {**kind, "to": to}})


SENIORS = AssignmentGroup(group_id="senior-support", name="Seniors", max_bandwidth=5)


def test_new_tickets_go_where_the_rules_say(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"), delivered(2))
    store.put([SENIORS])
    facts = created("web:1", "web:2")
    assert [act.rule for act in desk.apply_rules(facts, at=MONDAY)] == ["route_critical_to_senior"]
    assert (store.ticket("web:1").group_id, store.ticket("web:2").group_id) == ("senior-support", None)
    assert [decision.policy for decision in store.decisions()] == ["rules"]
    assert desk.apply_rules(facts, at=MONDAY) == []


def test_a_rule_gives_no_ticket_that_somebody_has(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"), delivered(2, priority="critical", assignee="Ana"))
    store.put([SENIORS])
    desk.accept("web:1", by="ana", at=MONDAY)
    assert desk.apply_rules(created("web:1", "web:2"), at=MONDAY) == []
    assert store.ticket("web:1").owner_id == "ana"


def test_a_rule_that_reaches_nobody_is_skipped_and_says_why(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="critical"))
    why = "there is no active group senior-support, and no team senior-support with one"
    assert desk.rules_that_never_act() == {
        "route_critical_to_senior": why, "escalation_timeout_warning": "nobody active is in team escalation-managers",
    }  # fmt: skip
    assert desk.apply_rules(created("web:1"), at=MONDAY) == []


def test_rules_that_give_a_ticket_to_and_fro_act_once(store: Store) -> None:
    there, back = a_rule("there", "team:senior-support"), a_rule("back", "team:others")
    desk = with_rules(a_desk(store), there, back)
    store.put([SENIORS, SENIORS.model_copy(update={"group_id": "others"})])
    acted = [act.rule for n in range(3) for act in desk.apply_rules(created("web:1"), at=later(n))]
    assert (acted, store.ticket("web:1").group_id) == (["there"], "senior-support")


def test_a_rule_tells_of_news_alone(store: Store) -> None:
    desk = with_rules(a_desk(store), a_rule("hello"))
    assert desk.apply_rules(created("web:1", is_news=False), at=MONDAY) == []
    assert desk.apply_rules(created("web:1"), at=MONDAY) == []


def test_a_flag_is_told_once_by_rule(store: Store) -> None:
    desk = with_rules(a_desk(store), a_rule("damage", event="ticket.flagged", **{"flag.type": "physical_damage"}))
    flag = desk.add_flag("web:1", type=FlagType.PHYSICAL_DAMAGE, by="ana", reason="broken", at=MONDAY)
    fact = Fact(Trigger.TICKET_FLAGGED, "web:1", flag)
    acted = [desk.apply_rules([fact], at=later(n)) for n in (1, 2)]
    assert [[act.rule for act in acts] for acts in acted] == [["damage"], []]
    assert store.ticket("web:1").updated_at == MONDAY


def test_a_frequent_requester_is_flagged_once(store: Store) -> None:
    rob = {"requester": "rob", "category": "vpn"}
    desk = a_desk(store, *(delivered(n, **rob) for n in (1, 2, 3)), delivered(4, requester="sue", category="vpn"))
    marked = [desk.flag_repeat_contact(key, at=MONDAY) for key in ("web:3", "web:4", "web:3")]
    assert [flag is not None for flag in marked] == [True, False, False]


def overdue(store: Store) -> list[Fact]:
    return [Fact(Trigger.AGE_EXCEEDED, one.ticket_id, one) for one in store.all(Envelope)]


def test_envelope_without_taker_reaches_the_managers_once(store: Store) -> None:
    desk = a_desk(store)
    store.put([Team(id="escalation-managers", name="Managers", manager_id="dirk")])
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=MONDAY)
    assert desk.apply_rules(overdue(store), at=later(4) - timedelta(seconds=1)) == []
    assert [act.message for act in desk.apply_rules(overdue(store), at=later(4))] == [
        "Escalation web:1/envelope-4 of INC-1 has waited 4.0 h for an answer"
    ]
    assert told(store).count(("dirk", "envelope_overdue")) == 1
    assert desk.apply_rules(overdue(store), at=later(9)) == []


def test_an_age_that_a_rule_names_is_its_own(store: Store) -> None:
    rules = [a_rule(f"{n} hours", event="escalation.age_exceeded", age_hours=n) for n in (2, 8)]
    desk = with_rules(a_desk(store), *rules)
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=MONDAY)
    acted = {n: [act.rule for act in desk.apply_rules(overdue(store), at=later(n))] for n in (1.9, 2, 7.9, 8, 9)}
    assert acted == {1.9: [], 2: ["2 hours"], 7.9: [], 8: ["8 hours"], 9: []}


def test_tickets_that_need_a_reminder_get_one(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    just_before = later(days=5) - timedelta(seconds=1)
    assert desk.set_reminders(["web:1"], at=just_before) == []
    assert [r.message for r in desk.set_reminders(["web:1"], at=later(days=5))] == [
        "INC-1 has not been touched for days."
    ]
    assert desk.set_reminders(["web:1"], at=later(days=5)) == []
    assert [r.agent_id for r in desk.ring_reminders(at=later(days=5))] == ["ana"]
    assert told(store) == [("ana", "reminder")]
    assert store.ticket("web:1").updated_at == MONDAY


def test_snoozed_reminder_rings_again(store: Store) -> None:
    desk = a_desk(store)
    reminder = desk.remind("web:1", by="ana", trigger_at=later(2), message="call", at=later(1))
    assert desk.ring_reminders(at=later(2) - timedelta(seconds=1)) == []
    assert len(desk.ring_reminders(at=later(2))) == 1
    desk.snooze(reminder.id, minutes=45, by="ana", at=later(2))
    assert desk.ring_reminders(at=later(2.5)) == []
    assert [r.status for r in desk.ring_reminders(at=later(2.75))] == ["triggered"]
    assert [r.status for r in store.all(Reminder)] == ["triggered"]


def test_resolved_tickets_close_by_themselves(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=MONDAY)
    desk.resolve("web:1", by="ana", summary="done", at=later(1))
    assert desk.close_resolved(["web:1"], at=later(1, days=14) - timedelta(seconds=1)) == []
    assert len(desk.close_resolved(["web:1"], at=later(1, days=14))) == 1
    assert store.ticket("web:1").status == Status.CLOSED
    assert store.history("web:1")[-1].actor == "system"


def test_two_sweeps_at_once_do_things_once(store: Store) -> None:
    tickets = [delivered(n, priority="critical") for n in range(1, 21)]
    desks = [with_rules(a_desk(store, *tickets), a_rule("hello"), a_rule("up", "team:senior-support"))] * 2
    store.put([SENIORS])
    keys = [f"web:{n}" for n in range(1, 21)]
    for key in keys:
        desks[0].remind(key, by="ana", trigger_at=later(1), message="call", at=MONDAY)

    def sweep(desk: Desk) -> tuple[int, int]:
        return len(desk.apply_rules(created(*keys), at=later(1))), len(desk.ring_reminders(at=later(1)))

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(sweep, desks))
    acted, rung = (sum(one) for one in zip(*done, strict=True))
    again = sweep(desks[0])
    assert (acted + again[0], rung + again[1]) == (40, 20)
    kinds = [event.kind for key in keys for event in store.history(key)]
    assert [kinds.count(kind) for kind in ("rule", "allocated")] == [40, 20]
    assert Counter(told(store)) == {(who, "rule"): 20 for who in ("ana", "ben", "cleo", "dirk")} | {
        ("ana", "reminder"): 20
    }
