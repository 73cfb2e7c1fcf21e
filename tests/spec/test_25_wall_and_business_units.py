""" "4 hours" for critical runs through the night; "8 business hours" does not."""

import pytest

from tests.sla.timelines import at, resolution


@pytest.mark.parametrize(
    ("target", "due"),
    [
        ("4 hours", "Tue 20:00"),
        ("240 min", "Tue 20:00"),
        ("1 day", "Wed 16:00"),
        ("8 business hours", "Wed 16:00"),
        ("1 business hour", "Tue 17:00"),
    ],
)
def test_business_units_wait_for_the_calendar(target: str, due: str) -> None:
    row = resolution([{"calendar": "office", "resolution": target}], as_of="Tue 16:30", created="Tue 16:00")
    assert row["due_at"] == at(due)


def test_two_business_hours_stop_at_night() -> None:
    row = resolution([{"calendar": "office", "resolution": "8 business hours"}], as_of="Wed 08:00", created="Tue 16:00")
    assert row["elapsed"] == 3_600
