"""INC-4 came three days ago as low and is high now: the one that came is one of high."""

from datetime import timedelta
from pathlib import Path

from pipelines.figures import volume
from pipelines.figures.selection import Period, Selection
from tests.dashboards.marts_by_hand import NOON, published, ticket


def test_the_day_it_came_counts_it_as_high(tmp_path: Path) -> None:
    desk = published(tmp_path, tickets=[ticket("INC-4", priority="high", created_at=NOON - timedelta(days=3))])
    week = Period.of_days(7, until=NOON.date())
    assert volume.days(desk, Selection(period=week, priorities=("high",)))["created"].sum() == 1
    assert volume.days(desk, Selection(period=week, priorities=("low",)))["created"].sum() == 0
