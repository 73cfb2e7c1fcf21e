"""Fill the week's calibration queue."""

from datetime import datetime

from pipelines.wiring import House


def calibration_queue(house: House, *, at: datetime) -> int:
    """Sample the week before `at` for review, the same sample however often it is asked; returns the items added."""
    year, week, _ = at.isocalendar()
    return len(house.desk.weekly_calibration_queue(at=at, seed=year * 100 + week))
