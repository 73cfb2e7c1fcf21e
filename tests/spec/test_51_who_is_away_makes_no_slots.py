"""Ana 20 and Ben 25 make 45; while Ben is away, 20."""

from engine.allocation.presence import slots
from tests.engine.allocation.desk import NOON, group
from tests.engine.allocation.test_presence import ANA, BEN, HOLIDAY, agent


def test_forty_five_and_twenty() -> None:
    away = agent("ben", "net", most=25, absences=[HOLIDAY])
    assert [slots(group("net"), (ANA, ben), NOON, open_shifts=()) for ben in (BEN, away)] == [45, 20]
