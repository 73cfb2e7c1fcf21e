"""The share of promises that the desk wants to keep, for one clock and for a mixed lot."""

from pathlib import Path

import polars as pl
import pytest

from engine.shared.errors import BadInput
from pipelines.app.settings import shipped_data
from sla.reporting.goals import AttainmentGoals, load

GOALS = AttainmentGoals.model_validate(
    {
        "share": 0.8,
        "clocks": {
            "resolution": {"share": 0.9, "by_tier": {"enterprise": 0.95}, "by_priority": {"critical": 0.99, "low": 0.5}}
        },
    }
)


@pytest.mark.parametrize(
    ("clock", "tier", "priority", "wanted"),
    [
        ("first_response", "enterprise", "critical", 0.8),
        ("resolution", "standard", "high", 0.9),
        ("resolution", "enterprise", "high", 0.95),
        ("resolution", "enterprise", "critical", 0.99),
        ("resolution", "enterprise", "low", 0.95),
        ("resolution", "standard", "low", 0.5),
    ],
)
def test_higher_of_tier_and_priority_is_wanted(clock: str, tier: str, priority: str, wanted: float) -> None:
    row = pl.DataFrame({"clock": [clock], "tier": [tier], "priority": [priority]})
    assert row.select(GOALS.wanted()).item() == wanted


def test_mixed_lot_is_wanted_by_its_parts() -> None:
    lot = pl.DataFrame(
        {
            "clock": ["first_response", "resolution", "resolution"],
            "tier": ["free", "free", "enterprise"],
            "priority": ["high", "high", "critical"],
            "decided": [5, 5, 0],
        }
    )
    assert GOALS.target(lot) == pytest.approx(0.85)
    assert GOALS.target(lot.clear()) is None


def test_shipped_goals_are_read() -> None:
    assert load(shipped_data() / "policies" / "goals.yaml").attainment.share == 0.9


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("{source: us, attainment: {share: 90}}", "attainment.share"),
        ("{source: us, attainment: {share: 0.9, clocks: {solving: {share: 0.9}}}}", "attainment.clocks.solving"),
        ("{source: us, attainment: {share: 0.9}, resolution: 0.9}", "resolution"),
    ],
)
def test_wrong_goal_is_refused_with_its_key(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "goals.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=key):
        load(file)
