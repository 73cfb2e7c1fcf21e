"""What the routes work with: the app of this process, and what of it goes on one at a time."""

import threading
from typing import TYPE_CHECKING

from fastapi import Request

from pipelines import actions
from pipelines.app.container import App
from pipelines.marts.publication import current
from pipelines.service.limits import Buckets
from pipelines.service.metrics import Metrics
from pipelines.service.reception import Reception
from pipelines.service.turns import Turns

if TYPE_CHECKING:
    from pipelines.marts import MartReader

FAILURES_PER_SECOND, FAILURES_AT_ONCE = 1.0, 30.0
"""Keys that open nothing, by one address."""


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
        self.speaks_standard: dict[str, bool] = {}
        """Of the sources that posted: whether they speak StandardTicket themselves."""
        self._reader: MartReader | None = None
        self._opening = threading.Lock()

    def open(self) -> None:
        """Make what threads would otherwise make side by side; raises what a broken part raises."""
        app = self.app
        app.policies.take_up()
        for part in (app.store, app.outbox, app.receipts, app.handler, app.view_log, app.triage.store):
            assert part

    def marts(self) -> "MartReader":
        """The publication in force, opened once. Raises NotFound where nothing was published."""
        with self._opening:
            folder = current(self.app.settings.marts_folder).folder
            if self._reader is None or self._reader.publication.folder != folder:
                self._reader = actions.published(self.app)  # the one before goes when the last answer is read from it
            return self._reader


def parts_of(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts
