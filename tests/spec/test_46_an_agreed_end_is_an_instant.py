"""Agreed for Saturday 12:00: solved at 11:00 met, at 13:00 breached, whatever the office hours."""

import pytest

from tests.sla.timelines import at, resolution

OFFICE = [{"calendar": "office", "resolution": "1 business hour"}]


@pytest.mark.parametrize(("solved", "state"), [("Sat 11:00", "met"), ("Sat 12:00", "met"), ("Sat 13:00", "breached")])
def test_judged_by_its_instant(solved: str, state: str) -> None:
    due = f"Tue 09:00 due {at('Sat 12:00').isoformat()}"
    row = resolution(OFFICE, f"{due}\nWed 10:00 status pending_customer\n{solved} status resolved", as_of="Sun 12:00")
    assert (row["state"], row["due_at"]) == (state, at("Sat 12:00"))
