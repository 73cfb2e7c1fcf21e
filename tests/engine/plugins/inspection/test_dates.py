"""A column's dates: which formats fit, how many cells, and when a person has to say which number is the month."""

from collections import Counter

import pytest

from engine.plugins.inspection.columns import fits
from engine.plugins.inspection.dates import DateColumn, date_column


def look(*cells: str) -> DateColumn:
    found = date_column(Counter(cells), fits=fits)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("cells", "formats"),
    [
        (["2026-03-02T09:15:00Z", "2026-03-02"], ("iso",)),
        (["13/04/2025 09:15", "01/02/2025 10:00"], ("%d/%m/%Y %H:%M",)),
        (["04/13/2025 9:15 AM", "01/02/2025 10:00 PM"], ("%m/%d/%Y %I:%M %p",)),
        (["13.04.25 09:15:30"], ("%d.%m.%y %H:%M:%S",)),
        (["03/Apr/25 9:15 AM"], ("%d/%b/%y %I:%M %p",)),
        (["Apr 3, 2025 9:15 AM"], ("%b %d, %Y %I:%M %p",)),
        (["2025/04/03 09:15"], ("%Y/%m/%d %H:%M",)),
        (["1767225600"], ("epoch_s",)),
        (["1767225600000"], ("epoch_ms",)),
        (["13.04.2025", "13.04.2025 09:15"], ("%d.%m.%Y", "%d.%m.%Y %H:%M")),
    ],
)
def test_the_format_of_the_cells_is_found(cells: list[str], formats: tuple[str, ...]) -> None:
    found = look(*cells)
    assert (set(found.formats), found.share, found.is_ambiguous) == (set(formats), 1.0, False)


def test_two_orders_that_both_fit_are_both_named() -> None:
    found = look("03/04/2025 09:15", "05/04/2025 14:02", "12/04/2025 16:30")
    assert found.readings == {"day": ("%d/%m/%Y %H:%M",), "month": ("%m/%d/%Y %H:%M",)}


def test_one_thirteenth_day_settles_the_order() -> None:
    assert look(*["03/04/2025"] * 999, "13/04/2025").readings == {"day": ("%d/%m/%Y",)}


def test_the_same_day_either_way_is_no_question() -> None:
    assert not look("03/03/2025", "04/04/2025").is_ambiguous


def test_two_digits_may_be_a_year_in_front() -> None:
    assert set(look("25-04-03", "25-04-12").readings) == {"day", "year"}


def test_the_share_that_fits_and_a_cell_that_does_not_are_told() -> None:
    found = look("01.06.2026", "01.06.2026 00:30", "31.05.2026 23:30", "06/01/2026", "29.03.2026 02:30")
    assert (found.share, found.odd) == (0.8, "06/01/2026")


@pytest.mark.parametrize("cells", [["T-1", "T-2"], ["10.1.2", "10.1.3"], ["5", "7"], ["+49 30 1234"]])
def test_other_text_is_no_date(cells: list[str]) -> None:
    assert date_column(Counter(cells), fits=fits) is None
