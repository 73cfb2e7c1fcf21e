"""Why a promise was broken: one reason a breach, and figures that add up to the time counted."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.shared.errors import BadInput
from pipelines.app.settings import shipped_data
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.evaluate import evaluate_all
from sla.contracts import Clock
from sla.policy.calendar_files import parse_all
from sla.policy.model import DEFAULT_TERMS
from sla.policy.parser import parse
from sla.reporting.breach_reasons import breach_reasons, load
from tests.generative.backlogs import CALENDARS as GENERATED
from tests.generative.backlogs import Backlog, backlogs
from tests.sla.store_tables import standings_of
from tests.sla.timelines import CALENDARS, at, story

RULE = load(shipped_data() / "policies" / "breach_reasons.yaml")
POLICIES = parse([{"calendar": "office", "first_response": 86_400 * 9, "resolution": 14_400}])
BEGUN = "Tue 10:00 assignee ana\nTue 10:00 status in_progress\n"
FIGURES = ("reason", "seconds_to_pick_up", "seconds_waiting_internal", "seconds_in_work", "over_by")


def reasons(events: str, as_of: str = "Fri 09:00", **ticket: Any) -> list[dict[str, Any]]:
    born = {"id": 1, "created_at": at("Tue 09:00"), "status": "new", **ticket}
    tickets, happened = frames([born], story(events) if events else [])
    clocks = batch.evaluate(tickets, happened, POLICIES, CALENDARS, at(as_of))
    standings = standings_of(tickets, happened, at(as_of))
    found = breach_reasons(clocks, standings, rule=RULE, policies=POLICIES, calendars=CALENDARS, as_of=at(as_of))
    return found.to_dicts()


HOUR = 3_600
STORIES = [
    (BEGUN + "Tue 11:00 status waiting_vendor\nTue 14:00 status in_progress\nTue 15:00 status resolved",
     ("waiting_internally", HOUR, 4 * HOUR, 2 * HOUR, 2 * HOUR)),
    ("Tue 09:00 assignee ana\nTue 09:00 status in_progress\nTue 15:00 status resolved",
     ("over_effort", 0, 0, 6 * HOUR, 2 * HOUR)),
    ("Tue 14:00 assignee ana\nTue 14:00 status in_progress\nTue 15:00 status resolved",
     ("never_picked_up", 5 * HOUR, 5 * HOUR, HOUR, 2 * HOUR)),
    ("Tue 13:00 assignee ana\nTue 13:00 status in_progress\nTue 15:00 status resolved",
     ("never_picked_up", 4 * HOUR, 4 * HOUR, 2 * HOUR, 2 * HOUR)),
    ("Tue 12:59:59 assignee ana\nTue 12:59:59 status in_progress\nTue 16:00 status resolved",
     ("waiting_internally", 4 * HOUR - 1, 4 * HOUR - 1, 3 * HOUR + 1, 3 * HOUR)),
    ("Tue 09:30 assignee ana\nTue 12:30 status in_progress\nTue 15:30 status resolved",
     ("waiting_internally", 1_800, 3.5 * HOUR, 3 * HOUR, 2.5 * HOUR)),
    (BEGUN + "Tue 12:00 released\nTue 15:00 accepted ben\nTue 16:00 status resolved",
     ("waiting_internally", HOUR, 4 * HOUR, 3 * HOUR, 3 * HOUR)),
    (BEGUN + "Tue 11:00 status waiting_customer\nWed 11:00 status in_progress\nWed 15:00 status resolved",
     ("over_effort", HOUR, HOUR, 5 * HOUR, 2 * HOUR)),
]  # fmt: skip


@pytest.mark.parametrize(("events", "expected"), STORIES)
def test_each_breach_has_one_reason_and_its_figures(events: str, expected: tuple[Any, ...]) -> None:
    assert [tuple(row[name] for name in FIGURES) for row in reasons(events)] == [expected]


def test_a_ticket_nobody_touched_was_never_picked_up() -> None:
    (row,) = reasons("", as_of="Tue 16:00")
    assert (row["reason"], row["picked_up_at"], row["seconds_to_pick_up"]) == ("never_picked_up", None, 7 * HOUR)


def test_a_kept_promise_has_no_reason() -> None:
    assert reasons(BEGUN + "Tue 12:00 status resolved") == []


def test_half_the_time_is_waiting_and_a_second_less_is_not() -> None:
    waiting = (
        "Tue 09:00 assignee ana\nTue 09:00 status waiting_internal\nTue {} status in_progress\nTue 15:00 status closed"
    )
    assert [reasons(waiting.format(moment))[0]["reason"] for moment in ("12:00", "11:59:59")] == [
        "waiting_internally",
        "over_effort",
    ]


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(plain=True))
def test_figures_add_up_to_the_reference(backlog: Backlog) -> None:
    """Waiting and work are recounted from the reference's own windows, second by counted second."""
    ready, policies = parse_all(GENERATED), parse(backlog.policies)
    tickets, events = frames(backlog.tickets, backlog.events)
    clocks = batch.evaluate(tickets, events, policies, ready, backlog.as_of)
    standings = standings_of(tickets, events, backlog.as_of)
    found = breach_reasons(
        clocks, standings, rule=RULE, policies=policies, calendars=ready, as_of=backlog.as_of
    ).to_dicts()
    reference = evaluate_all(backlog.tickets, backlog.events, policies, ready, backlog.as_of)
    broken = {(str(r["ticket"]), r["clock"], r["window"]): r for r in reference if r["state"] == "breached"}
    assert {(r["ticket"], r["clock"], r["window"]) for r in found} == set(broken)
    for row in found:
        clock = broken[row["ticket"], row["clock"], row["window"]]
        assert row["seconds_waiting_internal"] + row["seconds_in_work"] == clock["elapsed"]
        assert row["over_by"] == clock["elapsed"] - clock["target"]
        assert (row["reason"] == "never_picked_up") == (row["seconds_to_pick_up"] >= clock["target"])
        assert row["seconds_to_pick_up"] <= row["seconds_waiting_internal"] <= clock["elapsed"]


WALKED = RULE.model_copy(
    update={"work_statuses": frozenset({"in_progress"}), "waiting_statuses": frozenset({"on_hold"})}
)
HAPPENS = (
    *((("assignee", "ana"), ("assignee", ""), ("transferred", "ben"), ("accepted", "ana")) * 2),
    *((("released", None), ("response", None), ("pause", "vendor"), ("pause", None), ("resume", None)) * 2),
    *(("status", status) for status in ("new", "open", "in_progress", "on_hold", "waiting_customer", "resolved")),
)
DAY = st.integers(0, 3 * 96).map(lambda quarters: at("Tue 09:00") + timedelta(minutes=15 * quarters))


@st.composite
def tales(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]], Any]:
    """One ticket that passes from hand to hand, under promises too short to be kept."""
    told = draw(st.lists(st.tuples(DAY, st.sampled_from(HAPPENS)), min_size=2, max_size=9))
    events = [{"ticket": 1, "ts": ts, "kind": kind, "value": value, "seq": None, "id": None}
              for ts, (kind, value) in told]  # fmt: skip
    calendar = draw(st.sampled_from(tuple(GENERATED)))
    terms = {"calendar": calendar, "first_response": 60, "resolution": 900, "next_response": 60}
    return {"id": 1, "created_at": at("Tue 09:00")}, events, [terms]


def walked(row: dict[str, Any], ticket: dict[str, Any], events: list[dict[str, Any]]) -> tuple[Any, int, int]:
    """One window told from start to end: first pick-up, seconds until then, seconds waiting on our side."""
    calendar, start, end = parse_all(GENERATED)[row["calendar"]], row["window_start"], row["window_end"]
    told = [(event["ts"], event["kind"], event["value"]) for event in sorted(events, key=lambda event: event["ts"])]
    status, hold, is_held, standings = "open", None, False, []
    for since, kind, value in [(ticket["created_at"], "status", status), *told]:
        match kind, value:
            case "status", str():
                status = value
                is_held |= value in WALKED.work_statuses
                hold = None if value in ("resolved", "closed") else hold
            case "assignee" | "transferred", str() | None:
                is_held = bool(value)
            case "accepted" | "response", _:
                is_held = True
            case "released", _:
                is_held = False
            case "pause", _ if status not in ("resolved", "closed"):
                hold = value or ""
            case "resume", _:
                hold = None
        standings.append((since, status, hold, is_held))
    picked_up, waited, idle = None, 0, 0
    for (since, status, hold, is_held), until in zip(standings, [*(s[0] for s in standings[1:]), end], strict=True):
        if since > end or (until <= start and since < start):
            continue
        stands = DEFAULT_TERMS[Clock(row["clock"])].pauses(status, hold) or status in ("resolved", "closed")
        counted = 0 if stands else calendar.elapsed(max(since, start), min(until, end))
        picked_up = max(since, start) if is_held and picked_up is None else picked_up
        waited += counted if picked_up is None else 0
        idle += counted if not is_held or status in WALKED.waiting_statuses | WALKED.queue_statuses else 0
    return picked_up, waited, idle


@settings(suppress_health_check=list(HealthCheck))
@given(tales())
def test_figures_are_those_of_a_plain_walk(tale: tuple[dict[str, Any], list[dict[str, Any]], Any]) -> None:
    ticket, happened, promised = tale
    ready, policies, as_of = parse_all(GENERATED), parse(promised), at("Mon 09:00") + timedelta(days=7)
    tickets, events = frames([ticket], happened)
    clocks = batch.evaluate(tickets, events, policies, ready, as_of)
    standings = standings_of(tickets, events, as_of)
    found = breach_reasons(clocks, standings, rule=WALKED, policies=policies, calendars=ready, as_of=as_of)
    windows = clocks.with_columns(pl.col("clock").cast(pl.String), ticket=pl.col("ticket").cast(pl.String))
    for row in found.join(windows, on=["ticket", "clock", "window"], validate="1:1", suffix="_of").to_dicts():
        picked_up, waited, idle = walked(row | {"window_end": row["stopped_at"] or as_of}, ticket, happened)
        assert row["picked_up_at"] == picked_up
        assert row["seconds_to_pick_up"] == (row["elapsed"] if picked_up is None else waited)
        assert row["seconds_waiting_internal"] == idle


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(plain=True))
def test_if_every_moment_counts_as_waiting_nothing_is_work(backlog: Backlog) -> None:
    ready, policies = parse_all(GENERATED), parse(backlog.policies)
    tickets, events = frames(backlog.tickets, backlog.events)
    everything = RULE.model_copy(
        update={"waiting_statuses": frozenset({"new", "open", "waiting_customer", "on_hold"} | {"resolved", "closed"})}
    )
    clocks = batch.evaluate(tickets, events, policies, ready, backlog.as_of)
    standings = standings_of(tickets, events, backlog.as_of)
    found = breach_reasons(clocks, standings, rule=everything, policies=policies, calendars=ready, as_of=backlog.as_of)
    assert found["seconds_in_work"].to_list() == [0] * found.height


def test_an_agreed_end_counts_what_it_waited_for_the_customer() -> None:
    happened = story(
        "Tue 09:00 due 2024-01-16T15:00:00Z\nTue 10:00 status in_progress\nTue 11:00 status waiting_customer"
    )
    tickets, events = frames([{"id": 1, "created_at": at("Tue 09:00")}], happened)
    clocks = batch.evaluate(tickets, events, POLICIES, CALENDARS, at("Tue 16:00")).filter(
        pl.col("clock") == "resolution"
    )
    standings = standings_of(tickets, events, at("Tue 16:00"))
    found = breach_reasons(clocks, standings, rule=RULE, policies=POLICIES, calendars=CALENDARS, as_of=at("Tue 16:00"))
    row = found.row(0, named=True)
    assert (row["over_by"], row["seconds_waiting_internal"], row["seconds_in_work"]) == (3_600, 3_600, 6 * 3_600)


def test_stops_are_those_of_the_default_terms() -> None:
    assert {frozenset({"resolved", "closed"})} == {terms.stop_states for terms in DEFAULT_TERMS.values()}


def test_a_bad_rule_names_file_and_key(tmp_path: Any) -> None:
    file = tmp_path / "rule.yaml"
    file.write_text("waiting_statuses: [a]\nqueue_statuses: []\nwork_statuses: []\nwaiting_share: 2\n")
    with pytest.raises(BadInput, match=r"rule\.yaml: waiting_share: Input should be less than or equal to 1"):
        load(file)


def test_the_frame_is_declared_even_when_nothing_broke() -> None:
    tickets, events = frames([], [])
    clocks = batch.evaluate(tickets, events, POLICIES, CALENDARS, at("Tue 10:00"))
    standings = standings_of(tickets, events, at("Tue 10:00"))
    found = breach_reasons(clocks, standings, rule=RULE, policies=POLICIES, calendars=CALENDARS, as_of=at("Tue 10:00"))
    assert found.height == 0
    assert found.schema["seconds_in_work"] == pl.Int64()
