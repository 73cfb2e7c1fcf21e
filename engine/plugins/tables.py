"""A file as rows of text, whatever its form: nothing guessed, and every row that does not fit is named."""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import polars as pl

from engine.plugins import workbooks, xes
from engine.plugins.json_documents import document_records
from engine.plugins.ports import CHUNK, not_unicode
from engine.shared.dialect import delimiters_of, encoding_of
from engine.shared.errors import BadInput
from engine.shared.no_links import open_bytes
from engine.shared.tabular import lines, name_within, readable, text_of, whole
from engine.shared.tabular import records as csv_records

ROW = "\x00row"
"""The column with the row's number; no column of a file can be called that."""

FORMS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".xes")
SUFFIXES = (*FORMS, *(f"{form}.gz" for form in FORMS), ".parquet", ".xlsx", ".xls", ".zip")
MOST_ROWS = 50_000_000
"""Of a Parquet file, in which a few bytes may stand for any number."""
MOST_COLUMNS = 5_000
"""The widest public exports have a thousand."""
DEEPEST = 10
"""Levels of nested keys that become columns; what is deeper stays JSON."""


class Faulty(NamedTuple):
    """A row that is no row of this table."""

    row: int | None
    reason: str
    content: dict[str, Any]


class Batch(NamedTuple):
    """At most CHUNK rows: text columns and ROW."""

    frame: pl.DataFrame
    faulty: list[Faulty]


class Table(Protocol):
    columns: list[str]

    def batches(self) -> Iterator[Batch]: ...


def open_table(
    path: Path,
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
    skip_rows: int = 0,
    sheet: str | None = None,
    records: str | None = None,
) -> Table:
    """The table in a file. The whole file is checked first: raises BadInput if it can't be read to its end."""
    with readable(path, encoding):
        if path.is_dir() or not path.name.casefold().endswith(SUFFIXES):
            raise BadInput(f"{path}: not a table that can be read; expected a file named *{', *'.join(SUFFIXES)}")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: the file is empty; export it again")
        name = name_within(path)
        if encoding == "auto":
            encoding = encoding_of(path)
        match name.rpartition(".")[2]:
            case "parquet":
                return _Frame(_parquet(path))
            case "xlsx" | "xls":
                return _Frame(_under_header(workbooks.sheet(path, sheet), skip_rows, path))
            case "jsonl" | "ndjson":
                return _Records(partial(_json_lines, path, encoding), "line", path)
            case "json":
                given = document_records(path, records, encoding=encoding)
                return _Records(
                    lambda: ((number, _cells(record), record) for number, record in enumerate(given, 1)), "record", path
                )
            case "xes":
                return _Records(
                    lambda: ((n, event, None) for n, event in enumerate(xes.log_events(path), 1)), "event", path
                )
            case "csv" | "tsv":
                mark = "\t" if name.endswith(".tsv") else delimiter
                return _Csv(path, encoding, mark, skip_rows)
        raise BadInput(f"{path}: {name} in it is not a table that can be read; expected *{', *'.join(SUFFIXES)}")


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

    def __init__(self, path: Path, encoding: str, delimiter: str, skip_rows: int) -> None:
        self.path, self.encoding, self.skip_rows = path, encoding, skip_rows
        self.delimiter = self._sole_delimiter() if delimiter == "auto" else delimiter
        rows = self._rows()
        header = next(rows, None)
        if header is None:
            raise BadInput(f"{path}: the file has no header line; export it again")
        _check_width(len(header), path)
        self.columns = _distinct(header)
        for _ in rows:
            pass

    def _sole_delimiter(self) -> str:
        found = delimiters_of(self.path, self.encoding, skip=self.skip_rows)
        if len(found) != 1:
            raise BadInput(f"{self.path}: can't tell what separates its cells; set `delimiter` in the mapping")
        return found[0]

    def batches(self) -> Iterator[Batch]:
        rows = self._rows()
        next(rows)
        good: list[tuple[Any, ...]] = []
        faulty: list[Faulty] = []
        for number, row in enumerate(rows, start=1):
            if not any(row) or not any(map(str.strip, row)):
                continue
            if len(row) == len(self.columns):
                good.append((number, *row))
            else:
                faulty.append(self._ragged(number, row))
            if len(good) + len(faulty) == CHUNK:
                yield Batch(self._frame(good), faulty)
                good, faulty = [], []
        if good or faulty:
            yield Batch(self._frame(good), faulty)

    def _rows(self) -> Iterator[list[str]]:
        with readable(self.path, self.encoding), text_of(self.path, self.encoding) as text:
            yield from (cells for _, cells in csv_records(text, self.path, self.delimiter, skip=self.skip_rows))

    def _frame(self, rows: list[tuple[Any, ...]]) -> pl.DataFrame:
        frame = pl.DataFrame(rows, schema={ROW: pl.Int64, **dict.fromkeys(self.columns, pl.String)}, orient="row")
        written_as_formula = [pl.col(c) for c in self.columns if frame[c].str.starts_with('="').any()]
        return frame.with_columns(column.str.replace(r'(?s)^="(.*)"$', "$1") for column in written_as_formula)

    def _ragged(self, number: int, row: list[str]) -> Faulty:
        cells: dict[str, Any] = dict(zip(self.columns, row, strict=False))
        if beyond := row[len(self.columns) :]:
            cells["(beyond the header)"] = beyond
        return Faulty(number, f"the row has {len(row)} cells, the header {len(self.columns)}", cells)


Numbered = Iterable[tuple[int, Mapping[str, str | None] | None, Any]]
"""Records as text cells, each with its number; None for what is no record, which then stands behind it."""


class _Records:
    """Records that each bring the names of their cells, read twice."""

    def __init__(self, read: Callable[[], Numbered], what: str, path: Path) -> None:
        self.read, self.what = read, what
        names: dict[str, None] = {}
        for _, cells, _ in read():
            names |= dict.fromkeys(cells or ())
            _check_width(len(names), path)
        self.columns = list(names)

    def batches(self) -> Iterator[Batch]:
        good: list[tuple[int, Mapping[str, str | None]]] = []
        faulty: list[Faulty] = []
        for number, cells, given in self.read():
            if cells is None:
                faulty.append(Faulty(number, f"the {self.what} is not one JSON object in Unicode", {self.what: given}))
            else:
                good.append((number, cells))
            if len(good) + len(faulty) == CHUNK:
                yield Batch(frame_of(good, self.columns), faulty)
                good, faulty = [], []
        if good or faulty:
            yield Batch(frame_of(good, self.columns), faulty)


class _Frame:
    """Rows of text that are read already."""

    def __init__(self, texts: pl.DataFrame) -> None:
        self.columns = texts.columns
        filled = pl.any_horizontal(pl.col(name).str.strip_chars() != "" for name in texts.columns)
        numbered = texts.with_row_index(ROW, offset=1).with_columns(pl.col(ROW).cast(pl.Int64))
        self.frame = numbered.filter(filled) if texts.columns else numbered

    def batches(self) -> Iterator[Batch]:
        for part in self.frame.iter_slices(CHUNK):
            yield Batch(part, [])


def _parquet(path: Path) -> pl.DataFrame:
    """Typed columns as text; instants as ISO 8601."""
    source = io.BytesIO(whole(path)) if path.suffix.lower() == ".zip" else open_bytes(path)
    try:
        if (height := pl.scan_parquet(source).select(pl.len()).collect().item()) > MOST_ROWS:
            raise BadInput(f"{path}: has {height:,} rows; split it into files of at most {MOST_ROWS:,}")
        frame = pl.read_parquet(source)
    except pl.exceptions.PolarsError as error:
        raise BadInput(f"{path}: not a whole Parquet file ({' '.join(str(error).split())}); fetch it again") from error
    return pl.DataFrame([_as_text(frame[name]) for name in frame.columns])


def _under_header(rows: pl.DataFrame, skip_rows: int, path: Path) -> pl.DataFrame:
    """The rows below the first that is not blank, which names the columns."""
    below = rows.slice(skip_rows)
    filled = below.select(pl.any_horizontal(pl.all().is_not_null())).to_series() if rows.width else pl.Series()
    if not filled.any():
        raise BadInput(f"{path}: the sheet has no header; export it again")
    head = filled.arg_true()[0]
    _check_width(below.width, path)
    names = _distinct([cell or "" for cell in below.row(head)])
    return below.slice(head + 1).rename(dict(zip(below.columns, names, strict=True)))


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


def _json_lines(path: Path, encoding: str) -> Numbered:
    return ((number, _cells(_loaded(line)), line) for number, line in lines(path, encoding))


def _loaded(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _cells(record: Any) -> dict[str, str | None] | None:
    try:
        return flat(record) if isinstance(record, dict) and not not_unicode(record) else None
    except RecursionError:
        return None


def _distinct(header: list[str]) -> list[str]:
    """Column names, trimmed; the second `Labels` becomes `Labels (2)`, a nameless one `(column 3)`."""
    names: dict[str, None] = {}
    for position, raw in enumerate(header, start=1):
        plain = raw.replace("\x00", "␀").strip() or f"(column {position})"
        tries = (plain if number == 1 else f"{plain} ({number})" for number in count(1))
        names[next(name for name in tries if name not in names)] = None
    return list(names)


def _check_width(columns: int, path: Path) -> None:
    if columns > MOST_COLUMNS:
        raise BadInput(f"{path}: has more than {MOST_COLUMNS:,} columns; export the fields of tickets alone")
