"""What came and went: against marts written by hand, against the mart `volume`, and each number against its list."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from dashboards import filters, ticket_lists
from pipelines.figures import flow_charts, reports, volume
from pipelines.figures.selection import Period, Selection
from pipelines.marts import MartReader
from tests.dashboards.marts_by_hand import HOSTILE, NOON, clock, published, ticket
from tests.dashboards.test_pages import home, opened  # noqa: F401
from tests.pipelines.small_desk import triaged_desk

TODAY = NOON.date()
WEEK = Selection(period=Period.of_days(7, until=TODAY))


def came(reference: str, days_ago: int, **cells: Any) -> dict[str, Any]:
    return ticket(reference, created_at=NOON - timedelta(days=days_ago), **cells)


def moved(reference: str, figure: str, days_ago: int) -> dict[str, Any]:
    return {"figure": figure, "ticket": f"demo:{reference}", "day": TODAY - timedelta(days=days_ago)}


def desk(folder: Path) -> MartReader:
    """Two tickets of the bank and one of nobody came this week, two of the week before were solved; one came back."""
    return published(
        folder,
        tickets=[
            came("INC-1", 20, company_id="bank", is_open=False, status="closed"),
            came("INC-2", 10, company_id="bank", product="ZTNA", owner_id="ana"),
            came("INC-3", 9, company_id="shop", is_open=False, status="closed"),
            came("INC-4", 2, company_id="bank", priority="high", owner_id="ana"),
            came("INC-5", 1, priority="high", group_id="g-2"),
            came("INC-6", 0, company_id="bank", group_id=None, is_open=False, status="closed"),
        ],
        counted_tickets=[
            moved("INC-1", "resolved", 3), moved("INC-2", "resolved", 8), moved("INC-2", "reopened", 4),
            moved("INC-3", "resolved", 3), moved("INC-6", "left_out", 0),
        ],
        customers=[
            {"company_id": "bank", "name": "Bank", "segment": "finance"}, {"company_id": "shop", "name": "Shop"},
        ],
        sla_clocks=[
            clock("INC-2", "resolution", "breached", stopped_at=None), clock("INC-4", "resolution", "breached"),
            clock("INC-5", "resolution", "on_track", due_hours=4),
        ],
        allocations=[
            {"ticket": "demo:INC-2", "outcome": "allocated", "group_id": "g-1"},
            {"ticket": "demo:INC-5", "outcome": "allocated", "group_id": "g-1"},
        ],
        group_load=[
            {"group_id": "g-1", "group_name": "Network", "status": "ACTIVE", "capacity": 2, "load_before": 2,
             "allocated": 1, "load_after": 3, "utilisation": 1.5},
            {"group_id": "g-2", "group_name": HOSTILE, "status": "ACTIVE", "capacity": 0, "load_before": 1,
             "allocated": 0, "load_after": 1, "utilisation": None},
        ],
        agent_load=[
            {"agent_id": "ana", "name": "Ana", "is_there": True, "capacity": 1, "load": 2, "utilisation": 2.0},
            {"agent_id": "ben", "name": "Ben", "is_there": False, "capacity": 5, "load": 0, "utilisation": 0.0},
        ],
    )  # fmt: skip


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MartReader]:
    with desk(tmp_path_factory.mktemp("home")) as found:
        yield found


@pytest.fixture(scope="module")
def triaged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MartReader]:
    with triaged_desk(tmp_path_factory.mktemp("triaged")) as app, MartReader(app.settings.marts_folder) as found:
        yield found


def length(reader: MartReader, what: str, chosen: Selection) -> int:
    return ticket_lists.size(reader, what, chosen).rows


def test_a_week_and_the_one_before(reader: MartReader) -> None:
    found, before = volume.flow(reader, WEEK), volume.flow_before(reader, WEEK)
    assert found is not None
    assert before is not None
    assert found[:6] == (3, 2, 1, 1, 2, 3)
    assert before[:6] == (2, 1, 0, 0, 1, 2)


def test_a_desk_younger_than_the_period_before_has_nothing_to_compare(reader: MartReader) -> None:
    chosen = Selection(period=Period.of_days(14, until=TODAY))
    assert volume.flow_before(reader, chosen) is None
    assert volume.by(reader, "priority", chosen)["created_before"].null_count() == 2


@pytest.mark.parametrize("period", [Period(), Period(date(2026, 7, 1), None), Period(None, date(2026, 7, 20))])
def test_of_everything_the_days_are_the_mart_volume(triaged: MartReader, period: Period) -> None:
    found, mart = volume.days(triaged, Selection(period=period)), reports.volume(triaged, period)
    assert mart.height > 5
    assert_frame_equal(found.head(mart.height), mart)
    quiet = found.tail(-mart.height)
    assert quiet.select("created", "resolved", "reopened", "left_out").sum().row(0) == (0, 0, 0, 0)
    assert mart.is_empty() or set(quiet["open_at_end"]) <= {mart["open_at_end"][-1]}


def test_days_reach_up_to_the_publication(tmp_path: Path) -> None:
    with published(tmp_path, tickets=[came("INC-1", 40)]) as reader:
        found = volume.flow(reader, WEEK)
        assert found is not None
        assert (found.created, found.open_at_start, found.open_at_end, found.since) == (0, 1, 1, WEEK.period.first)


def test_parts_add_up_to_the_whole_whatever_the_cut(triaged: MartReader) -> None:
    until = reports.volume(triaged)["day"][-5]
    chosen = Selection(period=Period.of_days(20, until=until))
    whole = volume.flow(triaged, chosen)
    assert whole is not None
    for dimension in volume.DIMENSIONS:
        found = volume.by(triaged, dimension, chosen)
        sums = [found[name].sum() for name in ("created", "resolved", "reopened", "left_out", "open_at_end")]
        assert sums == [whole.created, whole.resolved, whole.reopened, whole.left_out, whole.open_at_end], dimension


def test_segments_are_the_customers_and_none_is_said(reader: MartReader) -> None:
    found = volume.by(reader, "segment", WEEK)
    columns = ("value", "id", "created", "resolved", "open_at_end", "created_before", "resolved_before")
    assert found.select(columns).rows() == [
        ("finance", "finance", 2, 1, 2, 1, 1), ("no segment", "", 1, 1, 1, 1, 0),
    ]  # fmt: skip


NUMBERS = {
    "created": "created", "resolved": "resolved_times", "reopened": "reopened_times", "left_out": "left_out",
    "open_at_end": "open_then",
}  # fmt: skip


@pytest.mark.parametrize("dimension", volume.DIMENSIONS)
@pytest.mark.parametrize("desk_of", ["reader", "triaged"])
def test_each_number_of_a_cut_has_its_list(request: pytest.FixtureRequest, desk_of: str, dimension: str) -> None:
    reader = request.getfixturevalue(desk_of)
    until = volume.days(reader).filter(pl.col("created") + pl.col("resolved") > 0)["day"][-3]
    chosen = Selection(period=Period.of_days(10, until=until))
    for row in volume.by(reader, dimension, chosen).iter_rows(named=True):
        narrower = filters.narrowed(chosen, dimension, row["id"])
        assert {name: length(reader, what, narrower) for name, what in NUMBERS.items()} == {
            name: row[name] for name in NUMBERS
        }, row["value"]


def test_what_was_open_at_the_end_of_each_day_has_its_list(triaged: MartReader) -> None:
    for row in volume.days(triaged).iter_rows(named=True):
        assert length(triaged, "open_then", Selection(period=Period(None, row["day"]))) == row["open_at_end"]


def test_load_of_groups_and_agents_has_its_lists(reader: MartReader) -> None:
    groups = volume.group_load(reader)
    assert groups.select("id", "open", "before", "allocated", "late", "elsewhere").rows() == [
        ("g-1", 2, 1, 1, 1, 1), ("g-2", 1, 1, 0, 0, 0),
    ]  # fmt: skip
    agents = volume.agent_load(reader)
    assert agents.select("id", "load", "late").rows() == [("ana", 2, 1), ("ben", 0, 0)]
    behind = {"open": "open", "before": "before_allocation", "allocated": "allocated", "late": "late"}
    for row in groups.iter_rows(named=True):
        for name, what in behind.items():
            assert length(reader, what, Selection(groups=(row["id"],))) == row[name], (row["id"], name)
    for row in agents.iter_rows(named=True):
        assert length(reader, "open", Selection(agents=(row["id"],))) == row["load"]
        assert length(reader, "late", Selection(agents=(row["id"],))) == row["late"]


def test_open_tickets_of_no_group_stand_in_the_load(tmp_path: Path) -> None:
    with published(tmp_path, tickets=[ticket("INC-1", group_id=None)]) as reader:
        assert volume.group_load(reader).select("id", "name", "open", "capacity").rows() == [("", "no group", 1, None)]
        assert length(reader, "before_allocation", Selection(groups=("",))) == 1


def test_load_of_real_marts_meets_the_published_one(triaged: MartReader) -> None:
    found = volume.group_load(triaged).filter(pl.col("id") != "")
    mart = triaged.frame("group_load").join(found, left_on="group_id", right_on="id")
    assert mart.height == found.height > 0
    assert (mart["allocated"] == mart["allocated_right"]).all()
    assert (mart["load_before"] == mart["before"] + mart["elsewhere"]).all()


def test_load_of_real_agents_is_what_they_hold(triaged: MartReader) -> None:
    found = volume.agent_load(triaged)
    assert found.filter(pl.col("load") > 0).height > 1
    for row in found.iter_rows(named=True):
        assert length(triaged, "open", Selection(agents=(row["id"],))) == row["load"], row["id"]


def test_the_sentence_says_what_happens_to_the_backlog_and_who_is_over(reader: MartReader) -> None:
    found = volume.flow(reader, WEEK)
    assert found is not None
    loads = volume.group_load(reader), volume.agent_load(reader)
    assert volume.sentence(found, volume.flow_before(reader, WEEK), *loads) == (
        "More comes in than goes out: 4 came in (+2 to the period before), 3 went out; 3 tickets open at the end, 1 "
        "more than at the start. Over capacity: 1 group (Network 3 of 2) and 1 agent (Ana 2 of 1). Nobody is there "
        "for 1 group with open tickets."
    )
    nobody = tuple(frame.filter(pl.col("load") == 0) for frame in loads)
    assert volume.sentence(found, None, nobody[0], nobody[1]).endswith("Nobody is over capacity.")


def test_pictures_say_in_words_what_they_show(reader: MartReader) -> None:
    bars = flow_charts.load_bars(volume.group_load(reader), "Load").to_dict()
    assert bars["description"] == "Load: 1 of 1 over capacity"
    assert "3 of 2, over" in str(bars["datasets"])
    dots = flow_charts.came_and_went(volume.by(reader, "segment", WEEK), "By segment").to_dict()
    assert dots["description"] == "By segment: 3 created, 2 resolved in all"


TABS = ("Which days?", "Which tickets?", "Who has too much?")


@pytest.mark.parametrize("tab", TABS)
def test_the_page_opens_each_tab_and_says_the_answer_first(home: Path, tab: str) -> None:  # noqa: F811
    desk(home).close()
    page = opened("volume", tab=tab, during="last 7 days")
    assert page.text[0].value.startswith("More comes in than goes out: 4 came in")
    assert [metric.value for metric in page.metric] == ["3", "2", "1", "1", "3"]
    assert page.metric[0].delta == "+1"


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_opens_on_nothing(home: Path, tab: str) -> None:  # noqa: F811
    published(home).close()
    opened("volume", tab=tab)


def test_the_bar_narrows_what_came_and_went(home: Path) -> None:  # noqa: F811
    desk(home).close()
    page = opened("volume", during="last 7 days", segments="finance")
    assert [metric.value for metric in page.metric] == ["2", "1", "1", "1", "2"]


def test_capacity_of_a_group_with_nobody_is_said(home: Path) -> None:  # noqa: F811
    desk(home).close()
    tables = [table.value for table in opened("volume", tab="Who has too much?").dataframe]
    assert tables[0]["capacity"].to_list() == ["2", "nobody is there"]
    assert tables[1]["capacity"].to_list() == ["1", "5, away"]
