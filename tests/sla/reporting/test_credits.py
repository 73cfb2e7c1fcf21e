"""Credits for broken promises: exact at the steps, summed by customer and month, capped."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine.shared.errors import BadInput
from pipelines.app.settings import shipped_data
from sla.reporting.credits import credited_breaches, load, sla_credits

FILE = shipped_data() / "policies" / "sla_credits.yaml"
PRESETS = load(FILE)
SCHEMA = {
    "ticket": pl.String, "clock": pl.String, "window": pl.Int32, "state": pl.String, "company_id": pl.String,
    "priority": pl.String, "elapsed": pl.Int64, "target": pl.Int64, "due_at": pl.Datetime("us", "UTC"),
    "stopped_at": pl.Datetime("us", "UTC"),
}  # fmt: skip


def breach(clock: str = "first_response", **cells: Any) -> dict[str, Any]:
    return {
        "ticket": "INC-1", "clock": clock, "window": 1, "state": "breached", "company_id": "acme", "priority": "low",
        "elapsed": 4_000, "target": 3_600, "due_at": datetime(2026, 9, 30, 23, 59, tzinfo=UTC),
        "stopped_at": datetime(2026, 10, 1, 1, tzinfo=UTC),
    } | cells  # fmt: skip


def credited(*rows: dict[str, Any], preset: str = "graded") -> pl.DataFrame:
    return credited_breaches(pl.DataFrame(rows, schema=SCHEMA), PRESETS.preset(preset))


@pytest.mark.parametrize(
    ("elapsed", "percent"),
    [(3_601, 5), (7_199, 5), (7_200, 10), (7_201, 10), (14_399, 10), (14_400, 10), (14_401, 15), (999_999, 15)],
)
def test_response_credit_at_the_edges_of_two_and_four_times(elapsed: int, percent: float) -> None:
    assert credited(breach(elapsed=elapsed))["credit_percent"].to_list() == [percent]


@pytest.mark.parametrize(("priority", "percent"), [("critical", 20), ("high", 15), ("medium", 10), ("low", 5)])
def test_resolution_credit_by_severity(priority: str, percent: float) -> None:
    assert credited(breach("resolution", priority=priority))["credit_percent"].to_list() == [percent]


@pytest.mark.parametrize(
    ("preset", "clock", "percent"),
    [("graded", "next_response", 5), ("graded", "resolution", 20), ("flat", "resolution", 5),
     ("flat", "first_response", 5), ("added", "resolution", 25), ("added", "next_response", 5)],
)  # fmt: skip
def test_each_reading_of_the_tables_is_a_preset(preset: str, clock: str, percent: float) -> None:
    assert credited(breach(clock, priority="critical"), preset=preset)["credit_percent"].to_list() == [percent]


@pytest.mark.parametrize(
    ("breaches", "summed", "owed", "is_capped"), [(4, 20, 20, False), (5, 25, 25, False), (6, 30, 25, True)]
)
def test_the_cap_is_reached_and_not_passed(breaches: int, summed: float, owed: float, is_capped: bool) -> None:
    rows = credited(*[breach(ticket=f"INC-{n}") for n in range(breaches)])
    row = sla_credits(rows, PRESETS.preset()).row(0, named=True)
    assert (row["summed_percent"], row["credit_percent"], row["is_capped"]) == (summed, owed, is_capped)
    assert row["breaches"] == breaches


def test_a_breach_counts_in_the_month_its_target_was_used_up() -> None:
    late = datetime(2026, 10, 1, tzinfo=UTC)
    assert credited(breach(), breach(due_at=late))["month"].to_list() == [date(2026, 9, 1), date(2026, 10, 1)]


def test_each_customer_and_month_has_its_own_cap() -> None:
    rows = [breach("resolution", priority="critical", company_id=c, ticket=t) for c in ("acme", None) for t in "ab"]
    found = sla_credits(credited(*rows), PRESETS.preset())
    assert found.select("company_id", "credit_percent").rows() == [("acme", 25), ("unknown", 25)]


def test_kept_and_running_promises_cost_nothing() -> None:
    rows = credited(*[breach(state=state) for state in ("met", "on_track", "at_risk", "no_target")])
    assert rows.is_empty()
    assert sla_credits(rows, PRESETS.preset()).is_empty()


def test_a_running_breach_is_not_final() -> None:
    assert credited(breach(stopped_at=None))["is_final"].to_list() == [False]


@pytest.mark.parametrize(
    ("was", "becomes", "message"),
    [
        ("use: graded", "use: gold", "'gold' is no preset; there are added, flat, graded"),
        ("{up_to: 4, percent: 10}", "{up_to: 1, percent: 10}", "bounds must rise"),
        ("- {percent: 15}", "- {up_to: 9, percent: 15}", "only the last step has none"),
        ("cap_percent: 25", "cap_percent: 125", "cap_percent: Input should be less than or equal to 100"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, was: str, becomes: str, message: str) -> None:
    file = tmp_path / "credits.yaml"
    file.write_text(FILE.read_text(encoding="utf-8").replace(was, becomes), encoding="utf-8")
    with pytest.raises(BadInput, match=message):
        load(file)


def test_an_unknown_preset_is_named() -> None:
    with pytest.raises(BadInput, match="no credit preset 'gold'"):
        PRESETS.preset("gold")
