"""What the routes work with: the app of this process, and what of it goes on one at a time."""

import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from anyio import to_thread
from fastapi import Request

from pipelines.app.container import App
from pipelines.marts import MartReader, current
from pipelines.service.limits import Buckets
from pipelines.service.metrics import Metrics
from pipelines.service.reception import Reception
from pipelines.service.turns import Turns

FAILURES_PER_SECOND, FAILURES_AT_ONCE = 1.0, 30.0
"""Keys that open nothing, by one address."""
THREADS = 8
"""Requests that work at the same time; the store has room for so many connections."""
INDEX_SECONDS = 20.0


class Parts:
    """One app a process: its store and marts serve threads side by side, its models and its decisions take turns."""

    def __init__(self, app: App) -> None:
        settings = app.settings
        self.app, self.reception = app, Reception(app)
        self.models = Turns("the models", most_waiting=32)
        self.decisions = Turns("allocation", most_waiting=64)
        self.rate = Buckets(settings.service_requests_per_second)
        self.webhook_rate = Buckets(settings.service_webhooks_per_second)
        self.failure_rate = Buckets(FAILURES_PER_SECOND, burst=FAILURES_AT_ONCE)
        self.metrics = Metrics(app)
        self.known_sources: set[str] = set()
        """Sources that posted in words of their own: each has a plugin."""
        self.source_keys: dict[str, tuple[str, float]] = {}
        """Keys of sources that opened: whose they are, and until when that holds unasked. As many as there are keys."""
        self.model: Path | None = None
        """The file of the model that classifies."""
        self._index_used_at: float | None = None
        self._reader: MartReader | None = None
        self._opening = threading.Lock()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """While the service runs: what is posted is written and taken in, an index nobody asks is released."""
        to_thread.current_default_thread_limiter().total_tokens = THREADS
        await to_thread.run_sync(self._open)
        work = (self.reception.write(), self.reception.take_in(), self._release_index())
        tasks = [asyncio.create_task(each) for each in work]
        try:
            yield
        finally:
            gc.unfreeze()
            for task in tasks:
                task.cancel()
            for task in tasks:
                with suppress(asyncio.CancelledError):
                    await task

    def _open(self) -> None:
        """Make what threads would otherwise make side by side; raises what a broken part raises."""
        app = self.app
        app.policies.take_up()
        for part in (app.store, app.outbox, app.receipts, app.handler, app.view_log, app.triage.store):
            assert part
        gc.collect()
        gc.freeze()  # what a service starts with stays: looking through it again would hold up all who wait

    async def _release_index(self) -> None:
        """The embedded index is one process's at a time: a while after the last question a cycle may have it."""
        while True:
            await asyncio.sleep(INDEX_SECONDS / 4)
            if (
                self._index_used_at is not None
                and asyncio.get_running_loop().time() - self._index_used_at > INDEX_SECONDS
            ):
                self._index_used_at = None
                await self.models.take(self.app.triage.close)

    def used_index(self) -> None:
        self._index_used_at = asyncio.get_running_loop().time()

    def marts(self) -> MartReader:
        """The publication in force, opened once. Raises NotFound where nothing was published."""
        with self._opening:
            folder = current(self.app.settings.marts_folder).folder
            if self._reader is None or self._reader.publication.folder != folder:
                # the one before goes when the last answer is read from it
                self._reader = MartReader(self.app.settings.marts_folder)
            return self._reader


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
