"""Three conditions by three levels, once each, for active tickets only."""

from datetime import datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import alert_matrix
from engine.alert_matrix import Condition, Nudge, Recipient
from engine.contracts import Kind, Priority, Status, Team
from engine.shared.errors import NotAllowed
from tests.engine.people import POLICIES, a_ticket, later, owned

POLICY = alert_matrix.load(POLICIES / "alert_matrix.yaml")
CANONICAL = POLICY.preset()
FAR = 1e9


def cells(ticket: Any, minutes: float, *, preset: str = "canonical", left: float | None = FAR) -> set[str]:
    swept = alert_matrix.sweep(ticket, at=later(minutes=minutes), preset=POLICY.preset(preset), seconds_left=left)
    return {f"{alert.condition.value} {alert.level}" for alert in swept.raised}


@pytest.mark.parametrize(("minutes", "level"), [(4.9, 0), (5, 1), (9.9, 1), (10, 2), (14.9, 2), (15, 3)])
def test_critical_without_owner_climbs_in_minutes(minutes: float, level: int) -> None:
    found = {cell for cell in cells(a_ticket(priority="critical"), minutes) if "assigned" in cell}
    assert found == {f"not_assigned {n}" for n in range(1, level + 1)}


def test_screenshot_preset_keeps_its_hours() -> None:
    ticket = a_ticket(priority="critical")
    assert "not_assigned 2" not in cells(ticket, 599, preset="itil-next-screenshot")
    assert "not_assigned 2" in cells(ticket, 600, preset="itil-next-screenshot")
    assert "not_assigned 3" in cells(ticket, 900, preset="itil-next-screenshot")


@pytest.mark.parametrize(("minutes", "level"), [(14.9, 0), (15, 1), (30, 2), (44.9, 2), (45, 3)])
def test_critical_without_update_climbs(minutes: float, level: int) -> None:
    assert cells(owned(priority="critical"), minutes) == {f"not_updated {n}" for n in range(1, level + 1)}


@pytest.mark.parametrize(("left", "level"), [(30.1, 0), (30, 1), (15, 2), (0.1, 2), (0, 3), (-5, 3)])
def test_critical_before_due_climbs(left: float, level: int) -> None:
    assert cells(owned(priority="critical"), 1, left=left * 60) == {f"not_completed {n}" for n in range(1, level + 1)}


def test_without_a_clock_the_rows_own_due_minutes_count() -> None:
    assert cells(owned(priority="critical", updated_at=later(minutes=30)), 30, left=None) == {"not_completed 1"}
    assert cells(owned(priority="high", updated_at=later(hours=3)), 180, left=None) == {"not_completed 1"}


def test_high_has_one_level_and_medium_none() -> None:
    assert cells(a_ticket(priority="high"), 6000, left=0) == {"not_assigned 1", "not_updated 1", "not_completed 1"}
    assert cells(a_ticket(priority="medium"), 6000, left=-1) == set()


@pytest.mark.parametrize("status", ["resolved", "closed"])
def test_finished_tickets_are_left_alone(status: str) -> None:
    assert cells(owned(priority="critical", status=status), 6000, left=-1) == set()


def test_nobody_is_nudged_while_the_customer_has_the_ball() -> None:
    waiting = owned(priority="critical", status="waiting_customer")
    assert cells(waiting, 6000, left=-1) == set()
    assert len(cells(waiting, 6000, left=-1, preset="itil-next-screenshot")) == 6


def sweep(ticket: Any, minutes: float, known: list[Nudge]) -> alert_matrix.Swept:
    return alert_matrix.sweep(ticket, at=later(minutes=minutes), preset=CANONICAL, known=known, seconds_left=FAR)


def test_one_alert_per_ticket_condition_and_level() -> None:
    ticket = owned(priority="critical")
    first = sweep(ticket, 15, []).raised
    assert [alert.id for alert in first] == ["web:1/not_updated/1/1"]
    assert sweep(ticket, 16, first) == ([], [])
    assert [alert.level for alert in sweep(ticket, 30, first).raised] == [2]


def test_alert_ends_with_its_condition_and_may_come_again() -> None:
    [raised] = sweep(owned(priority="critical"), 15, []).raised
    touched = owned(priority="critical", updated_at=later(minutes=20))
    [cleared] = sweep(touched, 20, [raised]).cleared
    assert cleared.cleared_at == later(minutes=20)
    assert [alert.id for alert in sweep(touched, 35, [cleared]).raised] == ["web:1/not_updated/1/2"]


def test_alerts_of_other_tickets_do_not_count() -> None:
    [other] = sweep(owned(id="web:2", priority="critical"), 15, []).raised
    assert len(sweep(owned(priority="critical"), 15, [other]).raised) == 1


def test_business_minutes_are_counted_by_the_calendar_given() -> None:
    def never_opens(calendar: str | None, start: datetime, end: datetime) -> float:
        assert calendar == "office"
        return 0.0

    row = CANONICAL.priorities[a_ticket(priority="critical").priority].model_copy(update={"calendar": "office"})
    preset = CANONICAL.model_copy(update={"priorities": {**CANONICAL.priorities, "critical": row}})
    ticket = a_ticket(priority="critical")
    assert alert_matrix.sweep(ticket, at=later(99), preset=preset, elapsed=never_opens).raised == []


def test_acknowledging_says_who_and_when_once() -> None:
    [alert] = sweep(owned(priority="critical"), 15, []).raised
    seen, [event] = alert_matrix.acknowledge(alert, by="cleo", at=later(1))
    assert (seen.acknowledged_by, seen.acknowledged_at, event.kind) == ("cleo", later(1), Kind.ACKNOWLEDGED)
    assert seen.is_active
    with pytest.raises(NotAllowed, match="acknowledged by cleo already"):
        alert_matrix.acknowledge(seen, by="dirk", at=later(2))


@pytest.mark.parametrize(
    ("owner", "supervisor", "manager", "told"),
    [
        ("ana", "cleo", "dirk", ["ana", "cleo", "dirk"]),
        (None, "cleo", "dirk", ["cleo", "dirk"]),
        ("ana", None, "dirk", ["ana", "dirk"]),
        ("ana", "cleo", None, ["ana", "cleo"]),
        (None, None, None, []),
    ],
)
def test_who_is_missing_is_stood_in_for(
    owner: str | None, supervisor: str | None, manager: str | None, told: list[str]
) -> None:
    team = Team(id="cloud", name="Cloud", supervisor_id=supervisor, manager_id=manager)
    assert alert_matrix.people(list(Recipient), ticket=a_ticket(owner_id=owner), team=team) == told


@pytest.mark.parametrize(
    ("hours", "calendar", "is_due"),
    [(3.9, None, False), (4, None, True), (27.9, None, True), (28, None, False),
     (7.9, "half", False), (8, "half", True), (31.9, "half", True), (32, "half", False)],
)  # fmt: skip
def test_customer_is_reminded_of_once_waited_for_and_no_day_later(
    hours: float, calendar: str | None, is_due: bool
) -> None:
    waits = owned(status="waiting_customer")
    others = [owned(id="web:2"), a_ticket(id="web:3", status="waiting_customer")]
    frame = pl.DataFrame([one.model_dump() | {"ticket": one.id} for one in [waits, *others]])
    medium = CANONICAL.priorities[Priority.MEDIUM].model_copy(update={"calendar": calendar})
    rule = CANONICAL.model_copy(update={"priorities": CANONICAL.priorities | {Priority.MEDIUM: medium}})

    def half(name: str | None, start: datetime, end: datetime) -> float:
        return (end - start).total_seconds() / (2 if name else 1)

    found = alert_matrix.clients_to_remind(frame, at=later(hours), preset=rule, elapsed=half)
    assert found == (["web:1"] if is_due else [])


def test_alert_event_can_be_told_twice() -> None:
    [alert] = sweep(owned(priority="critical"), 15, []).raised
    assert alert_matrix.raised_event(alert).id == alert.id
    assert alert.condition == Condition.NOT_UPDATED


TICKETS = st.lists(
    st.fixed_dictionaries(
        {
            "priority": st.sampled_from(Priority),
            "status": st.sampled_from(Status),
            "owner_id": st.sampled_from(["ana", None]),
            "assignee_id": st.sampled_from(["ben", None]),
            "created": st.integers(0, 1000),
            "idle": st.integers(0, 70),
            "left": st.sampled_from([None, -1.0, 0.0, 900.0, 1800.0, 3600.0, 9e9]),
            "active": st.sets(st.tuples(st.sampled_from(Condition), st.integers(1, 3)), max_size=4),
        }
    ),
    max_size=6,
)


@given(TICKETS, st.sampled_from([None, "office"]), st.sampled_from(sorted(POLICY.presets)))
def test_a_backlog_is_swept_as_its_tickets_are(drawn: list[dict[str, Any]], calendar: str | None, preset: str) -> None:
    def half(name: str | None, start: datetime, end: datetime) -> float:
        return (end - start).total_seconds() / (2 if name else 1)

    at, rule = later(minutes=1000), POLICY.preset(preset)
    rows = {name: row.model_copy(update={"calendar": calendar}) for name, row in rule.priorities.items()}
    rule = rule.model_copy(update={"priorities": rows})
    tickets, alerts, left, moved = [], [], {}, []
    for n, one in enumerate(drawn):
        made = {name: one[name] for name in ("priority", "status", "owner_id", "assignee_id")}
        ticket = a_ticket(id=f"web:{n}", **made, accepted_by=one["owner_id"], created_at=later(minutes=one["created"]),
                          updated_at=later(minutes=1000 - one["idle"]))  # fmt: skip
        known = [
            Nudge(id=f"web:{n}/{c}/{level}/1", ticket_id=ticket.id, condition=c, level=level, recipients=("tech",),
                  triggered_at=at)
            for c, level in one["active"]
        ]  # fmt: skip
        swept = alert_matrix.sweep(ticket, at=at, preset=rule, known=known, seconds_left=one["left"], elapsed=half)
        moved += [ticket.id] if swept.raised or swept.cleared else []
        tickets.append(ticket)
        alerts += known
        left |= {} if one["left"] is None else {ticket.id: one["left"]}
    columns = ("status", "priority", "owner_id", "assignee_id", "created_at", "updated_at")
    schema = dict.fromkeys(columns[:4], pl.String)
    instants = {"created_at": pl.Datetime("us", "UTC"), "updated_at": pl.Datetime("us", "UTC")}
    frame = pl.DataFrame(
        [{"ticket": t.id, **{name: getattr(t, name) for name in columns}} for t in tickets],
        schema={"ticket": pl.String, **schema, **instants},
    )
    active = pl.DataFrame(
        [{"ticket": a.ticket_id, "condition": a.condition.value, "level": a.level} for a in alerts],
        schema=alert_matrix.CELLS,
    )
    seconds = pl.DataFrame(
        {"ticket": list(left), "seconds_left": list(left.values())},
        schema={"ticket": pl.String, "seconds_left": pl.Float64},
    )
    found = alert_matrix.to_sweep(frame, active, at=at, preset=rule, seconds_left=seconds, elapsed=half)
    assert found == sorted(moved)
