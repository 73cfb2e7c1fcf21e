"""A running clock is at risk in that second; due Friday 17:00 and resolved Saturday 11:00 is met."""

import pytest

from tests.sla.timelines import at, resolution

HOUR = 3_600


def promised(**terms: str) -> list[dict[str, object]]:
    return [{"calendar": "office", "resolution": {"target": 4 * HOUR, **terms}}]


@pytest.mark.parametrize(
    ("as_of", "state"), [("Tue 12:59:59", "at_risk"), ("Tue 13:00", "at_risk"), ("Tue 13:00:01", "breached")]
)
def test_at_the_second_it_is_at_risk(as_of: str, state: str) -> None:
    assert resolution(promised(), as_of=as_of)["state"] == state


@pytest.mark.parametrize(("as_of", "state"), [("Tue 12:59:59", "at_risk"), ("Tue 13:00", "breached")])
def test_at_the_second_the_other_reading_breaks_it(as_of: str, state: str) -> None:
    assert resolution(promised(at_deadline="breached"), as_of=as_of)["state"] == state


def test_elapsed_decides_and_not_the_instant() -> None:
    row = resolution(promised(), "Sat 11:00 status resolved", as_of="Sat 12:00", created="Fri 13:00")
    assert (row["due_at"], row["elapsed"], row["state"]) == (at("Fri 17:00"), 4 * HOUR, "met")
