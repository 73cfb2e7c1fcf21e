"""What a change of promises would have done is told exactly, and agrees with each side's own attainment."""

from typing import Any

import polars as pl
from hypothesis import HealthCheck, given, settings

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.policy.calendar_files import parse_all
from sla.reporting.attainment import attainment
from sla.reporting.backtest import CHANGES, COMPARED, NO_WINDOW, ONE_SIDED, Backtest, compare
from tests.generative.backlogs import CALENDARS as ODD
from tests.generative.backlogs import Backlog, backlogs, policies
from tests.sla.timelines import CALENDARS, at, story

READY = parse_all(ODD)
FOUR_HOURS = [{"name": "std", "calendar": "office", "first_response": None, "resolution": 14_400}]
TWO_HOURS = [{"name": "std", "calendar": "office", "first_response": None, "resolution": 7_200}]


def tried(before: Any, after: Any, events: str, *, as_of: str = "Fri 12:00", **ticket: Any) -> Backtest:
    rows = [{"id": 1, "created_at": at("Tue 09:00"), "priority": "high", **ticket}]
    read = frames(rows, story(events))
    both = [batch.evaluate(*read, rules, CALENDARS, at(as_of)) for rules in (before, after)]
    return compare(*both, pl.DataFrame({"ticket": [1], "priority": ["high"], "team": [None]}))


def test_shorter_target_breaks_what_was_kept() -> None:
    found = tried(FOUR_HOURS, TWO_HOURS, "Tue 12:00 status resolved")
    assert found.changes.rows() == [(1, "resolution", 1, "met", "breached", 3_600, -3_600)]
    told = found.attainment.select("dimension", "value", "share_met_before", "share_met_after", "points")
    assert told.rows() == [
        ("all", "all", 1.0, 0.0, -100.0),
        ("priority", "high", 1.0, 0.0, -100.0),
        ("team", "unknown", 1.0, 0.0, -100.0),
        ("week", "2024-01-15", 1.0, 0.0, -100.0),
    ]
    assert found.attainment["met_to_breached"].to_list() == [1, 1, 1, 1]
    assert found.attainment["breached_to_met"].to_list() == [0, 0, 0, 0]


def test_same_promises_change_nothing() -> None:
    found = tried(FOUR_HOURS, FOUR_HOURS, "Tue 12:00 status resolved\nWed 10:00 status open")
    assert found.changes.is_empty()
    assert found.one_sided.is_empty()
    assert found.attainment["points"].to_list() == [0.0, 0.0, 0.0, 0.0]


def test_window_of_one_policy_only_is_counted_and_named() -> None:
    goes_on = [{**FOUR_HOURS[0], "resolution": {"target": 14_400, "reopen": "continue"}}]
    found = tried(FOUR_HOURS, goes_on, "Tue 12:00 status resolved\nWed 10:00 status open\nWed 11:00 status resolved")
    assert found.one_sided.rows() == [("resolution", "before", 1)]
    assert found.changes.select("window", "state_before", "state_after").rows() == [(2, "met", NO_WINDOW)]
    assert found.attainment.row(0, named=True)["clocks_before"] == 2
    assert found.attainment.row(0, named=True)["clocks_after"] == 1


def test_clock_that_waits_for_acceptance_has_no_window() -> None:
    accepted = [{**FOUR_HOURS[0], "resolution": {"target": 14_400, "start_event": "accepted"}}]
    found = tried(FOUR_HOURS, accepted, "")
    assert found.one_sided.rows() == [("resolution", "before", 1)]
    assert found.changes["state_after"].to_list() == [NO_WINDOW]


def test_window_that_starts_in_another_week_counts_there() -> None:
    accepted = [{**TWO_HOURS[0], "resolution": {"target": 7_200, "start_event": "accepted"}}]
    events = "Mon+7 09:00 accepted ana\nMon+7 12:00 status resolved"
    found = tried(FOUR_HOURS, accepted, events, as_of="Tue+7 09:00")
    weeks = found.attainment.filter(pl.col("dimension") == "week")
    assert weeks.select("value", "clocks_before", "clocks_after", "breached_after").rows() == [
        ("2024-01-15", 1, 0, 0),
        ("2024-01-22", 0, 1, 1),
    ]


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(), policies())
def test_each_side_agrees_with_its_own_attainment(backlog: Backlog, other: Any) -> None:
    read = frames(backlog.tickets, backlog.events)
    sides = [batch.evaluate(*read, rules, READY, backlog.as_of) for rules in (backlog.policies, other)]
    about = read[0].select("priority", "tier", "team", ticket="id").unique("ticket")
    found = compare(*sides, about)
    assert found.attainment.schema == COMPARED
    assert list(found.changes.schema) == list(CHANGES)
    assert found.one_sided.schema == ONE_SIDED
    week = pl.col("window_start").dt.truncate("1w").dt.date()
    for name, clocks in zip(("before", "after"), sides, strict=True):
        cut = clocks.join(about, on="ticket").with_columns(week=week)
        wanted = attainment(cut, ("priority", "tier", "team", "week"))
        columns = ["clocks", "not_measured", "met", "breached", "share_met"]
        kept = found.attainment.rename({f"{column}_{name}": column for column in columns})
        rows = kept.filter(pl.col("clocks") + pl.col("not_measured") > 0).select(
            "clock", "dimension", "value", *columns
        )
        assert rows.rows() == wanted.select("clock", "dimension", "value", *columns).rows()


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(), policies())
def test_changes_are_the_windows_whose_state_differs(backlog: Backlog, other: Any) -> None:
    read = frames(backlog.tickets, backlog.events)
    sides = [batch.evaluate(*read, rules, READY, backlog.as_of) for rules in (backlog.policies, other)]
    states = [
        {(r["ticket"], r["clock"], r["window"]): r["state"] for r in side.to_dicts() if r["state"] != "no_clock"}
        for side in sides
    ]
    expected = {
        key: (states[0].get(key, NO_WINDOW), states[1].get(key, NO_WINDOW))
        for key in {*states[0], *states[1]}
        if states[0].get(key) != states[1].get(key)
    }
    about = read[0].select(ticket="id").unique("ticket")
    found = {row[:3]: row[3:5] for row in compare(*sides, about).changes.rows()}
    assert found == expected
