"""A response at exactly 4 × its target gives 10 %, a critical resolution 20 %: 30 %, capped at 25 %."""

from sla.reporting.credits import sla_credits
from tests.sla.reporting.test_credits import PRESETS, breach, credited


def test_ten_and_twenty_are_capped_at_twenty_five() -> None:
    rows = credited(breach(elapsed=4 * 3_600, target=3_600), breach("resolution", priority="critical"))
    assert sorted(rows["credit_percent"]) == [10, 20]
    owed = sla_credits(rows, PRESETS.preset()).row(0, named=True)
    assert (owed["summed_percent"], owed["credit_percent"], owed["is_capped"]) == (30, 25, True)


def test_the_other_readings_are_flat_and_added() -> None:
    critical = breach("resolution", priority="critical")
    assert [credited(critical, preset=name)["credit_percent"].item() for name in ("flat", "added")] == [5, 25]
