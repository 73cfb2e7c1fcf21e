"""The numbers of looking back: the pages' own SQL against the marts that were built with Polars."""

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dashboards.attainment_tabs import by_rank
from pipelines.figures import reports
from pipelines.figures.selection import Selection
from sla.reporting.attainment import reopens, response_times
from tests.dashboards.marts_by_hand import looking_back_desk, published
from tests.dashboards.test_queries import CLOCKS


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    with published(tmp_path_factory.mktemp("home"), sla_clocks=CLOCKS) as reader:
        yield reader


@pytest.fixture(scope="module")
def back(tmp_path_factory):
    with looking_back_desk(tmp_path_factory.mktemp("home")) as reader:
        yield reader


@pytest.mark.parametrize("dimension", ["priority", "tier"])
def test_response_times_are_those_of_the_mart(desk, dimension):
    promised = desk.frame("sla_clocks").filter(pl.col("state") != "no_target")
    expected = response_times(promised, [dimension]).filter(pl.col("dimension") == dimension)
    found = reports.response_times(desk, Selection(), dimension)
    shared = [name for name in found.columns if name in expected.columns]
    assert_frame_equal(found.select(shared), expected.select(shared), check_dtypes=False)


def test_reopens_are_those_of_the_mart(desk):
    promised = desk.frame("sla_clocks").filter(pl.col("state") != "no_target")
    expected = reopens(promised, ["tier"]).filter(pl.col("dimension") == "tier").drop("dimension")
    assert_frame_equal(reports.reopens(desk, Selection(), "tier").drop("id"), expected, check_dtypes=False)


def test_one_of_three_resolutions_came_back(back):
    row = reports.reopens(back).row(0, named=True)
    assert (row["resolved"], row["reopened"]) == (3, 1)


def test_reasons_are_counted_once_a_breach(back):
    assert reports.reasons(back)["breaches"].to_list() == [1, 1]
    assert reports.reasons(back, Selection(clocks=("first_response",))).is_empty()


def test_reasons_by_customer_carry_the_name(back):
    assert set(reports.reasons(back, Selection(), "customer")["value"]) == {"Acme"}


def test_closed_is_no_time_anybody_waits(back):
    assert reports.time_in_state(back)["status"].to_list() == ["in_progress"]


def test_alerts_of_the_last_days_only(back):
    assert reports.alerts_by_day(back, days=7)["alerts"].sum() == 2
    assert reports.alerts_by_day(back)["alerts"].sum() == 3


def test_the_breaches_of_a_credit_sum_to_it(back):
    for owed in reports.credits_owed(back).iter_rows(named=True):
        behind = reports.credited(back, owed["company_id"], owed["month"])
        assert behind["credit_percent"].sum() == owed["summed_percent"]


def test_rows_stand_in_the_desks_own_order():
    found = pl.DataFrame({"value": ["critical", "high", "low", "medium", None], "n": range(5)})
    assert by_rank(found, "priority")["value"].to_list() == ["critical", "high", "medium", "low", None]
    assert by_rank(found, "week").equals(found)
