"""A calendar laid out on the UTC line: when it is open, and how many business seconds have passed at each edge."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sla.calendar.utc_offsets import DAY, stretches

Seconds = NDArray[np.int64]
Window = tuple[int, int]
"""Local seconds of a day, from < 86,400 to at most a day later: a shift past midnight ends above 86,400."""

NEVER = np.iinfo(np.int64).min
"""Stands for "no such instant" in columns of seconds."""

_BITS: Final = 15
_NEIGHBOURHOOD: Final = 1 << _BITS
"""About nine hours: few calendars open more than twice in it."""
_STEPS: Final = 3
_LAST: Final = np.iinfo(np.int64).max


class Places:
    """Sorted seconds in which instants are found: a table leads near, a few steps or a search to the place."""

    def __init__(self, edges: Seconds) -> None:
        self._edges = np.append(edges, _LAST)
        self._first = int(edges[0])
        starts = np.arange(self._first, int(edges[-1]) + 2 * _NEIGHBOURHOOD, _NEIGHBOURHOOD)
        self._near = np.searchsorted(edges, starts, side="left")

    def before(self, at: Seconds) -> Seconds:
        """How many edges come before each instant."""
        return self.through(at - 1)

    def through(self, at: Seconds) -> Seconds:
        """How many edges are not after each instant."""
        bucket = np.clip((at - self._first) >> _BITS, 0, len(self._near) - 1)
        index: Seconds = self._near.take(bucket)
        for _ in range(_STEPS):
            short = self._edges.take(index) <= at
            if not short.any():
                return index
            index += short
        rows = np.flatnonzero(self._edges.take(index) <= at)
        index[rows] = np.searchsorted(self._edges, at[rows], side="right")
        return index


@dataclass(frozen=True, eq=False)
class BusinessIntervals:
    """Disjoint open intervals of [lo, hi) in order; `before` is the business time from `lo` to each start."""

    lo: int
    hi: int
    start: Seconds
    end: Seconds
    before: Seconds

    @property
    def total(self) -> int:
        return int(self.before[-1] + self.end[-1] - self.start[-1]) if len(self.start) else 0

    @cached_property
    def _closings(self) -> Places:
        return Places(self.end)

    @cached_property
    def _used_up(self) -> Places:
        """The business time passed at each closing."""
        return Places(self.before + self.end - self.start)

    @cached_property
    def _next(self) -> tuple[Seconds, Seconds]:
        """Start and business time of each interval, and of one that never starts after the last."""
        return np.append(self.start, NEVER // -2), np.append(self.before, self.total)

    def passed(self, at: Seconds) -> Seconds:
        """Business seconds from `lo` to each instant of [lo, hi]."""
        if not len(self.start):
            return np.zeros_like(at)
        start, before = self._next
        index = self._closings.through(at)
        inside = np.maximum(at - start.take(index), 0)
        return np.asarray(before.take(index) + inside)

    def reached(self, passed: Seconds, *, next_open: bool = False) -> Seconds:
        """The first instant at which that many business seconds have passed; NEVER beyond `hi`.

        Where it is a closing, `next_open` answers the next opening instead.
        """
        if not len(self.start):
            return np.full_like(passed, NEVER)
        start, before = self._next
        index = self._used_up.through(passed) if next_open else self._used_up.before(passed)
        return np.where(index < len(self.start), start.take(index) + passed - before.take(index), NEVER)


def lay_out(
    *,
    tz: str,
    weekly: tuple[tuple[Window, ...], ...],
    overrides: Mapping[int, tuple[Window, ...]],
    closed: Iterable[int],
    lo: int,
    hi: int,
) -> BusinessIntervals:
    """Membership by the wall clock, as UTC intervals of [lo, hi): a repeated hour twice, a skipped one not at all.

    `weekly` is Monday first; `overrides` and `closed` are keyed by local day number since 1970-01-01. An override
    replaces the windows that start on its date; a closed date is shut from midnight to midnight, unless overridden.
    """
    zone = stretches(tz, lo, hi)
    days = np.arange((lo + min(s.offset for s in zone)) // DAY - 1, (hi + max(s.offset for s in zone)) // DAY + 2)
    start, end = _local(days, weekly, overrides, closed)
    parts = [_in_stretch(start, end, s.start, s.end, s.offset) for s in zone]
    start, end = _union(np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts]))
    return business_intervals(start, end, lo=lo, hi=hi)


def business_intervals(start: Seconds, end: Seconds, *, lo: int, hi: int) -> BusinessIntervals:
    """BusinessIntervals from disjoint sorted intervals."""
    return BusinessIntervals(lo, hi, start, end, np.cumsum(end - start) - (end - start))


def _local(
    days: Seconds,
    weekly: tuple[tuple[Window, ...], ...],
    overrides: Mapping[int, tuple[Window, ...]],
    closed: Iterable[int],
) -> tuple[Seconds, Seconds]:
    """Open intervals in local seconds, each within one date, sorted and disjoint."""
    usual = days[~np.isin(days, np.fromiter(overrides, np.int64))]
    weekday = (usual + 3) % 7
    shifts = [(usual[weekday == w], window) for w, windows in enumerate(weekly) for window in windows]
    special = [d for d in overrides if days[0] <= d <= days[-1]]
    shifts += [(np.array([d]), window) for d in special for window in overrides[d]]
    if not shifts:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    day = np.concatenate([d for d, _ in shifts])
    start = np.concatenate([d * DAY + window[0] for d, window in shifts])
    end = np.concatenate([d * DAY + window[1] for d, window in shifts])
    midnight = (day + 1) * DAY
    late = end > midnight
    date = np.concatenate([day, day[late] + 1])
    start = np.concatenate([start, midnight[late]])
    end = np.concatenate([np.minimum(end, midnight), end[late]])
    shut = np.setdiff1d(np.fromiter(closed, np.int64), np.fromiter(overrides, np.int64))
    open_date = ~np.isin(date, shut)
    return _union(start[open_date], end[open_date])


def _in_stretch(start: Seconds, end: Seconds, lo: int, hi: int, offset: int) -> tuple[Seconds, Seconds]:
    first = np.searchsorted(end, lo + offset, side="right")
    last = np.searchsorted(start, hi + offset, side="left")
    return np.maximum(start[first:last] - offset, lo), np.minimum(end[first:last] - offset, hi)


def _union(start: Seconds, end: Seconds) -> tuple[Seconds, Seconds]:
    """Overlapping and touching intervals joined."""
    order = np.argsort(start, kind="stable")
    start, furthest = start[order], np.maximum.accumulate(end[order])
    if not len(start):
        return start, furthest
    opens = np.concatenate([[True], start[1:] > furthest[:-1]])
    closes = np.concatenate([opens[1:], [True]])
    return start[opens], furthest[closes]
