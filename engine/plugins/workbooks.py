"""A sheet of a workbook (.xlsx, .xls) as rows of text: instants as ISO 8601 to the nearest second."""

import io
import re
import zipfile
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Final

import polars as pl

from engine.shared.errors import BadInput
from engine.shared.tabular import LARGEST_DOCUMENT, LARGEST_RATIO, STRETCH, readable, whole

MOST_UNPACKED: Final = 4 * LARGEST_DOCUMENT
"""Bytes of XML in a workbook, which is wordy."""
MOST_CELLS: Final = 20_000_000
"""Cells from the first row and column to the last: the reader makes room for all between."""
_PLACE: Final = re.compile(rb"""\sr=["']([A-Z]{1,3})(\d{1,7})["']""")
_INSTANT: Final = r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+$"


def sheet(path: Path, name: str | None = None) -> pl.DataFrame:
    """All rows from the sheet's first, its header too. Raises BadInput for a workbook that can't be read, is too large,
    or has no such sheet; without a name there must be one visible sheet with cells."""
    import fastexcel  # noqa: PLC0415  # not every source is a workbook

    content = _checked(path)
    try:
        workbook = fastexcel.read_excel(content)
        chosen = name or _only_sheet(workbook, path)
        if chosen not in workbook.sheet_names:
            raise BadInput(f"{path}: has no sheet {chosen!r}; it has {', '.join(workbook.sheet_names)}")
        frame = workbook.load_sheet(chosen, header_row=None, skip_rows=0, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise _unreadable(path, error) from error
    return frame.with_columns(_to_the_second(frame[each]) for each in frame.columns)


def _checked(path: Path) -> bytes:
    content = whole(path)
    if content.startswith(b"PK"):
        with readable(path), zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check(archive, path, len(content))
    return content


def _unreadable(path: Path, error: Exception) -> BadInput:
    reason = " ".join(str(error).split())[:200]
    return BadInput(f"{path}: not a workbook that can be read ({reason}); save it again, or as CSV")


def sheet_sizes(path: Path) -> dict[str, int]:
    """The visible sheets with cells, and how many rows each has. Raises BadInput as `sheet`."""
    import fastexcel  # noqa: PLC0415

    content = _checked(path)
    try:
        workbook = fastexcel.read_excel(content)
        loaded = {name: workbook.load_sheet(name, header_row=None, dtypes="string") for name in workbook.sheet_names}
    except fastexcel.FastExcelError as error:
        raise _unreadable(path, error) from error
    return {name: each.total_height for name, each in loaded.items() if each.visible == "visible" and each.width}


def _only_sheet(workbook: "object", path: Path) -> str:
    names: list[str] = workbook.sheet_names  # type: ignore[attr-defined]
    if len(names) == 1:
        return names[0]
    first = {each: workbook.load_sheet(each, header_row=None, n_rows=1, dtypes="string") for each in names}  # type: ignore[attr-defined]
    filled = [each for each, part in first.items() if part.visible == "visible" and part.width]
    if len(filled) != 1:
        raise BadInput(f"{path}: has the sheets {', '.join(filled or names)}; name one under `sheet` in the mapping")
    return filled[0]


def _to_the_second(column: pl.Series) -> pl.Series:
    """Day numbers are fractions, and 09:15 may be a hair less."""
    if not column.str.contains(_INSTANT).any():
        return column
    rounded = (
        column.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", strict=False).dt.round("1s").dt.to_string("%Y-%m-%d %H:%M:%S")
    )
    return pl.select(
        pl.when(column.str.contains(_INSTANT)).then(rounded).otherwise(column).alias(column.name)
    ).to_series()


def _check(archive: zipfile.ZipFile, path: Path, packed: int) -> None:
    """Unpacks all of it piece by piece, since what a workbook says of its sizes may be wrong."""
    size, row, column = 0, 1, 1
    for member in archive.infolist():
        for piece in _pieces(archive, member):
            size += len(piece)
            if size > min(MOST_UNPACKED, max(STRETCH, LARGEST_RATIO * packed)):
                raise BadInput(f"{path}: unpacks to more than {size >> 20} MB, too much for {packed >> 10:,} KB")
            for letters, digits in _PLACE.findall(piece):
                row, column = max(row, int(digits)), max(column, _number(letters))
    if row * column > MOST_CELLS:
        raise BadInput(f"{path}: has cells as far as row {row:,}, column {column:,}; delete those far from the table")


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A piece overlaps with the one before, so that no mark is cut."""
    with archive.open(member) as stream:
        tail = b""
        while part := stream.read(1 << 20):
            yield tail + part
            tail = part[-16:]


def _number(letters: bytes) -> int:
    return reduce(lambda number, letter: number * 26 + letter - 64, letters, 0)
