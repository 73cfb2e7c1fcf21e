"""The events as they were read last, in a file: only those recorded since are read from the database.

The file is no source of truth: it counts only while the database has the same events in the same places, each with the
hash that it had; else all are read again.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import URL, Column, Table

from engine.shared.whole_file import whole_file
from engine.storage import frames

NEW_SHARE = 10
"""The file is written anew once more than one in so many rows is newer than it."""
_DIGEST = """SELECT count(*), max(rowid), sum((unicode(hash) + 128 * instr(hash, 'a') + 16384 * instr(hash, '7'))
    * (1 + rowid % 8191)) FROM events WHERE rowid <= ?"""


class Mark(NamedTuple):
    """How far a copy goes, and what the database had until there: rows, the number of the last, a digest of hashes."""

    rows: int
    last: int | None
    digest: int | None


def read(url: URL, events: Table, columns: Sequence[str], where: frames.Where, file: Path) -> pl.DataFrame:
    """As `frames.from_database`, in no order. Where the file can't be read or written, all is read from the database;
    so it is from PostgreSQL, which has no row numbers. Raises as `frames.from_database` does."""
    if url.get_backend_name() != "sqlite":
        return frames.from_database(url, events, columns, where)
    asked = json.dumps([list(columns), {name: sorted(words or ()) for name, words in where.items()}])
    known = _copy(url, file, asked)
    last = 0 if known is None else known["rowid"].max()
    newer = frames.from_sqlite(url, events, *_newer(events, columns, where, last))
    every = newer if known is None else pl.concat([known, newer])
    if known is None or newer.height * NEW_SHARE > known.height:
        _keep(url, every, file, asked)
    return every.drop("rowid")


def _newer(
    events: Table, columns: Sequence[str], where: frames.Where, last: Any
) -> tuple[list[Column[Any]], list[frames.Fit]]:
    fits = [*frames.wanted(events, where, None), frames.Fit("rowid", ">", [last])]
    return [frames.ROW_NUMBER, *frames.chosen(events, columns)], fits


def _copy(url: URL, file: Path, asked: str) -> pl.DataFrame | None:
    """The rows of the file, with their numbers, if the database still has what they were read from."""
    try:
        noted = pl.read_parquet_metadata(file)
        mark = Mark(*json.loads(noted["mark"]))
        return pl.read_parquet(file) if noted["asked"] == asked and mark == _mark(url, mark.last) else None
    except (OSError, ValueError, TypeError, KeyError, sqlite3.Error, pl.exceptions.PolarsError):
        return None


def _keep(url: URL, rows: pl.DataFrame, file: Path, asked: str) -> None:
    with suppress(OSError, sqlite3.Error, pl.exceptions.PolarsError), whole_file(file) as unfinished:
        mark = _mark(url, rows["rowid"].max())
        rows.write_parquet(unfinished, compression="lz4", metadata={"asked": asked, "mark": json.dumps(mark)})


def _mark(url: URL, last: Any) -> Mark:
    with closing(sqlite3.connect(str(url.database))) as connection:
        return Mark(*connection.execute(_DIGEST, [last]).fetchone())
