"""Work is done when people work, and a ticket's course is one that a desk would take."""

from datetime import datetime
from random import Random

import pytest

from engine.contracts import Kind, Priority, Status, TicketType, Tier
from pipelines.samples.lifecycles import Case, Fate, WorkHours, history

CASE = Case(
    ticket="northlight:INC-1",
    created_at=datetime.fromisoformat("2026-08-03T09:00:00Z"),
    priority=Priority.MEDIUM,
    tier=Tier.STANDARD,
    type=TicketType.INCIDENT,
    requester="CT-001",
    timezone="Europe/Berlin",
    rightful_priority=Priority.HIGH,
    group="grp-a",
    agent="AGT-01",
    other_group="grp-b",
)
LATER = datetime.fromisoformat("2026-12-01T00:00:00Z")


@pytest.mark.parametrize(
    ("priority", "begun", "minutes", "done"),
    [
        ("medium", "2026-08-03T10:00:00+02:00", 60, "2026-08-03T11:00:00+02:00"),  # Monday morning
        ("medium", "2026-08-03T17:30:00+02:00", 60, "2026-08-04T08:30:00+02:00"),  # over the night
        ("medium", "2026-08-07T17:30:00+02:00", 60, "2026-08-10T08:30:00+02:00"),  # Friday to Monday
        ("low", "2026-08-08T12:00:00+02:00", 30, "2026-08-10T08:30:00+02:00"),  # begun on a Saturday
        ("low", "2026-08-03T05:00:00+02:00", 1200, "2026-08-04T18:00:00+02:00"),  # two whole days
        ("high", "2026-08-03T23:30:00+02:00", 60, "2026-08-04T00:30:00+02:00"),  # handed on at night
        ("high", "2026-08-07T23:30:00+02:00", 60, "2026-08-10T00:30:00+02:00"),  # not at the weekend
        ("critical", "2026-08-08T23:30:00+02:00", 60, "2026-08-09T00:30:00+02:00"),  # always
    ],
)
def test_work_is_done_in_working_hours(priority: str, begun: str, minutes: float, done: str) -> None:
    hours = WorkHours("Europe/Berlin", Priority(priority))
    assert hours.after(datetime.fromisoformat(begun), minutes) == datetime.fromisoformat(done)


@pytest.mark.parametrize("seed", range(25))
def test_what_is_done_ends_closed(seed: int) -> None:
    events = history(Random(seed), CASE, Fate.DONE, as_of=LATER)
    assert events[-1].value == Status.CLOSED
    assert [event.kind for event in events].count(Kind.RESPONSE) == 1


@pytest.mark.parametrize("seed", range(25))
def test_what_is_held_is_in_hands_and_not_resolved(seed: int) -> None:
    events = history(Random(seed), CASE, Fate.HELD, as_of=LATER)
    values = {event.value for event in events if event.kind is Kind.STATUS}
    assert Status.IN_PROGRESS in values
    assert not values & {Status.RESOLVED, Status.CLOSED}


def test_what_is_new_was_only_created() -> None:
    events = history(Random(1), CASE, Fate.NEW, as_of=LATER)
    assert [event.kind for event in events] == [Kind.CREATED]
    assert events[0].data == {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}


def test_nothing_happens_after_the_end() -> None:
    noon = datetime.fromisoformat("2026-08-03T12:00:00Z")
    events = [event for seed in range(40) for event in history(Random(seed), CASE, Fate.DONE, as_of=noon)]
    assert max(event.at for event in events) <= noon


def test_events_are_numbered_from_one() -> None:
    events = history(Random(4), CASE, Fate.DONE, as_of=LATER)
    assert [event.id for event in events] == [f"{CASE.ticket}/{number}" for number in range(1, len(events) + 1)]
