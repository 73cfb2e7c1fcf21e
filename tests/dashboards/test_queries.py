"""The numbers on the pages, each worked out a second way."""

import math
from collections import Counter
from datetime import timedelta
from itertools import product

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from engine.shared.wilson import Z_95
from pipelines.figures import queries
from pipelines.figures.selection import DIMENSIONS, Period, Selection
from sla.reporting.attainment import attainment
from tests.dashboards.marts_by_hand import HOSTILE, LOAD, NOON, clock, published, small_desk, ticket

STATES = ["met"] * 7 + ["breached"] * 3 + ["at_risk"] * 2 + ["on_track"] * 4 + ["no_target"]
CLOCKS = [
    clock(
        f"T-{number}",
        name,
        STATES[(number * 7 + (name == "resolution")) % len(STATES)],
        due_hours=number,
        priority=["critical", "high", "medium", "low"][number % 4],
        tier=["enterprise", "free"][number % 2],
        group_id=[None, "g-1", "g-2", "g-9"][number % 4],
        window_start=NOON - timedelta(days=number),
    )
    for number, name in product(range(60), ["first_response", "resolution"])
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    tickets = [ticket(f"T-{n}", is_open=n % 3 == 0, tier=["enterprise", "free"][n % 2]) for n in range(60)]
    with published(tmp_path_factory.mktemp("home"), sla_clocks=CLOCKS, tickets=tickets, group_load=LOAD) as reader:
        yield reader


CHOSEN = [
    Selection(),
    Selection(clocks=("resolution",)),
    Selection(tiers=("free",), priorities=("high", "low")),
    Selection(groups=("g-2",), period=Period.of_days(28, until=NOON.date())),
    Selection(period=Period.of_days(7, until=NOON.date())),
]


def fits(row, chosen: Selection) -> bool:
    return (
        row["state"] not in ("no_target", "no_clock")
        and (not chosen.clocks or row["clock"] in chosen.clocks)
        and (not chosen.tiers or row["tier"] in chosen.tiers)
        and (not chosen.priorities or row["priority"] in chosen.priorities)
        and (not chosen.groups or row["group_id"] in chosen.groups)
        and (chosen.period.first is None or chosen.period.first <= row["window_start"].date() <= chosen.period.last)
    )


def counted(rows):
    states = Counter(row["state"] for row in rows)
    return len(rows), states["met"], states["breached"], states["at_risk"]


@pytest.mark.parametrize("chosen", CHOSEN, ids=str)
def test_headline_counts_what_the_rows_say(desk, chosen):
    for row in queries.headline(desk, chosen).iter_rows(named=True):
        mine = [c for c in CLOCKS if fits(c, chosen) and c["clock"] == row["clock"]]
        assert (row["clocks"], row["met"], row["breached"], row["at_risk"]) == counted(mine)
        assert row["running"] == sum(c["state"] == "on_track" for c in mine)


@pytest.mark.parametrize("chosen", CHOSEN, ids=str)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_every_breakdown_adds_up_to_the_headline(desk, chosen, dimension):
    parts = queries.attainment_by(desk, dimension, chosen).group_by("clock").agg(pl.sum("clocks", "met", "breached"))
    whole = queries.headline(desk, chosen).select("clock", "clocks", "met", "breached")
    assert parts.sort("clock").equals(whole)


def test_weeks_add_up_to_the_headline(desk):
    weeks = queries.attainment_by_week(desk)
    assert weeks["clocks"].sum() == queries.headline(desk)["clocks"].sum()
    assert weeks["week"].is_sorted()
    assert set(weeks["week"].dt.weekday()) == {1}


@pytest.mark.parametrize("dimension", ["all", "priority", "tier", "type", "week"])
def test_pages_and_the_published_attainment_meet(desk, dimension):
    of_the_engine = attainment(desk.frame("sla_clocks"), [] if dimension == "all" else [dimension])
    published = of_the_engine.filter(pl.col("dimension") == dimension).drop("dimension", "not_measured")
    match dimension:
        case "all":
            shown = queries.headline(desk).with_columns(value=pl.lit("all"))
        case "week":
            shown = queries.attainment_by_week(desk).with_columns(value=pl.col("week").cast(pl.String))
        case _:
            shown = queries.attainment_by(desk, dimension)
    assert_frame_equal(shown.select(published.columns), published, check_row_order=False)


def test_groups_go_by_their_names(desk):
    found = set(queries.attainment_by(desk, "group")["value"])
    assert found == {"no group", "Network", "Data", "g-9"}


@pytest.mark.parametrize(("met", "breached"), [(0, 0), (0, 5), (5, 0), (45, 5), (9990, 10)])
def test_interval_is_wilsons(met, breached):
    row = queries.with_share_met(pl.DataFrame({"met": [met], "breached": [breached]})).row(0, named=True)
    if not (n := met + breached):
        assert row["share_met"] is row["low"] is row["high"] is None
        return
    # Wilson's bounds are where the score test of p is just not refused: (p̂ - p)² = z² p (1 - p) / n
    for bound in (row["low"], row["high"]):
        assert math.isclose((met / n - bound) ** 2, Z_95**2 * bound * (1 - bound) / n, abs_tol=1e-12)
    assert 0 <= row["low"] <= row["share_met"] <= row["high"] <= 1


def test_open_tickets_follow_the_filters(desk):
    assert queries.open_tickets(desk) == 20
    assert queries.open_tickets(desk, Selection(tiers=("free",))) == 10
    assert queries.open_tickets(desk, Selection(groups=("g-9",))) == 0


def test_next_deadline_comes_first(desk):
    found = queries.closest_to_breach(desk, limit=5)
    running = sorted(c["due_at"] for c in CLOCKS if c["state"] in ("at_risk", "on_track"))
    assert found["due_at"].to_list() == running[:5]
    assert set(found["state"]) <= {"at_risk", "on_track"}


def test_paused_and_stopped_clocks_do_not_break_next(tmp_path):
    rows = [clock("A", "resolution", "on_track", is_paused=True), clock("B", "resolution", "met", due_hours=1)]
    assert queries.closest_to_breach(published(tmp_path, sla_clocks=rows)).is_empty()


def test_share_that_goes_to_a_person(tmp_path):
    reader = small_desk(tmp_path)
    assert queries.review(reader) == (4, 1)
    assert queries.review(reader).share == 0.25
    assert queries.confidence(reader)["tickets"].sum() == 4


def test_nothing_classified_has_no_share(tmp_path):
    assert queries.review(published(tmp_path)).share is None


def test_a_mart_tells_of_one_ticket(tmp_path):
    reader = small_desk(tmp_path)
    assert queries.of_ticket(reader, "sla_clocks", "demo:INC-1", "clock")["clock"].to_list() == [
        "first_response", "resolution"
    ]  # fmt: skip
    (decision,) = queries.of_ticket(reader, "allocations", "demo:INC-1", "ticket").iter_rows(named=True)
    assert queries.factor_scores(decision)["score"].to_list() == [0.9, 0.7, 0.8, 0.9, 0.4, 0.8, 1.0]


def test_an_unknown_ticket_has_no_rows(tmp_path):
    assert queries.of_ticket(small_desk(tmp_path), "tickets", "' OR 1=1 --", "ticket").is_empty()


def test_rejected_rows_keep_their_reason(tmp_path):
    found = queries.rejected(small_desk(tmp_path))
    assert found.total == 1
    assert HOSTILE in found.rows["reason"].item()


def test_filters_offer_what_occurs(tmp_path):
    offered = queries.choices(small_desk(tmp_path))
    assert offered["clocks"] == ["first_response", "resolution"]
    assert offered["groups"] == ["g-1", "g-2"]
    assert offered["sources"] == ["demo"]
