"""The week from 9 November is settled; of that from the 16th INC-7 and others still run in time."""

from datetime import timedelta
from pathlib import Path

from pipelines.figures import verdict
from tests.dashboards.marts_by_hand import NOON, clock, published


def test_a_week_with_many_that_run_is_not_told(tmp_path: Path) -> None:
    before, now = NOON - timedelta(days=9), NOON - timedelta(days=2)
    settled = [clock(f"INC-{n}", "resolution", "met" if n else "breached", window_start=before) for n in range(4)]
    running = [clock(f"INC-{n}", "resolution", "on_track", window_start=now) for n in (7, 8)]
    late = [clock("INC-9", "resolution", "breached", window_start=now)]
    with published(tmp_path, sla_clocks=[*settled, *running, *late]) as reader:
        week = verdict.settled_week(reader)
    assert week is not None
    assert (week.week, week.share) == ("9 Nov", 0.75)
