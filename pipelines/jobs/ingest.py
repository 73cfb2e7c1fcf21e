"""Take a file of tickets in: read it by its source plugin, upsert what is new, keep what was refused."""

from datetime import datetime
from pathlib import Path

from engine.contracts import IngestReport
from engine.errors import BadInput
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
    _check(path)
    report, seen = IngestReport(), 0
    try:
        for delivery in plugin.read(path):
            report += house.store.ingest(delivery, at=at)
            seen += len(delivery.tickets) + len(delivery.rejected)
            progress("ingest", seen, 0)
    except OSError as error:
        raise BadInput(f"{path}: can't be read: {error.strerror or error}; nothing is lost, try again") from error
    progress("ingest", seen, seen)
    return report


def _check(path: Path) -> None:
    """Raises BadInput for a path that can't be one, and for a pipe, socket or device: files are read twice."""
    try:
        odd = path.exists() and not (path.is_file() or path.is_dir())
    except OSError as error:
        raise BadInput(f"{path.name[:80]!r} can't be looked at: {error.strerror}; check the path") from None
    if odd:
        raise BadInput(f"{path} is neither a file nor a folder; write what it gives into a file and ingest that")
