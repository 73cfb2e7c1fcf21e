"""When are we at work, to the second."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.shared.errors import BadInput
from sla.calendar.business_intervals import Places
from sla.policy.calendar_files import load
from sla.policy.calendar_files import read as read_calendar
from tests.sla.slow_clock import DAYS, elapsed, utc

OFFICE = {"tz": "UTC", "weekly": {d: [["09:00", "17:00"]] for d in DAYS[:5]}}
NIGHT = {"tz": "Europe/London", "weekly": {d: [["22:00", "06:00"]] for d in DAYS[:5]}, "holidays": ["2024-12-25"]}


@pytest.mark.parametrize(
    ("zone", "day", "window", "hours"),
    [
        ("America/New_York", "2024-03-10", ["00:00", "24:00"], 23),  # spring forward
        ("America/New_York", "2024-11-03", ["00:00", "24:00"], 25),  # fall back
        ("America/New_York", "2024-03-10", ["01:00", "03:00"], 1),  # the skipped hour counts nothing
        ("America/New_York", "2024-11-03", ["01:00", "03:00"], 3),  # the repeated hour counts twice
        ("America/New_York", "2024-11-03", ["00:30", "01:30"], 1.5),  # twice half an hour of it
        ("Australia/Lord_Howe", "2024-10-06", ["00:00", "24:00"], 23.5),
        ("Pacific/Apia", "2011-12-30", ["00:00", "24:00"], 0),  # the day Samoa skipped
    ],
)
def test_wall_clock_decides(zone: str, day: str, window: list[str], hours: float) -> None:
    calendar = read_calendar({"tz": zone, "weekly": {}, "overrides": {day: [window]}})
    around = datetime.fromisoformat(day).replace(tzinfo=UTC)
    assert calendar.elapsed(around - timedelta(days=2), around + timedelta(days=3)) == hours * 3600


def test_holiday_cuts_its_own_date_only() -> None:
    calendar = read_calendar(NIGHT)
    assert [calendar.is_open(utc(t)) for t in ("2024-12-24T23:59:59Z", "2024-12-25T00:00Z", "2024-12-26T00:00Z")] == [
        True,
        False,
        True,
    ]


def test_override_beats_holiday() -> None:
    calendar = read_calendar(OFFICE | {"holidays": ["2024-12-24"], "overrides": {"2024-12-24": [["09:00", "12:00"]]}})
    assert calendar.elapsed(utc("2024-12-24T00:00Z"), utc("2024-12-25T00:00Z")) == 3 * 3600


def test_seconds_are_exact() -> None:
    odd = {"tz": "UTC", "weekly": {"mon": [["09:00:07", "09:00:29"], ["09:00:20", "09:00:41"]]}}
    calendar = read_calendar(odd)
    assert calendar.elapsed(utc("2024-01-15T09:00:00Z"), utc("2024-01-15T09:01:00Z")) == 34  # overlaps count once
    assert calendar.deadline(utc("2024-01-15T00:00Z"), 33) == utc("2024-01-15T09:00:40Z")


def test_walking_every_second_of_a_dst_night() -> None:
    start, end = utc("2024-03-31T00:30:00Z"), utc("2024-03-31T01:30:00Z")
    mapping = {"tz": "Europe/London", "weekly": {"sun": [["00:45", "02:15"]]}}
    assert read_calendar(mapping).elapsed(start, end) == elapsed(mapping, start, end) == 1_800


def test_elapsed_backwards_is_negative() -> None:
    calendar = read_calendar(OFFICE)
    assert calendar.elapsed(utc("2024-01-16T12:00Z"), utc("2024-01-16T10:00Z")) == -7_200


def test_deadline_takes_the_close_or_the_next_opening() -> None:
    calendar = read_calendar(OFFICE)
    friday = utc("2024-01-19T09:00Z")
    assert calendar.deadline(friday, 8 * 3600) == utc("2024-01-19T17:00Z")
    assert calendar.deadline(friday, 8 * 3600, boundary="next_open") == utc("2024-01-22T09:00Z")


def test_deadline_far_ahead_grows_the_calendar() -> None:
    rare = read_calendar({"tz": "UTC", "weekly": {"wed": [["10:00", "10:30"]]}})
    assert rare.deadline(utc("2024-01-01T00:00Z"), 1_800 * 52 * 30) == utc("2053-11-19T10:30Z")


@pytest.mark.parametrize("mapping", [{"tz": "UTC", "weekly": {}}, {"weekly": {}, "overrides": {"2024-01-01": []}}])
def test_calendar_that_never_opens_has_no_deadline(mapping: dict[str, Any]) -> None:
    calendar = read_calendar(mapping)
    assert calendar.never_opens
    assert calendar.deadline(utc("2024-01-01T00:00Z"), 60) is None
    assert calendar.elapsed(utc("2024-01-01T00:00Z"), utc("2025-01-01T00:00Z")) == 0


def test_country_brings_its_public_holidays() -> None:
    bavaria = read_calendar(OFFICE | {"tz": "Europe/Berlin", "country": "DE", "subdivision": "BY"})
    assert bavaria.holiday(date(2025, 1, 6)) == "Epiphany"
    assert bavaria.elapsed(utc("2025-01-06T00:00Z"), utc("2025-01-07T00:00Z")) == 0
    closed = bavaria.why_closed(utc("2025-12-25T10:00Z"))
    assert closed is not None
    assert closed.reason == "holiday: Christmas Day"


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        ("2024-01-20T10:00Z", "closed on Saturday"),
        ("2024-01-19T18:00Z", "outside 09:00–17:00"),
        ("2024-01-19T10:00Z", None),
    ],
)
def test_it_says_why_it_is_closed(at: str, reason: str | None) -> None:
    found = read_calendar(OFFICE).why_closed(utc(at))
    assert (found.reason if found else None) == reason


def test_working_day_is_the_usual_length() -> None:
    short_friday = OFFICE["weekly"] | {"fri": [["09:00", "12:00"]]}  # type: ignore[operator]
    assert read_calendar({"weekly": short_friday}).working_day == 8 * 3600
    assert read_calendar({"weekly": short_friday, "working_day": "07:30"}).working_day == 27_000
    assert read_calendar({"always": True}).working_day == 86_400


def test_columns_keep_their_kind_and_nulls() -> None:
    calendar = read_calendar(OFFICE)
    column = pl.Series("at", [utc("2024-01-16T10:00Z"), None], dtype=pl.Datetime("us", "UTC"))
    assert calendar.elapsed(column, utc("2024-01-16T11:00Z")).to_list() == [3_600, None]
    assert calendar.deadline(column, 3_600).to_list() == [utc("2024-01-16T11:00Z"), None]
    seconds = np.array([int(utc("2024-01-16T10:00Z").timestamp())])
    assert calendar.deadline(seconds, 3_600)[0] == seconds[0] + 3_600
    assert calendar.deadline(seconds.astype("datetime64[s]"), 60)[0] == np.datetime64("2024-01-16T10:01:00")


def test_naive_instant_is_refused() -> None:
    with pytest.raises(BadInput, match="no time zone"):
        read_calendar(OFFICE).is_open(datetime(2024, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"tz": "Mars/Olympus", "weekly": {}}, r"office\.tz: 'Mars/Olympus' is no IANA time zone"),
        ({"weekly": {"monday": []}}, r"office\.weekly\.monday: no such weekday"),
        ({"weekly": {"mon": [["09:00", "25:00"]]}}, r"office\.weekly\.mon\[0\]\[1\]: expected a time of day"),
        ({"weekly": {"mon": [["24:00", "09:00"]]}}, r"can't start at 24:00"),
        ({"weekly": {"mon": [1320]}}, r"office\.weekly\.mon\[0\]: expected two times"),
        ({"weekly": {}, "holidays": ["2024-13-01"]}, r"office\.holidays\[0\]: expected a date"),
        ({"weekly": {}, "country": "ZZ"}, r"office\.country: no public holidays"),
        ({"weekly": {}, "country": "DE", "subdivision": "QQ"}, r"office\.subdivision: DE has"),
        ({"always": True, "weekly": {"mon": [["09:00", "10:00"]]}}, r"office\.weekly: a calendar with always"),
        ({"weekly": {}, "holydays": []}, r"office\.holydays: unknown key"),
        ({"tz": "UTC"}, r"office\.weekly: missing"),
        ([], r"office: expected a mapping"),
    ],
)
def test_bad_calendar_names_its_key(mapping: Any, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        read_calendar(mapping, name="office")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "calendars: expected a mapping"),
        ("calendars: {}\nholidays: []", "holidays: unknown key"),
        ("calendars: {5: {always: true}}", r"calendars\.5: a name is text"),
        ("calendars: {24x7: {weekly: {}}}", r"24x7\.always: has to be true"),
        ("office: {tz: Nowhere, weekly: {}}", r"office\.tz: 'Nowhere' is no IANA time zone"),
        ("office: {tz: 5, weekly: {}}", r"office\.tz: 5 is no IANA time zone"),
        ("office: {tz: , weekly: {}}", r"office\.tz: nothing stands behind it"),
        ("office: {weekly: }", r"office\.weekly: nothing stands behind it"),
        ("office: {weekly: false}", r"office\.weekly: expected a mapping"),
        (
            "office: {weekly: {mon: [[09:00, 17:00]]}}",
            "line 1: 17:00 is a number to YAML, in sixties; put it in quotes",
        ),
        ('office: {weekly: {mon: [["09:00", "25:00"]]}}', r"office\.weekly\.mon\[0\]\[1\]: .*'25:00'"),
        (
            'office: {weekly: {mon: [["09:00", "12:00"], ["11:59", "13:00"]]}}',
            r"office\.weekly\.mon: two windows overlap",
        ),
        (
            'o: {weekly: {}, overrides: {2024-01-01: [["09:00", "12:00"], ["09:00", "12:00"]]}}',
            r"o\.overrides\.2024-01-01: two windows",
        ),
        ("office: {weekly: {}, country: no}", r"office\.country: no public holidays are known for False"),
        ("office: {weekly: {}, country: [DE]}", r"office\.country: no public holidays"),
        ("office: {weekly: {}, country: DE, subdivision: [BY]}", r"office\.subdivision: DE has"),
        ("office: {weekly: {}, subdivision: BY}", r"office\.subdivision: needs a country"),
        ("office: {weekly: {}, holidays: 0}", r"office\.holidays: expected a list"),
        ("office: {weekly: {}, holidays: {2024-01-01: 5}}", r"office\.holidays\.2024-01-01: expected text"),
        ("office: {weekly: {}, description: 5}", r"office\.description: expected text"),
        ('office: {weekly: {}, working_day: "00:00"}', r"office\.working_day: .*has to have a length"),
        ('office: {always: true, working_day: "08:00"}', r"office\.working_day: a calendar with always"),
        ("office: {weekly: {}}\noffice: {weekly: {}}", "line 2: 'office' is given twice"),
    ],
)
def test_wrong_file_is_refused_with_file_key_and_reason(tmp_path: Any, text: str, message: str) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput, match=rf"calendars\.yaml: {message}"):
        load(path)


def test_shifts_that_hand_over_may_overlap(tmp_path: Any) -> None:
    path = tmp_path / "calendars.yaml"
    path.write_text('office: {weekly: {mon: [["22:00", "06:00"]], tue: [["05:00", "13:00"]]}}', encoding="utf-8")
    assert load(path)["office"].elapsed(utc("2024-01-15T00:00Z"), utc("2024-01-17T00:00Z")) == 15 * 3600


def test_deadline_of_an_unknown_number_is_unknown() -> None:
    column = pl.Series("at", [utc("2024-01-16T10:00Z")] * 2, dtype=pl.Datetime("us", "UTC"))
    due = read_calendar(OFFICE).deadline(column, pl.Series([60, None]))
    assert due.to_list() == [utc("2024-01-16T10:01:00Z"), None]


@pytest.mark.parametrize("always", [True, False])
def test_what_lies_outside_the_era_is_not_counted(always: bool) -> None:
    """Nor does it stop a column: 1900 to 2199 is what calendars are laid out for."""
    office = read_calendar({"always": True} if always else OFFICE)
    instants = [datetime(year, 1, 1, tzinfo=UTC) for year in (1850, 1900, 2150, 2200, 2300)]
    column = np.array([int(at.timestamp()) for at in instants])
    early, inside, late = (office.elapsed(column[i : i + 1], column[j : j + 1])[0] for i, j in ((0, 1), (2, 3), (2, 4)))
    assert early == 0
    assert 0 < inside == late


def test_places_are_found_as_by_binary_search() -> None:
    rng = np.random.default_rng(5)
    edges = np.unique(np.concatenate([rng.integers(0, 10**6, 300), 500_000 + np.arange(40)]))
    at = np.concatenate([rng.integers(-(10**5), 2 * 10**6, 5000), edges, edges - 1, edges + 1])
    assert (Places(edges).through(at) == np.searchsorted(edges, at, side="right")).all()
    assert (Places(edges).before(at) == np.searchsorted(edges, at, side="left")).all()
