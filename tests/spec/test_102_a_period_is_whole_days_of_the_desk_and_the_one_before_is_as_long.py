"""INC-1 comes at 23:30 UTC on 28 March: in Copenhagen that is the 29th, on which summer time begins."""

from datetime import UTC, date, datetime

from pipelines.figures.selection import Period

DAY = Period(date(2026, 3, 29), date(2026, 3, 29))


def test_it_counts_on_the_day_of_the_desk() -> None:
    begin, end = DAY.bounds("Europe/Copenhagen")
    assert begin is not None
    assert end is not None
    assert begin <= datetime(2026, 3, 28, 23, 30, tzinfo=UTC) < end
    assert (end - begin).total_seconds() == 23 * 3600


def test_the_one_before_is_as_long() -> None:
    assert DAY.before() == Period(date(2026, 3, 28), date(2026, 3, 28))
