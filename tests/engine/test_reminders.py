"""Reminders come at their instant, again if they recur, and by themselves where a ticket calls for one."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import reminders
from engine.contracts import Status, Ticket
from engine.reminders import Frequency, Recurring, Reminder, ReminderPolicy, ReminderStatus
from engine.shared.errors import NotAllowed
from tests.engine.people import MONDAY, POLICIES, a_ticket, later, owned

POLICY = reminders.load(POLICIES / "reminders.yaml")


def a_reminder(**changes: Any) -> Reminder:
    facts = {
        "id": "m1",
        "ticket_id": "web:1",
        "agent_id": "ana",
        "trigger_at": later(2),
        "message": "call back",
        "created_at": MONDAY,
    }
    return Reminder(**{**facts, **changes})


def test_due_list_has_overdue_and_upcoming_soonest_first() -> None:
    late, soon, far = a_reminder(), a_reminder(id="m2", trigger_at=later(5)), a_reminder(id="m3", trigger_at=later(99))
    others = [a_reminder(agent_id="ben"), a_reminder(status="completed")]
    due = reminders.due_list([far, soon, late, *others], agent_id="ana", at=later(2))
    assert (due.overdue, due.upcoming) == ((late,), (soon,))


def test_reminder_rings_once_at_its_instant() -> None:
    with pytest.raises(NotAllowed, match="due at 2026-03-02 11:00Z"):
        reminders.trigger(a_reminder(), at=later(1.9))
    rung, [event] = reminders.trigger(a_reminder(), at=later(2))
    assert (rung.status, event.value) == (ReminderStatus.TRIGGERED, "m1")
    with pytest.raises(NotAllowed, match="is triggered"):
        reminders.trigger(rung, at=later(3))


def test_snoozed_reminder_rings_again_later() -> None:
    snoozed, _ = reminders.snooze(a_reminder(status="triggered"), minutes=30, by="ana", at=later(2))
    assert snoozed.due_at == later(2.5)
    with pytest.raises(NotAllowed):
        reminders.trigger(snoozed, at=later(2.4))
    assert reminders.trigger(snoozed, at=later(2.5))[0].status == ReminderStatus.TRIGGERED


@pytest.mark.parametrize(("by", "minutes"), [("ben", 5), ("ana", 0), ("ana", -5)])
def test_snooze_is_the_agents_own_and_forward(by: str, minutes: int) -> None:
    with pytest.raises(NotAllowed):
        reminders.snooze(a_reminder(), minutes=minutes, by=by, at=later(1))


@pytest.mark.parametrize(
    ("frequency", "interval", "start", "done", "following"),
    [
        ("daily", 1, "2026-03-02", "2026-03-02", "2026-03-03"),
        ("daily", 2, "2026-03-02", "2026-03-05", "2026-03-06"),
        ("weekly", 1, "2026-03-02", "2026-03-20", "2026-03-23"),
        ("monthly", 1, "2026-01-31", "2026-01-31", "2026-02-28"),
        ("monthly", 1, "2026-01-31", "2026-03-01", "2026-03-31"),
        ("monthly", 12, "2024-02-29", "2024-03-01", "2025-02-28"),
    ],
)
def test_recurring_reminder_takes_its_next_turn(
    frequency: str, interval: int, start: str, done: str, following: str
) -> None:
    rule = Recurring(frequency=Frequency(frequency), interval=interval)
    reminder = a_reminder(recurring=rule, trigger_at=_day(start), snooze_until=later(1))
    again, _ = reminders.complete(reminder, by="ana", at=_day(done))
    assert (again.trigger_at, again.status, again.snooze_until) == (_day(following), ReminderStatus.PENDING, None)


def _day(day: str) -> datetime:
    return datetime.fromisoformat(day).replace(hour=9, tzinfo=UTC)


def test_recurring_reminder_ends_on_its_date() -> None:
    rule = Recurring(frequency=Frequency.DAILY, end_date=later(26))
    once, _ = reminders.complete(a_reminder(recurring=rule), by="ana", at=later(2))
    assert once.trigger_at == later(26)
    assert reminders.complete(once, by="ana", at=later(27))[0].status == ReminderStatus.COMPLETED


def called_for(ticket: Ticket, *, hours: float) -> set[str]:
    found = reminders.automatic(ticket, at=later(hours), policy=POLICY)
    return {reminder.id.split("/auto/")[1].split("/")[0] for reminder in found}


@pytest.mark.parametrize(("hours", "found"), [(119.9, set()), (120, {"stale"}), (144, {"stale"}), (144.1, set())])
def test_a_ticket_that_lies_calls_for_a_reminder_for_a_day(hours: float, found: set[str]) -> None:
    assert called_for(owned(), hours=hours) == found
    assert called_for(a_ticket(), hours=hours) == set()
    assert called_for(owned(status="closed"), hours=hours) == set()


@pytest.mark.parametrize(("hours", "found"), [(71.9, set()), (72, {"no_reply"}), (96.1, set()), (120, {"stale"})])
def test_silent_customer_is_followed_up(hours: float, found: set[str]) -> None:
    assert called_for(owned(status="waiting_customer"), hours=hours) == found


def test_same_situation_gives_the_same_reminder() -> None:
    ids = [reminders.automatic(owned(), at=later(days=d), policy=POLICY)[0].id for d in (5, 6)]
    touched = owned(updated_at=MONDAY + timedelta(minutes=1))
    assert ids[0] == ids[1] != reminders.automatic(touched, at=later(days=6), policy=POLICY)[0].id


def test_zero_switches_a_reminder_off() -> None:
    off = POLICY.model_copy(update={"stale_days": 0})
    assert reminders.automatic(owned(), at=later(days=5), policy=off) == []


DAY = timedelta(days=1)
IDLE = st.one_of(st.sampled_from([n * DAY for n in range(8)]), st.timedeltas(-DAY, 9 * DAY))
TICKETS = st.lists(st.tuples(st.sampled_from(Status), st.sampled_from(["ana", None]), IDLE), max_size=6)
DAYS = st.sampled_from([0.0, 0.5, 3.0, 5.0])


@given(TICKETS, DAYS, DAYS)
def test_a_store_calls_for_what_its_tickets_call_for(
    drawn: list[tuple[Status, str | None, timedelta]], silent: float, stale: float
) -> None:
    policy = ReminderPolicy(no_customer_reply_days=silent, stale_days=stale)
    tickets = [
        a_ticket(id=f"web:{n}", status=status, owner_id=owner, accepted_by=owner, updated_at=MONDAY - idle)
        for n, (status, owner, idle) in enumerate(drawn)
    ]
    plain = {one.id for ticket in tickets for one in reminders.automatic(ticket, at=MONDAY, policy=policy)}
    columns = {"ticket": pl.String, "status": pl.String, "owner_id": pl.String, "updated_at": reminders.UPDATED}
    rows = [(t.id, t.status.value, t.owner_id, t.updated_at) for t in tickets]
    frame = pl.DataFrame(rows, schema=columns, orient="row")
    assert set(reminders.called_for(frame, at=MONDAY, policy=policy)["id"]) == plain
