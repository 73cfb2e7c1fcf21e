"""Who is not there makes no capacity."""

from datetime import timedelta
from typing import Any

import pytest

from engine.allocation.decide import decide
from engine.allocation.presence import slots, with_who_is_there
from engine.contracts import Absence, Agent, Outcome
from tests.engine.allocation.desk import NOON, group, policy, ticket


def agent(name: str, *teams: str, most: int = 10, **given: object) -> Agent:
    return Agent.model_validate({"id": name, "email": "", "name": name, "teams": teams, "max_tickets": most, **given})


HOLIDAY = {"from": "2026-03-02", "to": "2026-03-04", "kind": "holiday"}
ANA, BEN = agent("ana", "net", most=20), agent("ben", "net", most=25)


def held(*agents: Agent, **given: Any) -> int:
    return slots(group("net", slots=34, **given), agents, NOON, open_shifts={"day"})


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((), 34),
        ((ANA, BEN), 45),
        ((ANA, agent("ben", "net", most=25, absences=[HOLIDAY])), 20),
        ((agent("ana", "net", most=20, is_active=False), BEN), 25),
        ((agent("ana", "net", most=20, shift="night"), agent("ben", "net", most=25, shift="day")), 25),
        ((agent("eva", "other", absences=[HOLIDAY]),), 34),
        ((agent("ana", "net", absences=[HOLIDAY]),), 0),
    ],
    ids=["nobody listed", "all there", "one away", "one gone", "by working hours", "others", "all away"],
)
def test_a_group_has_the_slots_of_who_is_there(people: tuple[Agent, ...], expected: int) -> None:
    assert held(*people) == expected


def test_of_a_team_with_several_groups_the_share_counts() -> None:
    people = agent("ana", "emea", most=30), agent("ben", "emea", most=10, absences=[HOLIDAY])
    assert held(*people, team_id="emea") == 25  # 34 x 30 / 40
    assert held(people[0], team_id="emea") == 34


def test_days_away_are_days_where_the_person_is() -> None:
    (absence,) = agent("ana", timezone="America/Sao_Paulo", absences=[HOLIDAY]).absences
    assert absence.starts_at.isoformat() == "2026-03-02T03:00:00+00:00"
    assert absence.ends_at.isoformat() == "2026-03-05T03:00:00+00:00"


def test_somebody_is_back_at_the_end() -> None:
    away = Absence(starts_at=NOON, ends_at=NOON + timedelta(hours=2))
    ana = ANA.model_copy(update={"absences": (away,)})
    assert [ana.is_away(NOON + timedelta(hours=hours)) for hours in (0, 1, 2)] == [True, True, False]


def test_an_absence_ends_after_it_starts() -> None:
    with pytest.raises(ValueError, match="not after it starts"):
        agent("ana", absences=[{"from": "2026-03-04", "to": "2026-03-02"}])


def test_a_ticket_waits_for_a_group_of_which_nobody_is_there() -> None:
    groups = with_who_is_there(
        [group("net", capabilities=("network",))], [agent("ana", "net", absences=[HOLIDAY])], NOON, open_shifts=()
    )
    decision = decide(ticket(category="network"), groups, policy(), NOON)
    assert (decision.outcome, decision.alternatives[0].excluded) == (Outcome.WAITING, "full (nobody is there)")
