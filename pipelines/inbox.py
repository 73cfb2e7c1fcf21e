"""The inbox: a folder per source; what lies in it is taken in once and filed under done or refused.

`inbox/<source>/<file>` is read by that source's plugin. A file that is still being written should arrive under a name
that starts with a dot and be renamed when it is whole.
"""

from datetime import datetime
from pathlib import Path

from engine.contracts import IngestReport
from engine.errors import BadInput
from pipelines.jobs.ingest import ingest
from pipelines.progress import Progress, silent
from pipelines.wiring import House


def waiting(inbox: Path) -> list[tuple[str, Path]]:
    """What lies in the inbox: (source, path) with a ticket export each, oldest name first."""
    if not inbox.is_dir():
        return []
    sources = sorted(path for path in inbox.iterdir() if path.is_dir() and path.name not in {"done", "refused"})
    return [(folder.name, file) for folder in sources for file in sorted(folder.iterdir()) if _is_whole(file)]


def take_in(house: House, *, progress: Progress = silent) -> IngestReport:
    """Ingest every waiting file. A file that can't be read is filed under refused with its reason; the rest goes on."""
    inbox, at = house.settings.home / "inbox", house.now()
    report = IngestReport()
    for source, file in waiting(inbox):
        try:
            report += ingest(house, file, source=source, at=at, progress=progress)
        except BadInput as error:
            refused = _file_under(inbox / "refused" / source, file, at)
            refused.with_name(refused.name + ".reason.txt").write_text(f"{error}\n", encoding="utf-8")
            house.log.warning("file refused", file=str(refused), reason=str(error))
            report += IngestReport(rejected=1)
        else:
            _file_under(inbox / "done" / source, file, at)
    return report


def _is_whole(path: Path) -> bool:
    return not path.name.startswith(".")


def _file_under(folder: Path, file: Path, at: datetime) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return file.rename(folder / f"{at:%Y%m%dT%H%M%S%f}-{file.name}")
