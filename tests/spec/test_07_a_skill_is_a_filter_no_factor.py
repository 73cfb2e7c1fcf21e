"""A group without the capability is excluded with the reason; Auckland and Honolulu are near by the clock."""

from engine.allocation import factors
from engine.allocation.decide import decide
from tests.engine.allocation.desk import NOON, group, policy, ticket


def test_the_best_group_without_the_skill_is_out() -> None:
    groups = [group("able", capabilities=("network",), hours=90, free=1), group("best", capabilities=("paint",))]
    made = decide(ticket(category="network"), groups, policy(), NOON)
    assert made.group_id == "able"
    assert [(a.group_id, a.excluded) for a in made.alternatives if a.excluded] == [
        ("best", "lacks network or connectivity")
    ]


def test_auckland_and_honolulu_are_an_hour_apart() -> None:
    (hours,) = factors.zone_distances("Pacific/Auckland", ("Pacific/Honolulu",), NOON.replace(month=1))
    assert hours == 1.0
    assert factors.timezone(hours, policy("hld-v2")) == 1.0
