"""Take a file of tickets in: read it by its source plugin, upsert what is new, keep what was refused."""

from datetime import datetime
from pathlib import Path

from engine.contracts import IngestReport
from pipelines.progress import Progress, silent
from pipelines.wiring import House


def ingest(
    house: House,
    path: Path,
    *,
    source: str,
    at: datetime,
    mapping: Path | None = None,
    progress: Progress = silent,
) -> IngestReport:
    """Deliver everything in `path` to the store; the same input again changes nothing.

    Raises BadInput for a file that can't be read as this source, before anything of it was stored.
    """
    plugin = house.source(source, mapping=mapping)
    report, seen = IngestReport(), 0
    for delivery in plugin.read(path):
        report += house.store.ingest(delivery, at=at)
        seen += len(delivery.tickets) + len(delivery.rejected)
        progress("ingest", seen, 0)
    progress("ingest", seen, seen)
    return report
