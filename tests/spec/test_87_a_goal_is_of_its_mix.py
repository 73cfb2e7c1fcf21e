"""INC-1 of an enterprise is wanted at 95 %, INC-2 of no tier at 90 %: the two together at 92.5 %."""

import polars as pl
import pytest

from pipelines.app.settings import shipped_data
from sla.reporting.goals import load


def test_what_is_wanted_of_a_lot_is_the_mean_over_its_promises() -> None:
    goals = load(shipped_data() / "policies" / "goals.yaml").attainment
    lot = pl.DataFrame(
        {"clock": ["resolution"] * 2, "tier": ["enterprise", None], "priority": ["medium"] * 2, "decided": [1, 1]},
        schema_overrides={"tier": pl.String},
    )
    assert lot.select(goals.wanted()).to_series().to_list() == [0.95, 0.9]
    assert goals.target(lot) == pytest.approx(0.925)
