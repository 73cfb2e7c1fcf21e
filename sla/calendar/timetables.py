"""Many calendars at once: business time and deadlines of whole columns, each row on a calendar of its own."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sla.calendar.business_intervals import NEVER, BusinessIntervals, Seconds
from sla.calendar.calendars import Calendar
from sla.calendar.utc_offsets import DAY, ERA

YEAR = 366 * DAY
BUCKET = 13
"""A neighbourhood is 2^13 business seconds, about a quarter of a working day."""
_STEPS = 4


Codes = NDArray[Any]
Flags = NDArray[np.bool_]


class Timetable:
    """Calendars laid out from `lo` to `hi` by UTC day: the business seconds passed at its start and its windows.

    Time passed is then arithmetic and a few gathers. Instants asked about lie in [lo, hi]; deadlines may lie later.
    """

    def __init__(self, calendars: Sequence[Calendar], lo: int, hi: int) -> None:
        self.calendars, self.lo = calendars, lo // DAY * DAY
        self.days = (hi - self.lo) // DAY + 1
        self._hi = self.lo + self.days * DAY
        self._lines = [_cut(c.business_intervals(self.lo, min(self._hi + YEAR, ERA[1])), self.lo) for c in calendars]
        self._tabulate()
        self._chain()

    def passed(self, calendar: Codes, at: Seconds) -> Seconds:
        """Business seconds from `lo` to each instant, on the calendar with that index."""
        since: Seconds = (at - self.lo).astype(self._small)
        row = since // DAY
        second = since - row * DAY
        if len(self.calendars) > 1:
            np.add(row, calendar.astype(self._small) * self.days, out=row)
        total: Seconds = self._base.take(row)
        for opens, closes in zip(self._opens, self._closes, strict=True):
            total += np.minimum(np.maximum(second, opens.take(row)), closes.take(row))
        return total

    def reached(self, calendar: Codes, passed: Seconds, next_open: Flags | None = None) -> Seconds:
        """The first instant at which so many business seconds have passed since `lo`; NEVER if there is none.

        Rows flagged in `next_open` answer the next opening where that instant is a closing.
        """
        self._grow(calendar, passed)
        if not len(self.start):
            return np.full(len(passed), NEVER)
        totals = self.totals.take(calendar)
        goal = passed + self.bands.take(calendar)
        misses = (passed > totals) | (totals == 0)
        if misses.any():
            goal[misses] = 0
        index = self._search(goal)
        due: Seconds = goal + self.ahead.take(index)
        if misses.any():
            due[misses] = NEVER
        if next_open is None:
            return due
        follows = next_open & ~misses & (goal == self.closing[index]) & (passed < totals)
        return np.where(follows, self.start[np.minimum(index + 1, len(self.start) - 1)], due)

    def _search(self, goal: Seconds) -> Seconds:
        """The first interval that closes at or after each goal: a table finds its vicinity, a few steps the rest."""
        index = self.near.take(goal >> BUCKET)
        for _ in range(_STEPS):
            short = self.closing.take(index) < goal
            if not short.any():
                return index
            index += short
        rows = np.flatnonzero(self.closing.take(index) < goal)
        index[rows] = np.searchsorted(self.closing, goal[rows], side="left")
        return index

    def _tabulate(self) -> None:
        parts = [_by_day(line, self.lo, self._hi) for line in self._lines]
        slots = max((int(slot.max(initial=-1)) + 1 for _, _, _, slot in parts), default=0)
        size = len(self.calendars) * self.days
        opens, closes = np.zeros((max(slots, 1), size), np.int64), np.zeros((max(slots, 1), size), np.int64)
        base = np.zeros(size, np.int64)
        for i, (day, start, end, slot) in enumerate(parts):
            row = i * self.days + day
            opens[slot, row], closes[slot, row] = start, end
            own = slice(i * self.days, (i + 1) * self.days)
            length = (closes[:, own] - opens[:, own]).sum(axis=0)
            base[own] = np.cumsum(length) - length - opens[:, own].sum(axis=0)
        small = np.int32 if max(self._hi - self.lo, size) < 1 << 31 else np.int64
        self._base, self._small = base, small
        self._opens, self._closes = list(opens.astype(small)), list(closes.astype(small))

    def _chain(self) -> None:
        """All calendars' intervals behind one another, each calendar's business seconds in a band of its own."""
        self.totals = np.array([line.total for line in self._lines], np.int64)
        widths = ((self.totals >> BUCKET) + 1) << BUCKET
        self.bands = np.cumsum(widths) - widths
        pairs = list(zip(self._lines, self.bands, strict=True))
        self.start = np.concatenate([line.start for line, _ in pairs])
        before = np.concatenate([line.before + band for line, band in pairs])
        self.ahead = self.start - before
        self.closing = np.concatenate([line.before + band + line.end - line.start for line, band in pairs])
        edges = np.arange(int(widths.sum() >> BUCKET)) << BUCKET
        self.near = np.minimum(np.searchsorted(self.closing, edges, side="left"), max(len(self.start) - 1, 0))

    def _grow(self, calendar: Seconds, passed: Seconds) -> None:
        grown = False
        beyond = np.flatnonzero(passed >= self.totals.take(calendar))
        for i in np.unique(calendar[beyond]):
            most, line = int(passed[calendar == i].max()), self._lines[i]
            while line.total <= most and line.hi < ERA[1] and not self.calendars[i].never_opens:
                further = min(ERA[1], line.hi + max(line.hi - line.lo, YEAR))
                line = _cut(self.calendars[i].business_intervals(self.lo, further), self.lo)
            grown, self._lines[i] = True, line
        if grown:
            self._chain()


def _cut(line: BusinessIntervals, lo: int) -> BusinessIntervals:
    """The same line, reckoned from `lo`."""
    first = int(np.searchsorted(line.end, lo, side="right"))
    start, end = np.maximum(line.start[first:], lo), line.end[first:]
    return BusinessIntervals(lo, line.hi, start, end, np.cumsum(end - start) - (end - start))


def _by_day(line: BusinessIntervals, lo: int, hi: int) -> tuple[Seconds, Seconds, Seconds, Seconds]:
    """Each interval cut at UTC midnights: (day from lo, opens, closes, how many came before on that day)."""
    last = int(np.searchsorted(line.start, hi, side="left"))
    start, end = line.start[:last] - lo, np.minimum(line.end[:last], hi) - lo
    pieces = (end - 1) // DAY - start // DAY + 1
    which = np.repeat(np.arange(len(start)), pieces)
    day = start[which] // DAY + np.arange(len(which)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    fresh = np.ones(len(day), np.bool_)
    fresh[1:] = day[1:] != day[:-1]
    first = np.maximum.accumulate(np.where(fresh, np.arange(len(day)), 0))
    opens, closes = np.maximum(start[which] - day * DAY, 0), np.minimum(end[which] - day * DAY, DAY)
    return day, opens, closes, np.arange(len(day)) - first
