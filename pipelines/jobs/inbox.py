"""The inbox: a folder per source; what lies in it is taken in once and filed under done or refused.

`inbox/<source>/<file>` is read by that source's plugin, `inbox/people/` holds people files, loose or in a folder.
A file that is still being written should arrive under a name that starts with a dot and be renamed when it is whole.
Links are refused: what they point to may be any file of this machine.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from engine.contracts import Delivery, IngestReport, Rejected
from engine.shared.errors import BadInput, Conflict, HelmdeskError, NotFound
from engine.shared.no_links import no_links_below
from pipelines.app.container import App
from pipelines.app.people_files import FILES, PEOPLE
from pipelines.jobs.ingest import OnRejected, ignore_rejected, ingest
from pipelines.jobs.people import bring_people
from pipelines.progress import Progress, silent

PAIRED = {"helmdesk", "webhook"}
"""Sources that read `events.jsonl` together with the `tickets.jsonl` beside it."""
FILED = {"done", "refused"}
LOOSE = "loose"
"""Where a file is filed that lies beside the folders of the sources."""
LONGEST_NAME = 200
"""Bytes of a name that are kept: the instant and `.reason.txt` are added to it, and file systems end at 255."""


class Refused(NamedTuple):
    """A file or folder of which nothing was taken in."""

    path: Path
    reason: str


def waiting(inbox: Path) -> list[tuple[str, Path]]:
    """What lies in the inbox: (source, path) each, by name; the source of what lies beside the folders is `loose`.

    Left out are loose people files, of which `take_in` makes one folder once all are there, and events whose tickets
    lie beside them: they are read together.
    """
    lying = _whole(inbox) if inbox.is_dir() else []
    folders = [path for path in lying if path.is_dir() and not path.is_symlink() and path.name not in FILED]
    loose = [(LOOSE, path) for path in lying if path.is_symlink() or not path.is_dir()]
    found = [(folder.name, path) for folder in folders for path in _whole(folder)]
    return loose + [(source, path) for source, path in found if not _goes_with_others(source, path)]


def take_in(
    app: App,
    *,
    progress: Progress = silent,
    rows: OnRejected = ignore_rejected,
    refused: Callable[[Refused], object] | None = None,
) -> IngestReport:
    """Take in everything that waits. What can't be used is filed under refused and kept among the rejected rows, with
    its reason, and counts as one; the rest goes on.

    `rows` is given the refused rows of files that were taken in, `refused` each refused file; without it the log is.
    """
    inbox, at = app.settings.home / "inbox", app.now()
    _gather(app, inbox / PEOPLE, at)
    report = IngestReport()
    for source, path in waiting(inbox):
        try:
            with no_links_below(inbox):  # one that is put there after this is looked at, either
                report += _taken(app, source, path, at, progress, rows=rows)
        except Conflict as error:  # somebody else was faster: it stays for the next time
            app.log.warning("file waits", file=str(path), reason=str(error))
        except (BadInput, NotFound) as error:
            report += _refuse(app, source, path, error, at=at)
            if refused is None:
                app.log.warning("file refused", file=str(path), reason=str(error))
            else:
                refused(Refused(path, str(error)))
        else:
            _file_all(app, "done", source, path, at=at)
    return report


def _taken(app: App, source: str, path: Path, at: datetime, progress: Progress, *, rows: OnRejected) -> IngestReport:
    if link := next((each for each in (path, *_beside(source, path), *_below(path)) if each.is_symlink()), None):
        raise BadInput(f"{link}: is a link, which the inbox does not follow; put the file itself there")
    if source == LOOSE:
        raise BadInput(f"{path}: whose is it? Put it into inbox/<source>/, such as inbox/helmdesk/{path.name}")
    if source == PEOPLE:
        app.log.info("people and groups taken in", file=str(path), records=bring_people(app, path))
        return IngestReport()
    return ingest(app, path, source=source, at=at, progress=progress, refused=rows)


def _below(path: Path) -> Iterator[Path]:
    return path.rglob("*") if path.is_dir() and not path.is_symlink() else iter(())


def _beside(source: str, path: Path) -> list[Path]:
    """Events that are read together with the tickets."""
    events = path.with_name(path.name.replace("tickets.jsonl", "events.jsonl"))
    return [events] if source in PAIRED and events != path else []


def _refuse(app: App, source: str, path: Path, error: HelmdeskError, *, at: datetime) -> IngestReport:
    reason = str(error)
    refused = Rejected(source=source, origin=path.name, row=None, reason=reason)
    report = app.store.ingest(Delivery(rejected=(refused,)), at=at)
    if filed := _file_all(app, "refused", source, path, at=at):
        note = filed.with_name(filed.name + ".reason.txt")
        note.write_text(f"{reason}\n", encoding="utf-8", errors="backslashreplace")
    return report


def _gather(app: App, folder: Path, at: datetime) -> None:
    """Loose people files become one folder once all are there; until then they wait, and the log says for which."""
    there = {name for name in FILES if (folder / name).is_file() and not (folder / name).is_symlink()}
    half = folder / ".gathering"
    gathered = {name for name in FILES if (half / name).is_file()}
    if missing := sorted(FILES - there - gathered):
        if there:
            app.log.warning("people files wait", folder=str(folder), missing=missing)
        return
    half.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):  # another process gathers them
        for name in sorted(there):
            (folder / name).replace(half / name)
        half.rename(folder / f"loose-{at:%Y%m%dT%H%M%S%f}")


def _whole(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _goes_with_others(source: str, path: Path) -> bool:
    if source == PEOPLE:
        return path.name in FILES and not path.is_symlink()
    tickets = path.with_name(path.name.replace("events.jsonl", "tickets.jsonl"))
    return source in PAIRED and tickets != path and tickets.is_file()


def _file_all(app: App, kind: str, source: str, path: Path, *, at: datetime) -> Path | None:
    """File it, with the events that were read together with it."""
    folder = app.settings.home / "inbox" / kind / source
    for events in _beside(source, path):
        if os.path.lexists(events):
            _file_under(app, folder, events, at)
    return _file_under(app, folder, path, at)


def _file_under(app: App, folder: Path, path: Path, at: datetime) -> Path | None:
    """Where it lies now; None if it is gone or can't be moved, of which the log tells."""
    name = path.name.encode(errors="replace")[-LONGEST_NAME:].decode(errors="replace")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return path.rename(_free(folder, f"{at:%Y%m%dT%H%M%S%f}", name))
    except OSError as error:
        app.log.warning("file can't be filed", file=str(path), reason=error.strerror or str(error))
        return None


def _free(folder: Path, stamp: str, name: str) -> Path:
    """Where nothing lies yet: of two names that are cut the rest may be the same, and renaming writes over."""
    places = (folder / f"{stamp}{again}-{name}" for again in chain([""], (f".{number}" for number in count(2))))
    return next(place for place in places if not os.path.lexists(place))
