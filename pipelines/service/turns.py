"""Work that goes on one at a time, however many ask for it: models, decisions."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from engine.shared.errors import Busy

Found = TypeVar("Found")


class Turns:
    """One piece of work at a time in a thread of its own; those who wait block no other work."""

    def __init__(self, what: str, *, most_waiting: int) -> None:
        self.what, self.most_waiting = what, most_waiting
        self._limiter, self._queue = CapacityLimiter(1), 0

    async def take(self, work: Callable[[], Found]) -> Found:
        """Raises Busy if too many wait already."""
        if self._queue > self.most_waiting:
            raise Busy(f"{self._queue} wait for {self.what} already; ask again in a moment")
        self._queue += 1
        try:
            return await to_thread.run_sync(work, limiter=self._limiter)
        finally:
            self._queue -= 1
