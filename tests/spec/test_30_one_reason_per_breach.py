"""Picked up after 5 of 4 promised hours: never picked up, whatever the work took."""

import pytest

from tests.sla.reporting.test_reasons import reasons

STORY = "Tue {} assignee ana\nTue {} status in_progress\n{} status resolved"
WAITED = (
    "Tue 09:00 assignee ana\nTue 09:00 status waiting_internal\nTue {} status in_progress\nTue 15:00 status resolved"
)


@pytest.mark.parametrize(
    ("pick_up", "reason"),
    [
        ("12:59:59", "waiting_internally"),
        ("13:00:00", "never_picked_up"),
        ("13:00:01", "never_picked_up"),
        ("14:00:00", "never_picked_up"),
    ],
)
def test_pick_up_after_the_whole_target_comes_first(pick_up: str, reason: str) -> None:
    (row,) = reasons(STORY.format(pick_up, pick_up, "Tue 16:00"))
    assert row["reason"] == reason


@pytest.mark.parametrize(
    ("until", "reason"),
    [("11:59:59", "over_effort"), ("12:00:00", "waiting_internally"), ("12:00:01", "waiting_internally")],
)
def test_half_of_the_counted_time_is_waiting(until: str, reason: str) -> None:
    assert [row["reason"] for row in reasons(WAITED.format(until))] == [reason]
