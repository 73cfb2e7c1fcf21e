"""What if on histories made by hand: cells changed in files, goals, seats, and tickets given out again."""

from datetime import UTC, datetime

import polars as pl
import pytest

from engine.allocation.policy import AllocationPolicy, Weights
from engine.contracts import Agent, AllocationDecision, AssignmentGroup, Outcome, Ticket
from engine.shared.errors import BadInput
from pipelines.jobs import what_if
from pipelines.jobs.backtest import Read, Rules
from pipelines.jobs.what_if_edits import Hours, Target, cells, hours, with_hours, with_targets
from pipelines.jobs.what_if_goals import judged, wanted
from pipelines.jobs.what_if_promises import compared, moves
from sla.policy import calendar_files, parser
from sla.reporting.goals import AttainmentGoals

AT = datetime(2026, 3, 6, 12, tzinfo=UTC)
PROMISES = {
    "policies": [
        {"name": "urgent", "match": {"priority": "critical"}, "first_response": "15 min", "resolution": "4 hours"},
        {"name": "all", "resolution": {"target": 2, "unit": "hours", "tiers": {"enterprise": 1}}},
    ]
}


def day(number: int, hour: int, minute: int = 0) -> datetime:
    """Of the first week of March 2026: 2 is a Monday."""
    return datetime(2026, 3, number, hour, minute, tzinfo=UTC)


def history(*tickets: tuple[str, datetime, datetime | None]) -> tuple[Read, pl.DataFrame]:
    """Tickets of medium priority with when they were created and resolved, and what they are called."""
    utc = pl.Datetime("us", "UTC")
    born = pl.DataFrame(
        {"id": range(len(tickets)), "created_at": [at for _, at, _ in tickets]},
        schema={"id": pl.UInt32, "created_at": utc},
    ).with_columns(
        priority=pl.lit("medium"), tier=pl.lit("standard"), type=pl.lit("incident"), team=pl.lit(None, pl.String),
        channel=pl.lit("email"), status=pl.lit("new"),
    )  # fmt: skip
    ends = [(place, at) for place, (_, _, at) in enumerate(tickets) if at]
    events = pl.DataFrame(
        {"ticket": [place for place, _ in ends], "ts": [at for _, at in ends]},
        schema={"ticket": pl.UInt32, "ts": utc},
    ).with_columns(kind=pl.lit("status"), value=pl.lit("resolved"), seq=pl.lit(2))
    names = pl.Series("ticket", [name for name, _, _ in tickets])
    about = born.select(ticket="id", priority=pl.col("priority").cast(pl.Categorical))
    return Read(born, events, about, names), pl.DataFrame({"ticket": names, "reference": names, "subject": names})


def promised(resolution: str, **calendars: object) -> Rules:
    named = calendar_files.parse_all({"24x7": {"always": True}, **calendars})
    content = {"policies": [{"name": "all", "resolution": resolution}], "calendar": "desk" if calendars else "24x7"}
    return Rules(parser.checked(content, "ours.yaml", named), named)


def test_longer_target_turns_breached_into_met() -> None:
    read, about = history(("A", day(2, 9), day(2, 12)), ("B", day(2, 9), day(2, 10)), ("C", day(2, 9), day(2, 19)))
    found = compared(read, about, promised("2 hours"), promised("4 hours"), clocks=("resolution",), as_of=AT)
    assert (found.before.met, found.before.decided, found.after.met, found.after.decided) == (1, 3, 2, 3)
    assert moves(found.attainment) == {"met_to_breached": 0, "breached_to_met": 1}
    assert found.changes["reference"].to_list() == ["A"]
    assert (found.tickets, found.changed) == (3, 1)


def test_interval_holds_the_share() -> None:
    read, about = history(("A", day(2, 9), day(2, 12)), ("B", day(2, 9), day(2, 10)))
    found = compared(read, about, promised("2 hours"), promised("4 hours"), clocks=("resolution",), as_of=AT)
    row = found.attainment.filter(dimension="all").row(0, named=True)
    assert row["low_before"] < row["share_met_before"] == 0.5 < row["high_before"]
    assert row["low_after"] < row["share_met_after"] == 1.0


def test_open_saturday_counts_against_the_desk() -> None:
    weekdays = {name: ["09:00-17:00"] for name in ("mon", "tue", "wed", "thu", "fri")}
    read, about = history(("A", datetime(2026, 2, 27, 15, tzinfo=UTC), day(2, 10)))
    closed = promised("4 business hours", desk={"weekly": weekdays})
    opened = promised("4 business hours", desk={"weekly": {**weekdays, "sat": ["09:00-17:00"]}})
    found = compared(read, about, closed, opened, clocks=("resolution",), as_of=AT)
    assert (found.before.met, found.after.met) == (1, 0)


def test_clock_of_one_side_is_in_no_comparison() -> None:
    read, about = history(("A", day(2, 9), day(2, 10)))
    none = promised("2 hours")
    found = compared(read, about, none, Rules(parser.parse({"policies": [{"first_response": "1 hour"}]}), {}), as_of=AT)
    assert (found.before.share, found.after.share) == (None, None)


def test_cells_are_the_targets_as_written() -> None:
    assert [(cell.name, cell.clock, cell.target) for cell in cells(PROMISES)] == [
        ("urgent", "first_response", "15 min"), ("urgent", "resolution", "4 hours"), ("all", "first_response", ""),
        ("all", "resolution", "2 hours"),
    ]  # fmt: skip


def test_cells_of_versions_are_of_the_last() -> None:
    versions = {"versions": [{"policies": [{"resolution": 60}]}, {"valid_from": "2026-01-01", **PROMISES}]}
    assert cells(versions) == cells(PROMISES)


def test_other_target_leaves_the_rest() -> None:
    changed = with_targets(PROMISES, [Target(1, "resolution", "3 business hours"), Target(0, "first_response", "")])
    assert changed["policies"][1]["resolution"] == {"tiers": {"enterprise": 1}, "target": "3 business hours"}
    assert changed["policies"][0]["first_response"] is None
    assert PROMISES["policies"][0]["first_response"] == "15 min"


@pytest.mark.parametrize("content", [None, 3, [], {"policies": 3}, {"versions": []}, [None, 3]])
def test_nothing_of_no_list_can_be_changed(content: object) -> None:
    assert cells(content) == []


def test_hours_come_back_as_they_were() -> None:
    file = {"calendars": {"desk": {"tz": "UTC", "weekly": {"mon": [["09:00", "12:00"], ["13:00", "17:00"]]}}}}
    form = hours(file, "desk")
    assert form["mon"] == "09:00-12:00, 13:00-17:00"
    same = with_hours(file, [Hours("desk", what, value) for what, value in form.items()])
    one, other = (calendar_files.checked(content, "ours.yaml")["desk"] for content in (file, same))
    assert (one.tz, one.weekly, one.holidays, one.country) == (other.tz, other.weekly, other.holidays, other.country)


def test_hours_of_an_unknown_calendar_are_refused() -> None:
    with pytest.raises(BadInput, match="There is no calendar nowhere"):
        with_hours({"calendars": {}}, [Hours("nowhere", "mon", "")])


GOALS = AttainmentGoals.model_validate(
    {"share": 0.9, "clocks": {"resolution": {"share": 0.8, "by_tier": {"enterprise": 0.95}}}}
)


def counted(*cells: tuple[str, str, int, int]) -> pl.DataFrame:
    """Of resolution: value, tier, met and decided."""
    schema = {"value": pl.String, "tier": pl.String, "met": pl.Int64, "decided": pl.Int64}
    rows = pl.DataFrame(cells, schema=schema, orient="row")
    return rows.with_columns(id="value", clock=pl.lit("resolution"), priority=pl.lit("low"))


def test_target_is_the_mean_of_what_is_wanted() -> None:
    found = judged(counted(("a", "free", 80, 100), ("a", "enterprise", 90, 100)), GOALS, GOALS)
    assert found["target_before"].item() == pytest.approx(0.875)
    assert found["is_under_before"].to_list() == [True]


def test_higher_goal_of_a_tier_may_stay() -> None:
    rows = counted(("a", "free", 85, 100), ("b", "enterprise", 85, 100))
    stays = judged(rows, GOALS, wanted(GOALS, {"resolution": 0.85}, with_higher=True)).sort("value")
    goes = judged(rows, GOALS, wanted(GOALS, {"resolution": 0.85}, with_higher=False)).sort("value")
    assert stays["is_under_before"].to_list() == [False, True]
    assert stays["is_under_after"].to_list() == [False, True]
    assert goes["is_under_after"].to_list() == [False, False]


def agent(name: str, holds: int, *teams: str) -> Agent:
    return Agent(id=name, name=name, email=f"{name}@desk.example", teams=teams, max_tickets=holds)


def group(name: str, room: int, team: str | None = None) -> AssignmentGroup:
    return AssignmentGroup(group_id=name, name=name, max_bandwidth=room, team_id=team)


def test_person_of_a_group_is_the_mean_of_its_people() -> None:
    people = [agent("ana", 4, "g"), agent("ben", 8, "g"), agent("cem", 50, "h")]
    assert what_if.slots_of_a_person(group("g", 12), people) == 6


def test_person_of_a_team_is_a_part_of_the_room() -> None:
    assert what_if.slots_of_a_person(group("g", 12, "t"), [agent("ana", 4, "t"), agent("ben", 4, "t")]) == 6
    assert what_if.slots_of_a_person(group("g", 12, "t"), []) is None


def decision(ticket: str, to: str | None) -> AllocationDecision:
    outcome = Outcome.ALLOCATED if to else Outcome.WAITING
    return AllocationDecision(ticket_id=ticket, decided_at=AT, outcome=outcome, group_id=to, group_name=to,
                              rationale="by hand", policy="by hand")  # fmt: skip


def test_moves_and_those_without_a_group_are_counted() -> None:
    tickets = [Ticket.model_construct(id=name, reference=name) for name in ("A", "B", "C")]
    groups = [group("g", 2), group("h", 2)]
    before = [decision("A", "g"), decision("B", "g"), decision("C", None)]
    after = [decision("A", "g"), decision("B", "h"), decision("C", "h")]
    found = what_if.compared(tickets, (groups, before), (groups, after))
    assert found.moved["reference"].to_list() == ["B", "C"]
    assert found.nobodys.rows() == [("waits: no group is free", 1, 0)]
    assert found.groups.select("tickets_before", "tickets_after").rows() == [(2, 1), (0, 2)]
    assert what_if.flows(found.moved)["tickets"].to_list() == [1, 1]


def test_weights_are_divided_by_their_sum() -> None:
    names = ("availability", "bandwidth", "velocity", "performance", "proximity", "cultural_fit", "timezone")
    even = AllocationPolicy(name="even", weights=Weights(**dict.fromkeys(names[:-1], 1 / 6), timezone=0))
    other = what_if.weighted(even, dict.fromkeys(names, 0.0) | {"velocity": 3.0, "timezone": 1.0}, min_score=0.2)
    assert (other.weights.velocity, other.weights.timezone, other.min_score) == (0.75, 0.25, 0.2)


def test_score_out_of_range_is_refused() -> None:
    names = ("availability", "bandwidth", "velocity", "performance", "proximity", "cultural_fit", "timezone")
    even = AllocationPolicy(name="even", weights=Weights(**dict.fromkeys(names[:-1], 1 / 6), timezone=0))
    with pytest.raises(BadInput, match="min_score"):
        what_if.weighted(even, dict.fromkeys(names, 1.0), min_score=2)
