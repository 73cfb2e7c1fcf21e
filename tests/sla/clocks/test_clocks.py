"""What starts, pauses, stops and reopens a clock; every timeline runs through both engines."""

from typing import Any

import pytest

from tests.sla.timelines import at, resolution, run

HOUR = 3_600


def four_hours(**terms: Any) -> list[dict[str, Any]]:
    return [{"calendar": "office", "first_response": HOUR, "resolution": {"target": 4 * HOUR, **terms}}]


def test_resolution_waits_for_accept() -> None:
    policies = four_hours(start_event="accepted")
    assert resolution(policies, "Tue 09:30 status triage", as_of="Tue 12:00")["state"] == "no_clock"
    row = resolution(policies, "Tue 11:00 accepted ana\nTue 11:00 accepted bob", as_of="Tue 12:00")
    assert (row["window_start"], row["elapsed"], row["due_at"]) == (at("Tue 11:00"), HOUR, at("Tue 15:00"))


def test_accepted_while_waiting_starts_paused() -> None:
    story = "Tue 09:10 status waiting_customer\nTue 11:00 accepted ana\nTue 13:00 status in_progress"
    row = resolution(four_hours(start_event="accepted"), story, as_of="Tue 14:00")
    assert (row["elapsed"], row["paused"], row["due_at"]) == (HOUR, 2 * HOUR, at("Tue 17:00"))


def test_resolved_before_accept_takes_no_time() -> None:
    story = "Tue 10:00 status resolved\nTue 11:00 accepted ana"
    row = resolution(four_hours(start_event="accepted"), story, as_of="Tue 14:00")
    assert (row["state"], row["elapsed"], row["stopped_at"]) == ("met", 0, at("Tue 11:00"))


def test_approved_pause_stops_resolution_only() -> None:
    rows = run(four_hours(), "Tue 10:00 pause change freeze\nTue 12:00 resume", as_of="Tue 13:00")
    assert (rows["resolution", 1]["elapsed"], rows["resolution", 1]["paused"]) == (2 * HOUR, 2 * HOUR)
    assert (rows["first_response", 1]["elapsed"], rows["first_response", 1]["paused"]) == (4 * HOUR, 0)


@pytest.mark.parametrize(("reason", "paused"), [("vendor", 2 * HOUR), ("lunch", 0)])
def test_only_approved_reasons_pause(reason: str, paused: int) -> None:
    story = f"Tue 10:00 pause {reason}\nTue 12:00 resume"
    assert resolution(four_hours(pause_reasons=["vendor"]), story, as_of="Tue 13:00")["paused"] == paused


def test_stop_ends_an_approved_pause() -> None:
    story = "Tue 10:00 pause vendor\nTue 11:00 status resolved\nTue 12:00 status open"
    row = resolution(four_hours(), story, as_of="Tue 14:00", window=2)
    assert (row["elapsed"], row["paused"], row["is_paused"]) == (2 * HOUR, 0, False)


def test_what_is_stopped_cannot_be_paused() -> None:
    story = "Tue 10:00 status resolved\nTue 10:30 pause vendor\nTue 11:00 status open"
    row = resolution(four_hours(), story, as_of="Tue 14:00", window=2)
    assert (row["elapsed"], row["paused"]) == (3 * HOUR, 0)


def test_reopening_keeps_the_first_window() -> None:
    rows = run(four_hours(), "Tue 10:00 status resolved\nTue 15:00 status open", as_of="Tue 16:00")
    assert rows["resolution", 1] | {"state": "met", "is_current": False, "elapsed": HOUR} == rows["resolution", 1]
    assert (rows["resolution", 2]["elapsed"], rows["resolution", 2]["due_at"]) == (HOUR, at("Wed 11:00"))


def test_continued_window_leaves_out_the_time_it_was_solved() -> None:
    story = "Tue 10:00 status resolved\nTue 15:00 status open"
    row = resolution(four_hours(reopen="continue"), story, as_of="Tue 16:00")
    assert (row["elapsed"], row["paused"], row["due_at"]) == (2 * HOUR, 0, at("Wed 10:00"))


def test_kept_priority_ignores_the_change() -> None:
    policies = [
        {"name": "high", "priority": "high", "calendar": "office", "resolution": HOUR},
        {"name": "rest", "calendar": "office", "resolution": {"target": 4 * HOUR, "priority_change": "keep"}},
    ]
    row = resolution(policies, "Tue 10:00 priority high", as_of="Tue 11:00")
    assert (row["policy"], row["target"]) == ("rest", 4 * HOUR)
    reopened = "Tue 10:00 priority high\nTue 10:30 status resolved\nTue 11:00 status open"
    assert resolution(policies, reopened, as_of="Tue 11:30", window=2)["policy"] == "high"


def test_changed_while_stopped_counts_from_reopening() -> None:
    policies = [{"name": "high", "priority": "high", "resolution": HOUR}, {"name": "rest", "resolution": 4 * HOUR}]
    rows = run(policies, "Tue 10:00 status resolved\nTue 11:00 priority high\nTue 12:00 status open", as_of="Tue 12:30")
    assert [rows["resolution", n]["policy"] for n in (1, 2)] == ["rest", "high"]


def test_version_in_force_when_the_window_opened_holds() -> None:
    policies = {
        "versions": [
            {"valid_from": "2024-01-16", "policies": [{"name": "old", "resolution": 4 * HOUR}]},
            {"valid_from": "2024-01-17", "policies": [{"name": "new", "resolution": HOUR}]},
        ]
    }
    story = "Wed 10:00 status resolved\nWed 12:00 status open"
    rows = run(policies, story, as_of="Wed 13:00")
    assert [rows["resolution", n]["policy"] for n in (1, 2)] == ["old", "new"]
    assert resolution(policies, as_of="Wed 13:00", created="Mon 09:00")["state"] == "no_target"


def test_update_cadence_runs_from_response_to_response() -> None:
    policies = [{"calendar": "office", "first_response": HOUR, "resolution": None, "next_response": 2 * HOUR}]
    rows = run(policies, "Tue 10:00 response\nTue 11:00 response\nTue 16:00 response", as_of="Wed 10:00")
    cadence = [rows["next_response", n] for n in (1, 2, 3)]
    assert [row["state"] for row in cadence] == ["met", "breached", "at_risk"]
    assert [row["elapsed"] for row in cadence] == [HOUR, 5 * HOUR, 2 * HOUR]


def test_update_cadence_needs_a_first_response_and_ends_with_the_ticket() -> None:
    policies = [{"calendar": "office", "next_response": 2 * HOUR}]
    assert ("next_response", 1) not in run(policies, as_of="Wed 10:00")
    rows = run(policies, "Tue 10:00 response\nTue 11:00 status resolved\nTue 12:00 response", as_of="Wed 10:00")
    assert [key for key in rows if key[0] == "next_response"] == [("next_response", 1)]
    assert rows["next_response", 1]["stopped_at"] == at("Tue 11:00")


@pytest.mark.parametrize(("option", "state"), [("at_risk", "at_risk"), ("breached", "breached")])
def test_exactly_at_the_deadline(option: str, state: str) -> None:
    assert resolution(four_hours(at_deadline=option), as_of="Tue 13:00")["state"] == state
    late = resolution(four_hours(at_deadline=option), "Tue 13:00 status resolved", as_of="Tue 13:00")
    assert late["state"] == "met"


@pytest.mark.parametrize(
    ("story", "as_of", "state"),
    [
        ("", "Tue 12:23:59", "on_track"),
        ("", "Tue 12:24", "at_risk"),  # 85 % used
        ("Tue 12:59 status resolved", "Wed 12:00", "met"),  # a minute before, looked at later
        ("Tue 13:01 status resolved", "Wed 12:00", "breached"),  # late stays breached
    ],
)
def test_golden_states(story: str, as_of: str, state: str) -> None:
    assert resolution(four_hours(), story, as_of=as_of)["state"] == state


def test_boundary_next_open_shows_monday() -> None:
    row = resolution(four_hours(boundary="next_open"), as_of="Fri 14:00", created="Fri 13:00")
    assert row["due_at"] == at("Mon+7 09:00")
    met = resolution(four_hours(), "Sat 11:00 status resolved", as_of="Mon+7 09:00", created="Fri 13:00")
    assert (met["state"], met["due_at"]) == ("met", at("Fri 17:00"))


def test_pause_at_the_very_breach_keeps_the_deadline() -> None:
    row = resolution(four_hours(), "Tue 13:00 status on_hold", as_of="Tue 16:00")
    assert (row["state"], row["due_at"], row["is_paused"]) == ("at_risk", at("Tue 13:00"), True)
