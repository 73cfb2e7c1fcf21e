"""A file as rows of text: CSV, JSON lines or Parquet, nothing guessed, and every row that does not fit is named."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import polars as pl

from engine.plugins.ports import CHUNK, not_unicode
from engine.shared.errors import BadInput
from engine.shared.tabular import lines, readable, records, text_of

ROW = "\x00row"
"""The column with the row's number; no column of a file can be called that."""

SUFFIXES = (".csv", ".csv.gz", ".tsv", ".tsv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")
DEEPEST = 10
"""Levels of nested keys that become columns; what is deeper stays JSON."""


class Faulty(NamedTuple):
    """A row that is no row of this table."""

    row: int
    reason: str
    content: dict[str, Any]


class Batch(NamedTuple):
    """At most CHUNK rows: text columns and ROW."""

    frame: pl.DataFrame
    faulty: list[Faulty]


class Table(Protocol):
    columns: list[str]

    def batches(self) -> Iterator[Batch]: ...


def open_table(path: Path, *, encoding: str = "utf-8", delimiter: str = ",") -> Table:
    """The table in a file. The whole file is checked first: raises BadInput if it can't be read to its end."""
    name = path.name.casefold()
    with readable(path, encoding):
        if path.is_dir() or not name.endswith(SUFFIXES):
            raise BadInput(f"{path}: not a table that can be read; expected a file named *{', *'.join(SUFFIXES)}")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: the file is empty; export it again")
        if name.endswith(".parquet"):
            return _Parquet(path)
        if ".jsonl" in name or ".ndjson" in name:
            return _JsonLines(path, encoding)
        return _Csv(path, encoding, "\t" if ".tsv" in name else delimiter)


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, str | None]:
    """A JSON object as text cells: nested keys joined by dots, lists as JSON, null as nothing."""
    cells: dict[str, str | None] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and prefix.count(".") < DEEPEST:
            cells |= flat(value, f"{name}.")
        elif value is None or isinstance(value, str):
            cells[name] = value
        else:
            cells[name] = json.dumps(value, ensure_ascii=False)
    return cells


def frame_of(rows: list[tuple[int, Mapping[str, str | None]]], columns: list[str]) -> pl.DataFrame:
    """Rows with their numbers as a frame; a cell that a row lacks is null."""
    schema = {ROW: pl.Int64, **dict.fromkeys(columns, pl.String)}
    return pl.DataFrame([(row, *(cells.get(c) for c in columns)) for row, cells in rows], schema=schema, orient="row")


class _Csv:
    """RFC 4180 with a header. Read by the csv module: Polars fills short lines and can't say which line was long."""

    def __init__(self, path: Path, encoding: str, delimiter: str) -> None:
        self.path, self.encoding, self.delimiter = path, encoding, delimiter
        rows = self._rows()
        header = next(rows, None)
        if header is None:
            raise BadInput(f"{path}: the file has no header line; export it again")
        self.columns = _distinct(header)
        for _ in rows:
            pass

    def batches(self) -> Iterator[Batch]:
        rows = self._rows()
        next(rows)
        good: list[tuple[Any, ...]] = []
        faulty: list[Faulty] = []
        for number, row in enumerate(rows, start=1):
            if len(row) == len(self.columns):
                good.append((number, *row))
            else:
                faulty.append(self._ragged(number, row))
            if number % CHUNK == 0:
                yield Batch(self._frame(good), faulty)
                good, faulty = [], []
        if good or faulty:
            yield Batch(self._frame(good), faulty)

    def _rows(self) -> Iterator[list[str]]:
        with readable(self.path, self.encoding), text_of(self.path, self.encoding) as text:
            yield from (cells for _, cells in records(text, self.path, self.delimiter))

    def _frame(self, rows: list[tuple[Any, ...]]) -> pl.DataFrame:
        return pl.DataFrame(rows, schema={ROW: pl.Int64, **dict.fromkeys(self.columns, pl.String)}, orient="row")

    def _ragged(self, number: int, row: list[str]) -> Faulty:
        cells: dict[str, Any] = dict(zip(self.columns, row, strict=False))
        if beyond := row[len(self.columns) :]:
            cells["(beyond the header)"] = beyond
        return Faulty(number, f"the row has {len(row)} cells, the header {len(self.columns)}", cells)


class _JsonLines:
    """One JSON object a line; the row's number is the line's."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path, self.encoding = path, encoding
        names: dict[str, None] = {}
        for _, cells, _ in self._lines():
            names |= dict.fromkeys(cells or ())
        self.columns = list(names)

    def batches(self) -> Iterator[Batch]:
        good: list[tuple[int, Mapping[str, str | None]]] = []
        faulty: list[Faulty] = []
        for number, cells, line in self._lines():
            if cells is None:
                faulty.append(Faulty(number, "the line is not one JSON object in Unicode", {"line": line}))
            else:
                good.append((number, cells))
            if len(good) + len(faulty) == CHUNK:
                yield Batch(frame_of(good, self.columns), faulty)
                good, faulty = [], []
        if good or faulty:
            yield Batch(frame_of(good, self.columns), faulty)

    def _lines(self) -> Iterator[tuple[int, dict[str, str | None] | None, str]]:
        return ((number, _object(line), line) for number, line in lines(self.path, self.encoding))


class _Parquet:
    """Typed columns as text; instants as ISO 8601."""

    def __init__(self, path: Path) -> None:
        try:
            frame = pl.read_parquet(path)
        except pl.exceptions.PolarsError as error:
            raise BadInput(
                f"{path}: not a whole Parquet file ({' '.join(str(error).split())}); fetch it again"
            ) from error
        self.columns = frame.columns
        texts = [_as_text(frame[name]) for name in frame.columns]
        self.frame = pl.DataFrame(texts).with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))

    def batches(self) -> Iterator[Batch]:
        for part in self.frame.iter_slices(CHUNK):
            yield Batch(part, [])


def _as_text(column: pl.Series) -> pl.Series:
    kind = column.dtype
    if kind == pl.String:
        return column
    if isinstance(kind, pl.Datetime):
        return column.dt.to_string("%Y-%m-%dT%H:%M:%S%.6f" + ("%:z" if kind.time_zone else ""))
    if kind == pl.Binary:
        return column.bin.encode("base64")
    if kind.is_nested() or kind == pl.Object:
        texts = [None if v is None else json.dumps(v, ensure_ascii=False, default=str) for v in column.to_list()]
        return pl.Series(column.name, texts, dtype=pl.String)
    if isinstance(kind, pl.Duration):
        return column.dt.to_string("iso")
    return column.cast(pl.String)


def _object(line: str) -> dict[str, str | None] | None:
    try:
        record = json.loads(line)
        return flat(record) if isinstance(record, dict) and not not_unicode(record) else None
    except (ValueError, RecursionError):
        return None


def _distinct(header: list[str]) -> list[str]:
    """Column names, trimmed; the second `Labels` becomes `Labels (2)`, a nameless one `(column 3)`."""
    names: list[str] = []
    for position, raw in enumerate(header, start=1):
        plain = raw.replace("\x00", "␀").strip() or f"(column {position})"
        tries = (plain if number == 1 else f"{plain} ({number})" for number in count(1))
        names.append(next(name for name in tries if name not in names))
    return names
