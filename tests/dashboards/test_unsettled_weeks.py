"""A week of which a tenth still runs in time is drawn dashed, with its share if all of that is met."""

from pathlib import Path

import pytest

from pipelines.figures import queries
from tests.dashboards.marts_by_hand import clock, published


@pytest.mark.parametrize(
    ("decided", "in_time", "is_settled"), [(10, 0, True), (10, 1, True), (9, 1, False), (8, 1, False), (8, 2, False)]
)
def test_a_tenth_still_running_in_time_leaves_a_week_unsettled(
    tmp_path: Path, decided: int, in_time: int, *, is_settled: bool
) -> None:
    states = ["met"] * (decided - 2) + ["breached"] * 2 + ["at_risk", "on_track"][:in_time]
    rows = [clock(f"T-{n}", "resolution", state, due_hours=n) for n, state in enumerate(states)]
    with published(tmp_path, sla_clocks=rows) as reader:
        week = queries.attainment_by_week(reader).row(0, named=True)
    assert week["is_settled"] is is_settled
    assert week["share_met"] == (decided - 2) / decided
    assert week["share_at_best"] == (decided - 2 + in_time) / (decided + in_time)
