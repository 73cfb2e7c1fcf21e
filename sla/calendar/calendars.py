"""When are we at work: business calendars, business time between two instants, and deadlines."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias, overload
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from engine.shared.errors import BadInput
from sla.calendar.business_intervals import NEVER, BusinessIntervals, Seconds, Window, business_intervals, lay_out
from sla.calendar.utc_offsets import DAY, ERA, instant

Boundary: TypeAlias = Literal["close", "next_open"]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_BLOCK = 1 << 16
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class OutOfHours(NamedTuple):
    """Why it is closed at an instant, for people."""

    date: date
    reason: str


class Calendar:
    """Opening hours of one name, with answers for one instant or a whole column.

    Instants are timezone-aware datetimes, Polars Datetime columns (naive reads as UTC), NumPy datetime64 or int64
    epoch seconds; fractions of a second are dropped. The answers of a column keep its kind, with null, NaT or NEVER
    where there is none.
    """

    def __init__(
        self,
        name: str,
        *,
        tz: str = "UTC",
        weekly: tuple[tuple[Window, ...], ...] = ((),) * 7,
        holidays: Mapping[date, str] | None = None,
        overrides: Mapping[date, tuple[Window, ...]] | None = None,
        always: bool = False,
        country: tuple[str, str | None] | None = None,
        working_day: int | None = None,
    ) -> None:
        self.name, self.tz, self.weekly, self.always = name, tz, weekly, always
        self.holidays, self.overrides, self.country = dict(holidays or {}), dict(overrides or {}), country
        self.working_day = DAY if always else _usual_length(weekly) if working_day is None else working_day
        self._laid_out: BusinessIntervals | None = None

    @property
    def never_opens(self) -> bool:
        return not self.always and not any(self.weekly) and not any(self.overrides.values())

    def is_open(self, at: datetime) -> bool:
        """Membership by the wall clock: the definition that everything else is compiled from."""
        return self.why_closed(at) is None

    def why_closed(self, at: datetime) -> OutOfHours | None:
        """None when open; otherwise the local date and what closes it."""
        if self.always:
            return None
        local = _aware(at).astimezone(ZoneInfo(self.tz))
        today, now = local.date(), local.hour * 3600 + local.minute * 60 + local.second
        if (holiday := self.holiday(today)) is not None:
            return OutOfHours(today, f"holiday: {holiday}" if holiday else "holiday")
        own, past = self._windows(today), self._windows(today - timedelta(days=1))
        if any(a <= now < b for a, b in own) or any(now < b - DAY for _, b in past):
            return None
        hours = ", ".join(f"{_clock(a)}–{_clock(b)}" for a, b in own)
        return OutOfHours(today, f"outside {hours}" if hours else f"closed on {local:%A}")

    def holiday(self, day: date) -> str | None:
        """The name of the holiday that closes this local date ("" if it has none); None on other dates."""
        if day in self.overrides:
            return None
        return self.holidays.get(day, _public_holidays(*self.country, day.year).get(day) if self.country else None)

    def _windows(self, day: date) -> tuple[Window, ...]:
        return self.overrides[day] if day in self.overrides else self.weekly[day.weekday()]

    @overload
    def elapsed(self, start: datetime, end: datetime) -> int: ...
    @overload
    def elapsed(self, start: pl.Series, end: pl.Series | datetime) -> pl.Series: ...
    @overload
    def elapsed(self, start: np.ndarray[Any, Any], end: np.ndarray[Any, Any] | datetime) -> Seconds: ...
    def elapsed(self, start: Any, end: Any) -> Any:
        """Business seconds between two instants, negative where `end` is earlier.

        For one instant an int; for a column a column as long, null where either side is. `end` is one instant for
        all, or a column of the same kind and length. What lies outside 1900 to 2199 is not counted.
        """
        if isinstance(start, pl.Series):
            end = end if isinstance(end, pl.Series) else pl.Series([end] * len(start), dtype=pl.Datetime("us", "UTC"))
            known = (start.is_not_null() & end.is_not_null()).to_numpy()
            if known.all():
                return pl.Series(start.name, self._between(_seconds(start), _seconds(end)))
            first, last = (np.where(known, _seconds(column), 0) for column in (start, end))
            return pl.Series(start.name, self._between(first, last)).set(pl.Series(~known), None)
        first, last = np.broadcast_arrays(_seconds(start), _seconds(end))
        answer = self._between(first, last)
        return answer if isinstance(start, np.ndarray) else int(answer[0])

    def _between(self, start: Seconds, end: Seconds) -> Seconds:
        if not len(start):
            return np.zeros(0, np.int64)
        line = self.business_intervals(int(min(start.min(), end.min())), int(max(start.max(), end.max())) + 1)
        answer = np.empty(len(start), np.int64)
        for rows in _blocks(len(start)):
            np.subtract(line.passed(end[rows]), line.passed(start[rows]), out=answer[rows])
        return answer

    @overload
    def deadline(self, start: datetime, seconds: int, *, boundary: Boundary = ...) -> datetime | None: ...
    @overload
    def deadline(self, start: pl.Series, seconds: Any, *, boundary: Boundary = ...) -> pl.Series: ...
    @overload
    def deadline(
        self, start: np.ndarray[Any, Any], seconds: Any, *, boundary: Boundary = ...
    ) -> np.ndarray[Any, Any]: ...
    def deadline(self, start: Any, seconds: Any, *, boundary: Boundary = "close") -> Any:
        """The instant at which that many business seconds are used up; none if the calendar never gets there.

        `seconds` is one whole number for all, or a column of them; 0 and less are used up at the start, and a null
        start or number has no deadline. Where it falls on a closing it is that closing, or the next opening with
        `boundary="next_open"`. Deadlines of 2200 and later count as none.
        """
        known = seconds.is_not_null().to_numpy() if isinstance(seconds, pl.Series) else np.ones(1, np.bool_)
        number = seconds.fill_null(0).to_numpy() if isinstance(seconds, pl.Series) else seconds
        at, need = np.broadcast_arrays(_seconds(start), np.asarray(number, np.int64).reshape(-1))
        if isinstance(start, pl.Series):
            missing = start.is_null().to_numpy() | ~known
            due = self._due(np.where(missing, 0, at), need, boundary)
            return instants(due, known=~missing & (due != NEVER)).alias(start.name)
        due = self._due(at, need, boundary)
        if isinstance(start, np.ndarray):
            return due if start.dtype.kind == "i" else due.astype("datetime64[s]")
        return None if due[0] == NEVER else instant(int(due[0]))

    def _due(self, start: Seconds, seconds: Seconds, boundary: Boundary) -> Seconds:
        if not len(start) or self.never_opens:
            return np.full(len(start), NEVER, np.int64)
        start = np.clip(start, *ERA)
        line, goal = self.openings_for(start, np.maximum(seconds, 0))
        due = np.empty(len(start), np.int64)
        for rows in _blocks(len(start)):
            due[rows] = np.where(seconds[rows] <= 0, start[rows], line.reached(goal[rows]))
            if boundary == "next_open":
                following = line.reached(goal[rows], next_open=True)
                due[rows] = np.where(following == NEVER, due[rows], following)
        return due

    def openings_for(self, start: Seconds, seconds: Seconds) -> tuple[BusinessIntervals, Seconds]:
        """A line long enough for these deadlines, or to the end of the era, and the business time passed at each."""
        lo, hi = int(start.min()), int(start.max()) + DAY
        while True:
            line = self.business_intervals(lo, hi)
            goal = line.passed(start) + seconds
            if int(goal.max()) < line.total or line.hi >= ERA[1]:
                return line, goal
            hi = line.hi + max(line.hi - line.lo, 366 * DAY)

    def business_intervals(self, lo: int, hi: int) -> BusinessIntervals:
        """This calendar on the UTC line over at least [lo, hi), epoch seconds; laid out once and grown when needed."""
        known = self._laid_out
        if known is None or lo < known.lo or hi > known.hi:
            wanted = (lo, hi) if known is None else (min(lo, known.lo), max(hi, known.hi))
            known = self._laid_out = self._lay_out(*_whole_years(*wanted))
        return known

    def edges(self, start: datetime, end: datetime) -> list[datetime]:
        """Every opening and closing in (start, end), in order."""
        lo, hi = int(_seconds(start)[0]), int(_seconds(end)[0])
        line = self.business_intervals(lo, hi + 1)
        first, last = np.searchsorted(line.end, lo, side="right"), np.searchsorted(line.start, hi, side="left")
        both = np.sort(np.concatenate([line.start[first:last], line.end[first:last]]))
        return [instant(int(second)) for second in both if lo < second < hi]

    def _lay_out(self, lo: int, hi: int) -> BusinessIntervals:
        if self.always:
            return business_intervals(np.array([lo]), np.array([hi]), lo=lo, hi=hi)
        years = range(instant(lo).year - 1, instant(hi - 1).year + 2)
        public = [day for year in years for day in _public_holidays(*self.country, year)] if self.country else []
        return lay_out(
            tz=self.tz,
            weekly=self.weekly,
            overrides={_number(day): windows for day, windows in self.overrides.items()},
            closed=[_number(day) for day in (*self.holidays, *public)],
            lo=lo,
            hi=hi,
        )

    def local(self, at: datetime) -> datetime:
        """The instant on this calendar's wall clock."""
        return at.astimezone(ZoneInfo(self.tz))

    def next_midnight(self, at: datetime) -> datetime:
        """The first instant of the next local date that exists."""
        day = self.local(at).date()
        while True:
            day += timedelta(days=1)
            midnight = datetime.combine(day, time(0), ZoneInfo(self.tz)).astimezone(UTC)
            if midnight > at:
                return midnight


def instants(seconds: Seconds, *, known: np.ndarray[Any, Any] | None = None) -> pl.Series:
    """A Datetime('us', 'UTC') column from epoch seconds; null where NEVER, or not `known`."""
    keep = seconds != NEVER if known is None else known
    column = pl.Series(seconds * 1_000_000).cast(pl.Datetime("us", "UTC"))
    return column if keep.all() else column.set(pl.Series(~keep), None)


def _seconds(at: Any) -> Seconds:
    """Epoch seconds, floored; nulls as some number."""
    if isinstance(at, datetime):
        return np.array([int((_aware(at) - instant(0)) // timedelta(seconds=1))])
    if isinstance(at, pl.Series):
        return np.asarray(at.dt.epoch("us").fill_null(0).to_numpy() // 1_000_000)
    if at.dtype.kind == "M":
        return np.asarray(at.astype("datetime64[s]").astype(np.int64))
    return np.asarray(at, np.int64)


def _blocks(size: int) -> Iterator[slice]:
    """A column in pieces that stay in the processor's cache."""
    return (slice(at, at + _BLOCK) for at in range(0, size, _BLOCK))


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise BadInput(f"{at} has no time zone; give it one, for example {at}+00:00")
    return at


def _whole_years(lo: int, hi: int) -> tuple[int, int]:
    first = datetime(instant(max(lo, ERA[0])).year, 1, 1, tzinfo=UTC)
    last = datetime(instant(min(hi, ERA[1]) - 1).year + 1, 1, 1, tzinfo=UTC)
    return int(first.timestamp()), int(last.timestamp())


def _number(day: date) -> int:
    return day.toordinal() - _EPOCH_DAY


@lru_cache(maxsize=20_000)
def _public_holidays(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    import holidays  # noqa: PLC0415

    return dict(holidays.country_holidays(country, subdiv=subdivision, years=year, expand=False).items())


def _clock(second: int) -> str:
    minutes = second // 60 if second <= DAY else second // 60 - 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _usual_length(weekly: tuple[tuple[Window, ...], ...]) -> int:
    """Seconds of the most common working day; the longer of two as common."""
    lengths = [sum(b - a for a, b in _joined(windows)) for windows in weekly if windows]
    return max(lengths, key=lambda n: (lengths.count(n), n), default=0)


def _joined(windows: tuple[Window, ...]) -> list[Window]:
    joined: list[Window] = []
    for a, b in sorted(windows):
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    return joined
