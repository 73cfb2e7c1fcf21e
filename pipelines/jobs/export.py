"""Rows for other tools as a file that says what it holds: which mart or list, as of when, under which filter."""

import io
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

import polars as pl

from engine.access import Right, User
from engine.shared.errors import BadInput, translate_file_errors
from engine.shared.spreadsheet_text import defused
from engine.shared.whole_file import whole_file
from engine.storage.audit_log import Entry
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.export_format import Format
from pipelines.marts import MartReader, Publication

INSTANT = "%Y-%m-%dT%H:%M:%S%.6fZ"
EXPORTED = "exported"


class Head(NamedTuple):
    """What stands before the rows: what they are, of which publication, under which filter in words."""

    name: str
    question: str
    as_of: datetime
    published_at: datetime
    time_zone: str
    filter: str
    rows: int

    @classmethod
    def of(cls, publication: Publication, name: str, question: str, *, rows: int, where: str = "none") -> "Head":
        return cls(name, question, publication.as_of, publication.published_at, publication.time_zone, where, rows)

    def as_words(self) -> dict[str, str]:
        return {key: value.isoformat() if isinstance(value, datetime) else str(value)
                for key, value in self._asdict().items()}  # fmt: skip


def write(frame: pl.DataFrame, head: Head, kind: Format, file: BinaryIO) -> None:
    """CSV: lines that begin with `#`, the first says how many they are; then columns as they are, text that a
    spreadsheet would run defused. Parquet: the same in the file's metadata under `helmdesk`. JSON: an object a line, no
    head."""
    facts = head.as_words()
    if kind == Format.PARQUET:
        frame.write_parquet(file, compression="zstd", metadata={"helmdesk": json.dumps(facts)})
        return
    if kind == Format.JSON:
        frame.write_ndjson(file)
        return
    lines = [f"# {name}: {' '.join(fact.split())}" for name, fact in facts.items()]
    lines = [f"# helmdesk: skip {len(lines) + 1} lines to the column names", *lines]
    file.write("".join(f"{line}\n" for line in lines).encode())
    defused(frame).write_csv(file, datetime_format=INSTANT)


def export_mart(app: App, user: User, mart: str, kind: Format, to: Path | BinaryIO) -> int:
    """Write a whole mart and note who did; returns how many rows it has.

    Raises NotAllowed without the right to export or that of the mart, NotFound for a mart that there is not.
    """
    from pipelines.marts.registry import MARTS

    identity.require(app, user, Right.EXPORT, doing="exporting customer data")
    rights = {right for right in Right if identity.has(app, user, right)}
    with MartReader(app.settings.marts_folder, rights=rights) as reader:
        frame = reader.frame(mart)
        head = Head.of(reader.publication, mart, MARTS[mart].question, rows=frame.height)
    _take(app, user, frame, head, kind, to=to)
    return frame.height


def export_answer(app: App, user: User, frame: pl.DataFrame, head: Head, kind: Format, *, to: Path | BinaryIO) -> None:
    """The same of what was asked. Raises NotAllowed without the right to export."""
    identity.require(app, user, Right.EXPORT, doing="exporting customer data")
    _take(app, user, frame, head, kind, to=to)


def taken(app: App, user: User, frame: pl.DataFrame, head: Head, kind: Format) -> bytes:
    """The same as the content of a file that a page gives."""
    file = io.BytesIO()
    export_answer(app, user, frame, head, kind, to=file)
    return file.getvalue()


def _take(app: App, user: User, frame: pl.DataFrame, head: Head, kind: Format, *, to: Path | BinaryIO) -> None:
    if isinstance(to, Path):
        save(frame, head, kind, to, noted=lambda: note(app, user, head, kind))
        return
    note(app, user, head, kind)
    write(frame, head, kind, to)


def save(frame: pl.DataFrame, head: Head, kind: Format, file: Path, *, noted: Callable[[], None]) -> None:
    """The file whole, or as it was before: it takes its place once it is `noted`. Raises BadInput or Unavailable where
    it can't be written."""
    if file.is_dir():
        raise BadInput(f"{file} is a folder: name a file")
    with translate_file_errors(f"{file} can't be written", is_written=True), whole_file(file) as part:
        with part.open("wb") as opened:
            write(frame, head, kind, opened)
        noted()


def note(app: App, user: User, head: Head, kind: Format) -> None:
    """In the audit log: who took which rows away, under which filter."""
    data = {"filter": head.filter, "rows": head.rows, "format": kind.value, "as_of": head.as_of.isoformat()}
    app.store.put([], entry=Entry(EXPORTED, app.now(), head.name, user.id, data))
