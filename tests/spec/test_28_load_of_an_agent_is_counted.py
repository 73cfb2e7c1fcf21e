"""INC-1 resolved on the 2nd closes on the 16th; an agent's load is the open tickets owned or assigned."""

from datetime import UTC, datetime, timedelta

import pytest

from engine import lifecycle, ownership
from engine.allocation.decide import decide
from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.allocation.desk import NOON, group, policy, ticket
from tests.engine.people import POLICIES, a_desk, delivered, later, owned

CANONICAL = lifecycle.load(POLICIES / "lifecycle.yaml").preset()
SECOND, SIXTEENTH = (datetime(2026, 3, day, 12, tzinfo=UTC) for day in (2, 16))


@pytest.mark.parametrize(
    ("at", "closes"),
    [
        (SIXTEENTH - timedelta(microseconds=1), False),
        (SIXTEENTH, True),
        (SIXTEENTH + timedelta(microseconds=1), True),
    ],
)
def test_resolved_on_the_second_closes_on_the_sixteenth(at: datetime, *, closes: bool) -> None:
    resolved = owned(status="resolved", resolved_at=SECOND)
    assert bool(lifecycle.due_for_closing([resolved], at=at, preset=CANONICAL)) is closes


def test_load_is_the_owned_tickets_that_are_open() -> None:
    assert ownership.open_load([owned(), owned(status="waiting_customer"), owned(status="resolved")]) == 2


def test_an_assigned_ticket_counts_and_once(store: Store) -> None:
    desk = a_desk(store, delivered(1), delivered(2, assignee="Ben"))
    with pytest.raises(NotAllowed, match="1 open tickets of at most 1"):
        desk.accept("web:1", by="ben", at=later(1))
    assert desk.accept("web:2", by="ben", at=later(1)).owner_id == "ben"


def test_vendor_groups_get_nothing_by_allocation() -> None:
    made = decide(ticket(), [group("vendor", is_vendor=True), group("own", free=1)], policy(), NOON)
    assert made.group_id == "own"
