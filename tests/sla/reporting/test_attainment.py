"""Did we keep our promises: the same numbers as counting by hand, with honest uncertainty."""

import random
from math import isclose, sqrt
from pathlib import Path
from statistics import mean, median
from typing import Any

import polars as pl
import pytest

from engine.shared.wilson import Z_95
from sla.alerting.alerts import AlertRule, called_for
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.contracts import CLOCKS
from sla.policy.parser import parse
from sla.reporting.attainment import attainment, overall, reopens, response_times
from sla.reporting.attribution import with_agents
from sla.reporting.breach_reasons import breach_reasons
from sla.reporting.breach_reasons import load as load_rule
from sla.reporting.credits import credited_breaches
from sla.reporting.credits import load as load_credits
from sla.reporting.never_started import never_started, sentence
from tests.sla.store_tables import standings_of
from tests.sla.timelines import CALENDARS, at, story

POLICY_FILES = Path(__file__).resolve().parents[3] / "data" / "policies"
STATES = ("met", "met", "met", "breached", "at_risk", "on_track", "not_measured", "no_target", "no_clock")


def some_clocks(seed: int = 7, size: int = 400) -> pl.DataFrame:
    draw = random.Random(seed)
    rows = [
        {
            "ticket": str(n),
            "clock": draw.choice(("first_response", "resolution")),
            "state": draw.choice(STATES),
            "team": draw.choice(("net", "mail", None)),
        }
        for n in range(size)
    ]
    frame = pl.DataFrame(rows, schema={"ticket": pl.String, "clock": pl.String, "state": pl.String, "team": pl.String})
    return frame.with_columns(pl.col("clock").cast(CLOCKS["clock"]), pl.col("state").cast(CLOCKS["state"]))


def counted(rows: list[dict[str, Any]], clock: str, **equal: Any) -> tuple[Any, ...]:
    """By hand: promised and measured, not measured, met, breached, share, low, high."""
    mine = [r["state"] for r in rows if r["clock"] == clock and all((r[k] or "unknown") == v for k, v in equal.items())]
    promised = [s for s in mine if s not in ("not_measured", "no_target", "no_clock")]
    met, late = promised.count("met"), promised.count("breached")
    n, p, z = met + late, met / (met + late), Z_95
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = ((p + z * z / (2 * n) + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return len(promised), mine.count("not_measured"), met, late, p, low, high


@pytest.mark.parametrize("clock", ["first_response", "resolution"])
@pytest.mark.parametrize("team", ["net", "mail", "unknown"])
def test_counts_and_wilson_interval(clock: str, team: str) -> None:
    clocks = some_clocks()
    row = attainment(clocks, ["team"]).row(
        by_predicate=(pl.col("clock") == clock) & (pl.col("dimension") == "team") & (pl.col("value") == team),
        named=True,
    )
    found = tuple(row[k] for k in ("clocks", "not_measured", "met", "breached", "share_met", "low", "high"))
    expected = counted(clocks.to_dicts(), clock, team=team)
    assert all(isclose(a, b) for a, b in zip(found, expected, strict=True))
    assert row["clocks"] == row["met"] + row["breached"] + row["at_risk"] + row["running"]


def test_parts_add_up_to_all() -> None:
    table = attainment(some_clocks(), ["team"]).group_by("clock", "dimension").agg(pl.col("clocks", "met").sum())
    sums = {(c, d): (n, m) for c, d, n, m in table.iter_rows()}
    assert sums["resolution", "all"] == sums["resolution", "team"]


def test_wilson_is_known_from_the_literature() -> None:
    clocks = pl.DataFrame({"clock": ["resolution"] * 10, "state": ["met"] * 9 + ["breached"]})
    row = attainment(clocks).row(0, named=True)
    assert (round(row["low"], 4), round(row["high"], 4)) == (0.5958, 0.9821)


def test_undecided_share_is_null() -> None:
    row = attainment(pl.DataFrame({"clock": ["resolution"], "state": ["at_risk"]})).row(0, named=True)
    assert (row["share_met"], row["low"], row["high"]) == (None, None, None)


def clocks_of(events: str, as_of: str) -> pl.DataFrame:
    policies = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
    return batch.evaluate(
        *frames([{"id": 1, "created_at": at("Tue 09:00")}], story(events)), policies, CALENDARS, at(as_of)
    )


REOPENED = "Tue 09:30 response\nWed 10:00 status resolved\nWed 11:00 status open\nWed 12:00 status closed"


def test_mean_times_in_business_and_wall_seconds() -> None:
    found = {row["clock"]: row for row in response_times(clocks_of(REOPENED, "Fri 09:00")).to_dicts()}
    assert found["first_response"]["mean_business_seconds"] == 1_800
    assert found["resolution"]["mean_business_seconds"] == mean([9 * 3_600, 3_600])
    assert found["resolution"]["median_seconds"] == median([25 * 3_600, 3_600])
    assert found["resolution"]["stopped"] == found["resolution"]["promised"] == 2


def test_a_running_clock_has_no_response_time() -> None:
    assert response_times(clocks_of("", "Tue 10:00")).is_empty()


def test_one_of_two_resolutions_was_reopened() -> None:
    row = reopens(clocks_of(REOPENED, "Fri 09:00")).row(0, named=True)
    assert (row["resolved"], row["reopened"], row["share_reopened"]) == (2, 1, 0.5)


def not_measured(events: str = "", as_of: str = "Fri 09:00") -> pl.DataFrame:
    """A ticket of which nothing is told from its creation on."""
    told = {f"{name}_unknown": at("Tue 09:00") for name in ("first_response", "resolution")}
    tickets = [{"id": "1", "created_at": at("Tue 09:00"), "priority": "high", "company_id": None, **told}]
    policies = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
    own = [event | {"ticket": "1"} for event in story(events)]
    return batch.evaluate(*frames(tickets, own), policies, CALENDARS, at(as_of))


def test_what_is_not_measured_is_a_number_beside_and_no_share() -> None:
    row = attainment(not_measured("Wed 10:00 status resolved")).row(0, named=True)
    assert (row["clocks"], row["not_measured"], row["share_met"]) == (0, 1, None)


def test_what_is_not_measured_has_no_time_alert_credit_or_reason_and_is_nobodys() -> None:
    clocks, now = not_measured("Wed 10:00 status resolved"), at("Fri 09:00")
    rules = [
        AlertRule(name="warn", trigger="pct_remaining", value=100, alert="warning", level=1),
        AlertRule(name="late", trigger="before_due", value=0, alert="breach", level=2),
    ]
    credits = load_credits(POLICY_FILES / "sla_credits.yaml").preset()
    priced = clocks.with_columns(priority=pl.lit("high"), company_id=pl.lit(None, pl.String))
    assert [frame.height for frame in (response_times(clocks), called_for(clocks, rules, now))] == [0, 0]
    assert credited_breaches(priced, credits).is_empty()
    tickets = pl.DataFrame({"id": ["1"], "created_at": [at("Tue 09:00")], "assignee_id": ["ana"]})
    standings = standings_of(tickets, frames([], [])[1], now)
    assert with_agents(clocks, standings, ["ana"], now)["agent_id"].to_list() == [None, None]
    rule = load_rule(POLICY_FILES / "breach_reasons.yaml")
    broken = breach_reasons(clocks, standings, rule=rule, policies=parse([{}]), calendars=CALENDARS, as_of=now)
    assert broken.is_empty()


def test_a_ticket_is_not_met_where_one_of_its_clocks_is_not_measured() -> None:
    clocks = not_measured().with_columns(
        state=pl.when(pl.col("clock") == "first_response")
        .then(pl.lit("met"))
        .otherwise(pl.col("state").cast(pl.String))
    )
    assert overall(clocks)["state"].to_list() == ["not_measured"]


def test_clocks_that_wait_for_an_acceptance_nobody_tells_are_counted() -> None:
    policies = parse(
        [{"calendar": "office", "first_response": None, "resolution": {"target": 7_200, "start_event": "accepted"}}],
        name="strict",
    )
    tickets, events = frames(
        [{"id": n, "created_at": at("Tue 11:00" if n == 9 else "Tue 09:00")} for n in (0, 1, 2, 3, 9)],
        [
            {"ticket": 1, "ts": at("Tue 09:30"), "kind": "accepted"},
            {"ticket": 2, "ts": at("Tue 10:00"), "kind": "status", "value": "resolved"},
        ],
    )
    now = at("Tue 12:00")
    clocks = batch.evaluate(tickets, events, policies, CALENDARS, now)
    found = never_started(clocks, tickets, events, policies=policies, calendars=CALENDARS, as_of=now)
    assert found.to_list() == [0, 3]  # 1 was accepted, 2 was solved in time, 9 is an hour old
    assert sentence(len(found), policies).startswith("2 tickets are older than their resolution target")
    assert sentence(0, policies) == ""


def test_nothing_resolved_is_no_row() -> None:
    assert reopens(clocks_of("", "Tue 10:00")).is_empty()


def who(events: list[tuple[str, str, str | None, str]], as_of: str = "Fri 09:00", **now: str) -> dict[str, Any]:
    """(agent_id, agent_because) by clock, of the last window."""
    told = [
        {"ticket": "1", "ts": at(when), "kind": kind, "value": value, "actor": actor}
        for when, kind, value, actor in events
    ]
    tickets, happened = frames([{"id": "1", "created_at": at("Tue 09:00")}], told)
    happened = happened.with_columns(actor=pl.Series([event["actor"] for event in told], dtype=pl.String))
    tickets = tickets.with_columns(assignee_id=pl.lit(now.get("assignee"), pl.String))
    policies = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
    clocks = batch.evaluate(tickets, happened, policies, CALENDARS, at(as_of))
    found = with_agents(clocks, standings_of(tickets, happened, at(as_of)), ["ana", "ben"], at(as_of)).filter(
        "is_current"
    )
    return {row["clock"]: (row["agent_id"], row["agent_because"]) for row in found.to_dicts()}


ASSIGNED = ("Tue 09:05", "assignee", "ana", "dispatch")


@pytest.mark.parametrize(
    ("events", "clock", "expected"),
    [
        ([ASSIGNED, ("Tue 09:30", "response", None, "ben")], "first_response", ("ben", "responded")),
        ([ASSIGNED, ("Tue 09:30", "response", None, "mailbot")], "first_response", ("ana", "assigned_then")),
        ([ASSIGNED, ("Tue 10:00", "status", "resolved", "ben")], "resolution", ("ben", "resolved")),
        ([ASSIGNED, ("Tue 10:00", "status", "resolved", "ben")], "first_response", ("ben", "resolved")),
        ([ASSIGNED, ("Tue 10:00", "status", "resolved", "nightly")], "resolution", ("ana", "assigned_then")),
        ([ASSIGNED, ("Tue 11:00", "released", None, "ana")], "resolution", (None, None)),
        ([("Tue 09:20", "accepted", "ben", "ben")], "resolution", ("ben", "assigned_then")),
        ([("Tue 10:00", "status", "resolved", "nightly"), ("Tue 11:00", "assignee", "ben", "x")],
         "resolution", (None, None)),
    ],
)  # fmt: skip
def test_a_clock_belongs_to_who_stopped_it_or_had_it_then(
    events: list[tuple[str, str, str | None, str]], clock: str, expected: tuple[str | None, str | None]
) -> None:
    assert who(events)[clock] == expected


def test_without_a_told_assignment_the_present_one_counts() -> None:
    assert who([], assignee="ben")["resolution"] == ("ben", "assigned_now")


@pytest.mark.parametrize(
    ("events", "as_of", "state", "clock"),
    [
        ("", "Tue 09:10", "on_track", "first_response"),
        ("Tue 09:10 response", "Tue 09:20", "on_track", "resolution"),
        ("Tue 09:10 response", "Tue 12:30", "at_risk", "resolution"),
        ("", "Tue 10:30", "breached", "resolution"),
        ("Tue 09:30 status resolved", "Tue 12:00", "met", "first_response"),
    ],
)
def test_overall_is_the_worst_and_points_to_the_next_deadline(events: str, as_of: str, state: str, clock: str) -> None:
    row = overall(clocks_of(events, as_of)).row(0, named=True)
    assert (row["state"], row["next_clock"]) == (state, clock)
