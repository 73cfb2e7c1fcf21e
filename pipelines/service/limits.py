"""How often a caller may ask: a bucket of requests each, which fills again at a steady rate."""

import time
from collections import OrderedDict
from collections.abc import Callable

MOST_CALLERS = 10_000
"""Buckets that are remembered; the one not used for longest is forgotten first, and is then full again."""


class Buckets:
    """`burst` requests at once, `per_second` after that."""

    def __init__(
        self, per_second: float, *, burst: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.per_second, self.burst, self._clock = per_second, burst or max(1.0, per_second), clock
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, caller: str) -> float:
        """Seconds until this caller may ask again; 0 if it may now, which then counts."""
        now = self._clock()
        level, since = self._levels.pop(caller, (self.burst, now))
        level = min(self.burst, level + (now - since) * self.per_second)
        is_free = level >= 1
        self._levels[caller] = (level - is_free, now)
        if len(self._levels) > MOST_CALLERS:
            self._levels.popitem(last=False)
        return 0.0 if is_free else (1 - level) / self.per_second
