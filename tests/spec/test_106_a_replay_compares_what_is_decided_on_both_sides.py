"""The first response of INC-1 falls away under the change: it is counted beside, and its resolution is compared."""

import polars as pl

from sla.contracts import CLOCKS
from sla.reporting.backtest import compare
from tests.dashboards.marts_by_hand import NOON


def evaluated(*rows: tuple[str, str]) -> pl.DataFrame:
    cells = [{"ticket": "INC-1", "clock": clock, "window": 1, "state": state, "remaining": 0, "window_start": NOON,
              "is_current": True} for clock, state in rows]  # fmt: skip
    return pl.DataFrame([{name: row.get(name) for name in CLOCKS} for row in cells], schema=CLOCKS)


def test_what_exists_on_one_side_is_counted_beside() -> None:
    before = evaluated(("first_response", "met"), ("resolution", "met"))
    after = evaluated(("first_response", "no_target"), ("resolution", "breached"))
    found = compare(before, after, pl.DataFrame({"ticket": ["INC-1"], "priority": ["high"]}))
    shares = {row["clock"]: row for row in found.attainment.filter(dimension="all").iter_rows(named=True)}
    assert shares["resolution"]["points"] == -100
    assert shares.get("first_response", {}).get("points") is None
