"""INC-1 goes to Data at 9:00 with Ana of Network; Ben of Data takes it at 11:00."""

from datetime import UTC, datetime

import polars as pl

from engine.standings import STANDINGS
from pipelines.marts.hand_offs import hand_offs

STEPS = [(8, "created", "ana", "network"), (9, "group", "ana", "data"), (11, "assignee", "ben", "data")]


def test_it_waited_for_two_hours() -> None:
    rows = [
        {"ticket": "INC-1", "place": place, "since": datetime(2026, 9, 1, hour, tzinfo=UTC), "kind": kind,
         "holder": holder, "group_id": group, "status": "new"}
        for place, (hour, kind, holder, group) in enumerate(STEPS)
    ]  # fmt: skip
    standings = pl.DataFrame([{name: row.get(name) for name in STANDINGS} for row in rows], schema=STANDINGS)
    found = hand_offs(standings, pl.lit(datetime(2026, 9, 2, tzinfo=UTC), pl.Datetime("us", "UTC")))
    assert found.select("seconds_waited", "ended_by").row(0) == (7200, "picked_up")
