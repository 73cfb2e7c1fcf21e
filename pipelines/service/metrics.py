"""What Prometheus reads: requests and their times by route, receipts, what waits, how old the marts are."""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.shared.errors import HelmdeskError
from pipelines.app.container import App
from pipelines.marts.publication import current

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Seconds."""


class Metrics:
    """Counters of this process, and gauges that are read from the store when they are asked for."""

    def __init__(self, app: App) -> None:
        self._app, self.registry = app, CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("helmdesk_requests", "Requests answered.", labels, registry=self.registry)
        self.seconds = Histogram(
            "helmdesk_request_seconds", "Time to the answer.", labels[:2], buckets=BUCKETS, registry=self.registry
        )
        self.receipts = Counter("helmdesk_receipts", "Payloads posted.", ("source", "is_new"), registry=self.registry)
        self.tokens = Counter(
            "helmdesk_model_tokens", "Tokens of hosted models.", ("operation",), registry=self.registry
        )
        self.registry.register(self)

    def text(self) -> bytes:
        return generate_latest(self.registry)

    def describe(self) -> list[Any]:
        """Nothing in advance: the store need not be there yet."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            waiting = GaugeMetricFamily("helmdesk_receipts_by_state", "Receipts kept, by state.", labels=["state"])
            for state, count in self._app.receipts.counts().items():
                waiting.add_metric([state], count)
            unsent = GaugeMetricFamily(
                "helmdesk_outbox_unsent", "Rows that were not sent, by destination.", labels=["destination", "state"]
            )
            for there in self._app.outbox.unsent():
                unsent.add_metric([there.destination, "waiting"], there.waiting)
                unsent.add_metric([there.destination, "refused"], there.refused)
            yield waiting
            yield unsent
            published = current(self._app.settings.marts_folder).published_at
            age = (self._app.now() - published).total_seconds()
            yield GaugeMetricFamily("helmdesk_marts_age_seconds", "Since the marts were published.", value=age)
        except HelmdeskError as error:  # what does not answer has no figure; the others do
            self._app.log.warning("no figures", reason=str(error))


class Measured:
    """Counts and times every request by the route that answered it, never by its path."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            method = scope["method"] if scope["method"] in ("GET", "POST") else "other"
            self.metrics.requests.labels(method, route, str(status)).inc()
            self.metrics.seconds.labels(method, route).observe(time.perf_counter() - began)
