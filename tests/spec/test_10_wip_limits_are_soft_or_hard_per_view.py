"""A full column warns or refuses; INC-15 waits for an internal expert for two hours, and both hours count."""

import pytest

from engine.allocation.decide import decide
from engine.contracts import Outcome, SlaEffect
from engine.shared.errors import NotAllowed
from tests.engine.allocation.desk import NOON, group, policy, ticket
from tests.engine.people import owned
from tests.engine.test_envelopes import ask
from tests.engine.test_kanban import move
from tests.sla.timelines import resolution

HOUR = 3_600


def test_one_more_than_the_limit_warns_or_is_refused() -> None:
    full = {"wip_limits": {"waiting_customer": 2}, "cards": 2}
    assert move(owned(), "waiting_customer", **full)[0].warning
    with pytest.raises(NotAllowed, match="2 cards of at most 2"):
        move(owned(), "waiting_customer", wip_mode="hard", **full)


def test_both_hours_of_an_envelope_count() -> None:
    assert {event.sla_effect for event in ask().events} == {SlaEffect.NONE}
    story = "Tue 10:00 status waiting_internal\nTue 12:00 status in_progress"
    promised = [{"calendar": "office", "resolution": 8 * HOUR}]
    assert resolution(promised, story, as_of="Tue 13:00")["elapsed"] == 4 * HOUR


def test_a_vendor_is_waited_for() -> None:
    assert decide(ticket(), [group("v", is_vendor=True)], policy(), NOON).outcome == Outcome.NO_SKILL
