"""The published tables, read and replaced safely; `registry` names them.

A publication is a folder of Parquet files; `current.json` names the one in force and is replaced atomically, so
a reader sees all of one publication or all of the next. DuckDB reads the files from memory and locks nothing.
"""

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import polars as pl

from engine.access import Right
from engine.shared.closing import Closing
from engine.shared.errors import NotAllowed, NotFound, Unavailable, translate_file_errors
from engine.shared.whole_file import whole_file
from pipelines.marts import chain_heads
from pipelines.marts.answers import frame_of

CURRENT, RESTRICTED = "current", "restricted"


class Publication(NamedTuple):
    """Which marts are in force: the instant they speak of, when they were written, rows per table."""

    as_of: datetime
    published_at: datetime
    rows: dict[str, int]
    folder: Path
    time_zone: str = "UTC"
    """Whose days, weeks and months its marts count."""


def publish(
    frames: Mapping[str, pl.DataFrame],
    folder: Path,
    *,
    as_of: datetime,
    at: datetime,
    heads: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> Publication:
    """Write every mart, and the heads of all chains, and put the new publication in force; the one before stays for
    readers still in it.

    Raises Unavailable if the files can't be written, ValueError if a frame is missing or does not have its declared
    columns (that is a bug, not bad input); the one before stays in force and nothing of the new one is left.
    """
    target = folder / at.astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
    try:
        with translate_file_errors(f"{target} can't be published", is_written=True):
            return _publish(frames, target, as_of=as_of, at=at, heads=heads, time_zone=time_zone)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _publish(
    frames: Mapping[str, pl.DataFrame],
    target: Path,
    *,
    as_of: datetime,
    at: datetime,
    heads: pl.DataFrame | None,
    time_zone: str,
) -> Publication:
    from pipelines.marts.registry import MARTS

    folder = target.parent
    target.mkdir(parents=True, exist_ok=True)
    for name, mart in MARTS.items():
        schema, frame = mart.schema, frames[name].select(mart.schema.names())
        if frame.schema != schema:
            wrong = {c: (frame.schema[c], schema[c]) for c in schema if frame.schema[c] != schema[c]}
            raise ValueError(f"mart {name}: columns differ from the declared schema: {wrong}")
        file = file_of(target, name)
        if mart.right != Right.READ:
            file.parent.mkdir(mode=0o700, exist_ok=True)
        frame.write_parquet(file, compression="zstd", statistics=True)
    rows = {name: frames[name].height for name in MARTS}
    seen = [instant for instant in (latest_as_of(folder), as_of) if instant is not None and instant <= at]
    description: dict[str, Any] = {
        "folder": target.name,
        "as_of": as_of.isoformat(),
        "published_at": at.isoformat(),
        "rows": rows,
        "time_zone": time_zone,
    }
    if heads is not None:
        description["chain_heads"] = chain_heads.write(heads, target)
    description["latest_as_of"] = max(seen).isoformat() if seen else None
    with whole_file(folder / "current.json") as unfinished:
        unfinished.write_text(json.dumps(description, indent=1), encoding="utf-8")
    _name_as_current(target)
    _forget_older(folder, keep=2)
    return Publication(as_of, at, rows, target, time_zone)


def file_of(publication: Path, mart: str) -> Path:
    """Where a mart lies; those that take a right of their own in a folder that its owner alone opens."""
    from pipelines.marts.registry import MARTS

    folder = publication if MARTS[mart].right == Right.READ else publication / RESTRICTED
    return folder / f"{mart}.parquet"


def _name_as_current(target: Path) -> None:
    """The stable path for other tools, `current/`, leads to the new publication; whoever has begun to read the one
    before goes on with it. Where the file system knows no symbolic links it is left out."""
    name = target.parent / f"{CURRENT}.{os.getpid()}.part"
    with suppress(OSError):
        name.symlink_to(target.name, target_is_directory=True)
        name.replace(target.parent / CURRENT)


def _forget_older(folder: Path, *, keep: int) -> None:
    publications = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    for old in publications[:-keep]:
        shutil.rmtree(old, ignore_errors=True)


def current(folder: Path) -> Publication:
    """The publication in force. Raises NotFound if nothing was published yet."""
    from pipelines.marts.registry import MARTS

    try:
        with translate_file_errors(f"the marts in {folder} can't be read"):
            found = json.loads((folder / "current.json").read_text(encoding="utf-8"))
        as_of, published_at = (datetime.fromisoformat(found[name]) for name in ("as_of", "published_at"))
        rows, zone = dict(found["rows"]), str(found.get("time_zone", "UTC"))
        publication = Publication(as_of, published_at, rows, folder / found["folder"], zone)
    except FileNotFoundError:
        raise NotFound(f"no marts in {folder}: run `helmdesk cycle` (or `helmdesk demo`) to publish them") from None
    except (ValueError, KeyError, TypeError) as error:
        raise NotFound(
            f"{folder / 'current.json'} is damaged ({error}): run `helmdesk publish` to write it anew"
        ) from None
    if missing := [mart for mart in MARTS if not file_of(publication.folder, mart).is_file()]:
        raise NotFound(f"{publication.folder} has no {missing[0]}.parquet: run `helmdesk publish` to write it anew")
    return publication


def latest_as_of(folder: Path) -> datetime | None:
    """The latest instant any publication spoke of, unless it was still to come then; None if none is known."""
    try:
        found = json.loads((folder / "current.json").read_text(encoding="utf-8"))
        return datetime.fromisoformat(found.get("latest_as_of", found["as_of"])).astimezone(UTC)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


class MartReader(Closing):
    """One publication, readable as frames or with SQL; later publications need a new reader.

    `rights` are those of whoever asks: marts that take others are not there for them. None is the program itself, which
    then asks for the right at its own door.
    """

    def __init__(self, folder: Path, *, rights: Collection[Right] | None = None) -> None:
        from pipelines.marts.registry import MARTS

        self.publication = current(folder)
        self.marts = tuple(name for name, mart in MARTS.items() if rights is None or mart.right in rights)
        self._connection = duckdb.connect(":memory:")
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        for mart in self.marts:
            file = file_of(self.publication.folder, mart)
            quoted = str(file).replace("'", "''")
            try:
                self._connection.execute(f"CREATE VIEW {mart} AS SELECT * FROM read_parquet('{quoted}')")
            except duckdb.Error as error:
                raise _damaged(file) from error

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The answer to a DuckDB query over the marts (each is a view of its name), as `frame_of` has it. Raises
        Unavailable for a damaged file."""
        try:
            return frame_of(self._connection.cursor().sql(sql, params=list(parameters)))
        except duckdb.Error as error:
            if type(error) is duckdb.Error or isinstance(error, duckdb.IOException) or ".parquet" in str(error):
                raise _damaged(self.publication.folder) from error
            raise

    def frame(self, mart: str) -> pl.DataFrame:
        """A whole mart, with its declared schema. Raises Unavailable for a damaged file."""
        file = self.file(mart)
        try:
            return pl.read_parquet(file)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise _damaged(file) from error

    def file(self, mart: str) -> Path:
        """The file of a mart. Raises NotFound for a name that is none, NotAllowed where its right is missing."""
        from pipelines.marts.registry import MARTS

        if mart not in MARTS:
            close = get_close_matches(mart, self.marts, 1)
            which = f"did you mean {close[0]}?" if close else f"there are {', '.join(self.marts)}"
            raise NotFound(f"There is no mart {mart!r}: {which}")
        if mart not in self.marts:
            raise NotAllowed(f"The mart {mart} takes the right {MARTS[mart].right}, which whoever asks lacks.")
        return file_of(self.publication.folder, mart)

    def relation(self, mart: str) -> duckdb.DuckDBPyRelation:
        """A mart as DuckDB reads it, from its file when it is asked. Raises as `file` does."""
        self.file(mart)
        return self._connection.table(mart)

    def close(self) -> None:
        self._connection.close()


def _damaged(file: Path) -> Unavailable:
    return Unavailable(f"{file} is damaged: run `helmdesk publish` to write it anew")
