"""The UTC offsets of a time zone, as stretches of constant offset."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

DAY = 86_400
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ERA = (-2_208_988_800, 7_258_118_400)
"""First and last second (exclusive) this room reckons with: 1900-01-01 to 2200-01-01, UTC."""


class Stretch(NamedTuple):
    """From `start` to `end` (UTC seconds) local time is UTC + `offset` seconds."""

    start: int
    end: int
    offset: int


def instant(second: int) -> datetime:
    """The UTC datetime of an epoch second."""
    return EPOCH + timedelta(seconds=second)


def offset_at(tz: str, second: int) -> int:
    """Seconds east of UTC, as the zone's clocks showed at that instant."""
    offset = instant(second).astimezone(ZoneInfo(tz)).utcoffset()
    return 0 if offset is None else offset.days * DAY + offset.seconds


def stretches(tz: str, start: int, end: int) -> list[Stretch]:
    """The stretches of constant offset that cover [start, end), in order."""
    changes = [c for year in _years(start, end) for c in _changes(tz, year) if start < c[0] < end]
    edges = [(start, offset_at(tz, start)), *changes]
    ends = [edge for edge, _ in edges[1:]] + [end]
    return [Stretch(a, b, offset) for (a, offset), b in zip(edges, ends, strict=True)]


def _years(start: int, end: int) -> range:
    return range(instant(start).year, instant(end - 1).year + 1)


@lru_cache(maxsize=20_000)
def _changes(tz: str, year: int) -> tuple[tuple[int, int], ...]:
    """Each (second, new offset) in a year. Days are sampled: no zone of the database changes twice within two days."""
    first = int((datetime(year, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    last = int((datetime(year + 1, 1, 1, tzinfo=UTC) - EPOCH).total_seconds())
    days = [(second, offset_at(tz, second)) for second in range(first, last + 1, DAY)]
    return tuple((_moment(tz, a, b, before), after) for (a, before), (b, after) in pairwise(days) if before != after)


def _moment(tz: str, before: int, after: int, offset: int) -> int:
    """The first second in (before, after] whose offset is no longer `offset`."""
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if offset_at(tz, middle) == offset else (before, middle)
    return after
