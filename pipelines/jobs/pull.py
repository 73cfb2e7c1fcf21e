"""Fetch tickets from a system's API, a page at a time: each is in the store before its cursor moves on."""

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.contracts import Delivery, Event, IngestReport, Rejected, StandardTicket
from engine.plugins.ports import SourcePlugin
from engine.plugins.pull.pages import Feed, Page
from engine.shared.errors import BadInput, HelmdeskError, Unavailable
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.ingest import OnRejected, completed, ignore_rejected, take_in
from pipelines.progress import Progress, silent

PAGE = 100


def pull(
    app: App,
    source: str,
    *,
    since: datetime | None = None,
    limit: int | None = None,
    progress: Progress = silent,
    refused: OnRejected = ignore_rejected,
) -> IngestReport:
    """Take in every ticket that changed since the last pull, or since an instant; `limit` ends it after the
    page with so many new or changed ones.

    An interrupted pull goes on with the page that was not taken in; a ticket that comes twice is skipped. Raises
    BadInput for a source without its settings, Unavailable where the system does not answer, Busy if it is pulled from
    already.
    """
    feed, report = app.feed(source), IngestReport()
    plugin = app.source(source)
    with alone(app, f"pull-{source}"):
        complete = completed(app)
        cursor = None if since else app.pull_cursors.last(source, feed.stream)
        try:
            for page in feed.pages(cursor, since=since, size=min(limit or PAGE, PAGE)):
                report += _take_in(app, feed, page, complete(delivery_of(page, plugin)), refused)
                news = report.created + report.updated
                progress(f"pull {source}", news, 0)
                if limit and news >= limit:
                    break
        except Unavailable as error:
            so_far = f"created {report.created}, updated {report.updated} before that"
            raise Unavailable(f"{error}; {so_far}, the next pull goes on from there") from error
    return report


def _take_in(app: App, feed: Feed, page: Page, delivery: Delivery, refused: OnRejected) -> IngestReport:
    at = app.now()
    report = take_in(app, delivery, at=at)
    app.pull_cursors.move(feed.source, feed.stream, page.cursor, at=at)
    refused(delivery.rejected)
    return report


def delivery_of(page: Page, plugin: SourcePlugin) -> Delivery:
    """What the source's plugin makes of a page; what it refuses goes by the key of its ticket."""
    rejected = [_refused(plugin, refusal.key, refusal.reason) for refusal in page.refusals]
    tickets: list[StandardTicket] = []
    events: list[Event] = []
    for record in page.records:
        try:
            part = plugin.parse(record.payload)
        except BadInput as error:
            rejected.append(_refused(plugin, record.key, str(error)))
            continue
        tickets += part.tickets
        events += part.events
        rejected += [_refused(plugin, record.key, each.reason, each.content) for each in part.rejected]
    return Delivery(tickets=tuple(tickets), events=tuple(events), rejected=tuple(rejected))


def _refused(plugin: SourcePlugin, key: str, reason: str, content: dict[str, object] | None = None) -> Rejected:
    return Rejected(source=plugin.name, origin=f"pull {key}", row=None, reason=reason, content=content or {})


def repeat(
    app: App,
    source: str,
    *,
    every: timedelta,
    wait: Callable[[float], object],
    report: Callable[[str], object],
) -> None:
    """Pull now, and again each time `every` has passed; a round that fails is a line and no end. Never returns."""
    while True:
        began = app.now()
        try:
            done = pull(app, source)
            report(f"{began:%Y-%m-%d %H:%M:%SZ} " + ", ".join(f"{name} {n}" for name, n in done.model_dump().items()))
        except HelmdeskError as error:
            report(f"{began:%Y-%m-%d %H:%M:%SZ} failed: {' '.join(str(error).split())}")
        wait(max(0.0, (every - max(app.now() - began, timedelta())).total_seconds()))
