"""What is posted becomes durable, many at a time, before anybody is told that it was accepted; then it is taken in."""

import asyncio
from collections.abc import Sequence

from anyio import CapacityLimiter, to_thread

from engine.shared.errors import Busy, HelmdeskError
from engine.storage.receipts import Posted, Receipt
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.receipts import take_in_receipts

TOGETHER = 500
"""Payloads that are written in one transaction at most."""
MOST_WAITING = 5_000
"""Payloads that wait to be written; more are refused until there is room."""
GATHER_SECONDS = 0.005
"""A payload waits so long for others to be written with it: one transaction costs what twenty in it do."""
AT_A_TIME = 50
"""Receipts that are taken in at a time here: those who post wait no longer than that for the database."""
RETRY_SECONDS, LULL_SECONDS = 1.0, 0.5

Waiting = tuple[Posted, "asyncio.Future[Receipt]"]


class Reception:
    """`keep` returns once the payload is durable. While one transaction is written the next payloads gather."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._waiting: asyncio.Queue[Waiting] = asyncio.Queue(MOST_WAITING)
        self._news, self._wrote_at = asyncio.Event(), 0.0
        self._writer, self._reader = CapacityLimiter(1), CapacityLimiter(1)

    async def keep(self, posted: Posted) -> Receipt:
        """Raises Busy where too many wait, and what the store raises; then nothing was kept."""
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        try:
            self._waiting.put_nowait((posted, future))
        except asyncio.QueueFull:
            raise Busy(f"{MOST_WAITING:,} payloads wait to be written already; nothing was kept, send again") from None
        return await future

    async def write(self) -> None:
        """For ever: write what waits."""
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(GATHER_SECONDS)
            while len(batch) < TOGETHER and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._write(batch)

    async def _write(self, batch: Sequence[Waiting]) -> None:
        try:
            posted = [one for one, _ in batch]
            receipts = await to_thread.run_sync(lambda: self._app.receipts.keep(posted), limiter=self._writer)
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), receipt in zip(batch, receipts, strict=True):
            if not future.done():
                future.set_result(receipt)
        self._wrote_at = asyncio.get_running_loop().time()
        self._news.set()

    async def take_in(self) -> None:
        """For ever: take in what is kept, half of the time at most, a quarter while payloads come; where a cycle is at
        it, that takes it in."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                is_more = await to_thread.run_sync(self._some, limiter=self._reader)
            except Exception as error:
                is_more = True
                if not isinstance(error, Busy):
                    is_bug = not isinstance(error, HelmdeskError)
                    self._app.log.warning("receipts wait", reason=str(error), exc_info=is_bug)
                await asyncio.sleep(RETRY_SECONDS)
            is_lull = loop.time() - self._wrote_at > LULL_SECONDS
            await asyncio.sleep((loop.time() - began) * (1 if is_lull else 3))
            if not is_more:
                await self._news.wait()
                self._news.clear()

    def _some(self) -> bool:
        """Whether there may be more."""
        with alone(self._app, "receipts"):
            return take_in_receipts(self._app, limit=AT_A_TIME) is not None
