"""Take a file of tickets in: read it by its source plugin, upsert what is new, keep what was refused."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import polars as pl

from engine.contracts import Company, Contact, Delivery, IngestReport, Rejected
from engine.customers import customers, with_customers
from engine.plugins.mapping import Expected
from engine.plugins.ports import SourcePlugin
from engine.plugins.registry import source_names
from engine.shared.errors import BadInput
from engine.shared.whole_file import whole_file
from pipelines.app.container import App
from pipelines.app.people_files import PEOPLE
from pipelines.jobs.dry_run import dry_run, expected_of
from pipelines.progress import Progress, silent

OnRejected = Callable[[Sequence[Rejected]], object]
"""Given rows that were refused."""


def ignore_rejected(_: Sequence[Rejected]) -> None:
    """For those who read the rejected rows from the store."""


def ingest(
    app: App,
    path: Path,
    *,
    source: str,
    at: datetime,
    mapping: Path | None = None,
    max_refused: float | None = None,
    progress: Progress = silent,
    refused: OnRejected = ignore_rejected,
) -> IngestReport:
    """Deliver everything in `path` to the store; the same input again changes nothing.

    `refused` is given the rows that could not be read, and what the store refused for the first time. With a share
    `max_refused`, or a mapping that says what to expect, the file is read once more before. Raises BadInput for a file
    that can't be read as this source, or misses these, before anything of it was stored.
    """
    plugin = source_of(app, path, source=source, mapping=mapping)
    _check_expected(plugin, path, max_refused)
    report, seen, unreadable = IngestReport(), 0, 0
    complete = completed(app)
    try:
        for delivery in plugin.read(path):
            report += take_in(app, complete(delivery), at=at)
            refused(delivery.rejected)
            unreadable += len(delivery.rejected)
            seen += len(delivery.tickets) + len(delivery.rejected)
            progress("ingest", seen, 0)
    except OSError as error:
        raise BadInput(f"{path}: can't be read: {error.strerror or error}; nothing is lost, try again") from error
    progress("ingest", seen, seen)
    if report.rejected > unreadable and refused is not ignore_rejected:
        refused(_refused_by_store(app, at))
    return report


def take_in(app: App, delivery: Delivery, *, at: datetime) -> IngestReport:
    """Deliver to the store; assignees that are agents here own what had no owner."""
    from engine.desk import own_assigned

    report = app.store.ingest(delivery, at=at)
    named = {ticket.key for ticket in delivery.tickets} | {event.ticket_id for event in delivery.events}
    own_assigned(app.store, at=at, ticket_ids=named)
    return report


def completed(app: App) -> Callable[[Delivery], Delivery]:
    """Gives tickets what their source does not say and their customer does."""
    return partial(with_customers, known=customers(app.store.all(Contact), app.store.all(Company)))


def zone_to_settle(app: App, plugin: SourcePlugin) -> str | None:
    """The time zone of the source's mapping, where the desk's is not known yet; `settle_zone` keeps it."""
    settings, mapping = app.settings, getattr(plugin, "mapping", None)
    if settings.time_zone or settings.desk_zone_file.is_file() or mapping is None:
        return None
    return str(mapping.time_zone)


def settle_zone(app: App, zone: str) -> None:
    """Days, weeks and months are the zone's from now on."""
    with whole_file(app.settings.desk_zone_file) as unfinished:
        unfinished.write_text(f"{zone}\n", encoding="utf-8")


def source_of(app: App, path: Path, *, source: str, mapping: Path | None) -> SourcePlugin:
    """The plugin that reads `path`. Raises BadInput for a source that is none, or a path that can't be read."""
    _check_source(app, source, mapping)
    plugin = app.source(source, mapping=mapping)
    _check(path)
    return plugin


def _check_expected(plugin: SourcePlugin, path: Path, max_refused: float | None) -> None:
    expected = expected_of(plugin)
    if max_refused is None and expected == Expected():
        return
    read = dry_run(plugin, path)
    if missed := read.missed(max_refused=max_refused, expected=expected):
        first = f"; the first refused: {read.reasons[0].example.reason}" if read.reasons else ""
        raise BadInput(f"{path}: {'; '.join(missed)}{first}. Nothing of it was taken in; --dry-run shows all of it")


def _refused_by_store(app: App, at: datetime) -> list[Rejected]:
    """Tickets and events of deliveries at this instant that were read well and could not be kept, each told once."""
    rows = app.store.frame("rejected_rows", ["source", "origin", "row", "reason", "received_at"])
    fresh = rows.filter(pl.col("received_at") == at.astimezone(UTC), pl.col("origin").is_in(["tickets", "events"]))
    return [Rejected(**row) for row in fresh.drop("received_at").iter_rows(named=True)]


def _check_source(app: App, source: str, mapping: Path | None) -> None:
    """Raises BadInput with all sources, people too: they come as files, and are no tickets."""
    known = sorted([PEOPLE, *source_names(app.settings.data / "mappings")])
    if mapping is None and source not in known:
        raise BadInput(
            f"there is no source {source!r}; there are {', '.join(known)}. A new one is a mapping file in "
            f"{app.settings.data / 'mappings'}, or any with --mapping"
        )


def _check(path: Path) -> None:
    """Raises BadInput for a path that can't be one, and for a pipe, socket or device: files are read twice."""
    try:
        odd = path.exists() and not (path.is_file() or path.is_dir())
    except OSError as error:
        raise BadInput(f"{path.name[:80]!r} can't be looked at: {error.strerror}; check the path") from None
    if odd:
        raise BadInput(f"{path} is neither a file nor a folder; write what it gives into a file and ingest that")
