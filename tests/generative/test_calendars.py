"""Compiled calendars say what walking time step by step says, over DST weeks, holidays, overrides and shifts."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from sla.calendar.business_intervals import NEVER
from sla.policy.calendar_files import read as read_calendar
from tests.generative.backlogs import DAYS
from tests.sla.slow_clock import deadline, elapsed, is_open

ZONES = (
    "UTC",
    "America/New_York",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Cairo",
)
STARTS = (
    "2011-12-28",
    "2024-03-08",
    "2024-03-29",
    "2024-04-05",
    "2024-04-24",
    "2024-10-04",
    "2024-10-25",
    "2024-11-01",
)
LIMIT = timedelta(days=12)

quarters = st.integers(0, 95).map(lambda n: f"{n // 4:02d}:{n % 4 * 15:02d}")
windows = st.lists(st.tuples(quarters, st.one_of(quarters, st.just("24:00"))).map(list), max_size=2)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[dict[str, Any], datetime]:
    start = datetime.fromisoformat(draw(st.sampled_from(STARTS))).replace(tzinfo=UTC)
    dates = [(start + timedelta(days=n)).date().isoformat() for n in range(8)]
    mapping = {
        "tz": draw(st.sampled_from(ZONES)),
        "weekly": draw(st.dictionaries(st.sampled_from(DAYS), windows, max_size=7)),
        "holidays": draw(st.lists(st.sampled_from(dates), max_size=2, unique=True)),
        "overrides": draw(st.dictionaries(st.sampled_from(dates), windows, max_size=2)),
    }
    return mapping, start


@given(calendars(), st.integers(0, 96 * 3), st.integers(0, 96 * 5))
def test_elapsed_is_what_walking_counts(
    given_calendar: tuple[dict[str, Any], datetime], skip: int, length: int
) -> None:
    mapping, start = given_calendar
    first = start + timedelta(minutes=15 * skip)
    last = first + timedelta(minutes=15 * length)
    assert read_calendar(mapping).elapsed(first, last) == elapsed(mapping, first, last, step=900)


@given(calendars(), st.integers(0, 96 * 3), st.integers(1, 200))
def test_deadline_is_where_walking_arrives(
    given_calendar: tuple[dict[str, Any], datetime], skip: int, need: int
) -> None:
    mapping, start = given_calendar
    first = start + timedelta(minutes=15 * skip)
    found = read_calendar(mapping).deadline(first, need * 900)
    walked = deadline(mapping, first, need * 900, first + LIMIT, step=900)
    assert found == walked if walked else found is None or found > first + LIMIT


@given(calendars(), st.lists(st.integers(0, 9 * 86_400), min_size=1, max_size=9))
def test_columns_say_what_single_instants_say(
    given_calendar: tuple[dict[str, Any], datetime], offsets: list[int]
) -> None:
    mapping, start = given_calendar
    calendar = read_calendar(mapping)
    instants = [start + timedelta(seconds=n) for n in offsets]
    column = pl.Series(instants, dtype=pl.Datetime("us", "UTC"))
    assert calendar.elapsed(column, instants[0]).to_list() == [calendar.elapsed(at, instants[0]) for at in instants]
    for boundary in ("close", "next_open"):
        found = calendar.deadline(column, 5_400, boundary=boundary).to_list()
        assert found == [calendar.deadline(at, 5_400, boundary=boundary) for at in instants]
    assert [calendar.is_open(at) for at in instants] == [is_open(mapping, at) for at in instants]


@given(calendars(), st.integers(0, 96 * 3), st.integers(1, 60))
def test_next_open_moves_a_closing_to_the_next_opening(
    given_calendar: tuple[dict[str, Any], datetime], skip: int, need: int
) -> None:
    mapping, start = given_calendar
    calendar, first = read_calendar(mapping), start + timedelta(minutes=15 * skip)
    close, later = (calendar.deadline(first, need * 900, boundary=b) for b in ("close", "next_open"))
    assert (close is None) == (later is None)
    if close is not None and later is not None and later < first + LIMIT:
        assert calendar.elapsed(close, later) == 0
        assert is_open(mapping, later) or calendar.deadline(later, 1) is None


@given(calendars(), st.integers(0, 96 * 3), st.integers(0, 9 * 86_400))
def test_deadline_and_elapsed_undo_each_other(
    given_calendar: tuple[dict[str, Any], datetime], skip: int, length: int
) -> None:
    mapping, start = given_calendar
    calendar, first = read_calendar(mapping), start + timedelta(minutes=15 * skip)
    last = first + timedelta(seconds=length)
    used = calendar.elapsed(first, last)
    due = calendar.deadline(first, used)
    assert due is None if calendar.never_opens else due is not None and first <= due <= last
    assert due is None or calendar.elapsed(first, due) == used


@given(calendars(), st.lists(st.tuples(st.integers(0, 9 * 86_400), st.integers(-60, 200_000)), min_size=1, max_size=9))
def test_every_kind_of_column_says_what_single_instants_say(
    given_calendar: tuple[dict[str, Any], datetime], rows: list[tuple[int, int]]
) -> None:
    mapping, start = given_calendar
    calendar = read_calendar(mapping)
    instants = [start + timedelta(seconds=offset) for offset, _ in rows]
    ends = [at + timedelta(seconds=need) for at, (_, need) in zip(instants, rows, strict=True)]
    needs = [need for _, need in rows]
    epochs, epoch_ends = (np.array([int(at.timestamp()) for at in each]) for each in (instants, ends))
    elapsed_one = [calendar.elapsed(a, b) for a, b in zip(instants, ends, strict=True)]
    due_one = [calendar.deadline(at, need) for at, need in zip(instants, needs, strict=True)]
    column, column_ends = (pl.Series(each, dtype=pl.Datetime("us", "UTC")) for each in (instants, ends))
    assert calendar.elapsed(column, column_ends).to_list() == elapsed_one
    assert calendar.elapsed(epochs, epoch_ends).tolist() == elapsed_one
    assert calendar.elapsed(epochs.astype("datetime64[s]"), epoch_ends.astype("datetime64[s]")).tolist() == elapsed_one
    assert calendar.deadline(column, pl.Series(needs)).to_list() == due_one
    known = [NEVER if due is None else int(due.timestamp()) for due in due_one]
    assert calendar.deadline(epochs, np.array(needs)).tolist() == known
