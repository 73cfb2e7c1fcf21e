"""Labelled texts as files that people keep: CSV, TSV, Parquet or JSON lines, each refused in words that say the
remedy."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from math import isnan
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.shared.errors import BadInput, NotFound
from engine.shared.tabular import is_packed, json_lines, utf8_text
from triage.learning.product_model import LabelledText

Cells = tuple[str | None, ...]
"""What one row has in the wanted columns."""
MARKS: Final = ",;\t|"
"""What may stand between cells; the first under which a line has the wanted columns is used."""
LINES_ABOVE: Final = 20
"""Among so many lines is the one with the names of the columns; titles may stand above it."""


class Columns(NamedTuple):
    """Names of the columns a file has to have, and of one that it may have."""

    needed: Sequence[str]
    optional: str | None = None

    @property
    def wanted(self) -> list[str]:
        return [*self.needed, *([self.optional] if self.optional else [])]


def check_file(file: Path) -> None:
    """Before anything is read: raises NotFound without the file, BadInput for a folder or an ending not known."""
    if file.is_dir():
        raise BadInput(f"{file} is a folder; name a file in it")
    if not file.is_file():
        raise NotFound(f"There is no file {file}")
    if _kind(file) not in _READERS or (is_packed(file) and _kind(file) == ".parquet"):
        raise BadInput(f"{file.name} is no {', '.join(_READERS)}: save the labelled texts as one of them")


def read_labelled(file: Path, *, text: str, label: str) -> tuple[list[LabelledText], int]:
    """Rows with a text and a label, and how many lacked one.

    Raises as `check_file`, and BadInput with the line where there is one for what can't be read as such rows.
    """
    lines = _rows(file, Columns([text, label]))
    rows = [LabelledText(cells[0], cells[-1]) for cells in lines if all(cells)]
    if not rows:
        raise BadInput(f"{file.name} holds no row with {text} and {label}")
    return rows, len(lines) - len(rows)


def learnable(rows: Sequence[LabelledText]) -> tuple[list[LabelledText], list[str]]:
    """The rows of labels with two different texts or more, and the other labels: of a single text nothing can be
    learned and checked."""
    texts = Counter(row.label for row in dict.fromkeys(rows))
    return [row for row in rows if texts[row.label] > 1], sorted(label for label, count in texts.items() if count < 2)


def read_outside(file: Path, *, text: str, label: str, inside: Collection[str]) -> tuple[list[str], int]:
    """Texts that none of the labels `inside` fits, and how many rows had no text; the file need not have labels.

    Raises as `read_labelled`, and BadInput for a row that has one of them.
    """
    lines = _rows(file, Columns([text], None if label == text else label))
    if own := [cells[-1] for cells in lines if len(cells) > 1 and cells[-1] in inside]:
        raise BadInput(f"{file.name} has {len(own):,} rows with a label that is learned, as {own[0]!r}; "
                       "it is for texts that no label fits: leave the others out")  # fmt: skip
    texts = [cells[0] for cells in lines if cells[0]]
    if not texts:
        raise BadInput(f"{file.name} holds no row with {text}")
    return texts, len(lines) - len(texts)


def _rows(file: Path, columns: Columns) -> list[list[str]]:
    check_file(file)
    return [[_readable(cell) for cell in cells] for cells in _READERS[_kind(file)](file, columns)]


def _kind(file: Path) -> str:
    return Path(file.stem if is_packed(file) else file.name).suffix.lower()


def _readable(cell: str | None) -> str:
    """Half of a surrogate pair, as JSON may hold, can't be compared or shown."""
    return (cell or "").encode("utf-8", "replace").decode().strip()


def _csv(file: Path, columns: Columns) -> list[Cells]:
    text = utf8_text(file)
    mark, above = _header_place(text, columns)
    records = _records(file, text, mark)
    _, first = next(islice(records, above, None), (1, []))
    if not first:
        raise BadInput(f"{file.name} is empty; its first line names the columns")
    head = [name.strip() for name in first]
    places = [_place(file, head, name) for name in columns.needed]
    if columns.optional in head:
        places.append(_place(file, head, columns.optional or ""))
    rows = []
    for line, cells in records:
        if any(cells[len(head) :]):
            raise BadInput(f"{file.name}, line {line}: has {len(cells)} cells, the first line has {len(head)}; "
                           f"put a text that holds {_NAMES.get(mark, mark)} between quotation marks")  # fmt: skip
        rows.append(tuple(cells[place] if place < len(cells) else None for place in places))
    return rows


_NAMES: Final = {",": "commas", "\t": "tabs"}


def _header_place(text: str, columns: Columns) -> tuple[str, int]:
    """The mark and how many records stand above the names; those of the first line where no line has all names."""
    for mark in MARKS:
        with suppress(csv.Error):
            records = filter(None, csv.reader(io.StringIO(text, newline=""), delimiter=mark))
            for above, cells in enumerate(islice(records, LINES_ABOVE)):
                if {name.strip() for name in cells}.issuperset(columns.needed):
                    return mark, above
    return ",", 0


def _place(file: Path, head: Sequence[str], name: str) -> int:
    if head.count(name) > 1:
        raise BadInput(f"{file.name} has the column {name!r} {head.count(name)} times; rename all but one")
    if name not in head:
        raise _no_column(file, head, name)
    return head.index(name)


def _records(file: Path, text: str, mark: str) -> Iterator[tuple[int, list[str]]]:
    """The line each record begins on and its cells, however long; a blank line is none."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    while True:
        line = lines.line_num + 1
        try:
            cells = next(lines)
        except StopIteration:
            return
        except csv.Error:
            reason = "has a quotation mark that is not closed or stands within a quoted cell"
            raise BadInput(f'{file.name}, line {line}: {reason}; close it, and write one within as ""') from None
        if cells:
            yield line, cells


def _jsonl(file: Path, columns: Columns) -> list[Cells]:
    rows, held = [], dict[str, None]()
    for number, row in json_lines(file):
        held |= dict.fromkeys(row)
        rows.append(tuple(_cell(row.get(name), f"{file.name}, line {number}: {name!r}") for name in columns.wanted))
    if not rows:
        raise BadInput(f"{file.name} is empty; each line is a JSON object")
    for name in columns.needed:
        if name not in held:
            raise _no_column(file, list(held), name)
    return rows


def _cell(value: Any, where: str) -> str | None:
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        raise BadInput(f"{where} is {kind}; give a text or a number")
    if value is None or (isinstance(value, float) and isnan(value)):
        return None
    return value if isinstance(value, str) else json.dumps(value)


def _parquet(file: Path, columns: Columns) -> list[Cells]:
    import polars as pl

    try:
        schema = pl.read_parquet_schema(file)
        for name in columns.needed:
            if name not in schema:
                raise _no_column(file, list(schema), name)
        wanted = [name for name in dict.fromkeys(columns.wanted) if name in schema]
        for name in wanted:
            if schema[name].is_nested():
                raise BadInput(f"{file.name}: {name!r} is {schema[name]}; give a text or a number")
        cells = [
            (pl.col(name).fill_nan(None) if schema[name].is_float() else pl.col(name)).cast(pl.String)
            for name in wanted
        ]
        return pl.read_parquet(file, columns=wanted).select(cells).rows()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{file.name} can't be read as Parquet ({reason}); write it anew") from error


_READERS: Final[dict[str, Callable[[Path, Columns], list[Cells]]]] = {
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".jsonl": _jsonl,
}


def _no_column(file: Path, columns: Sequence[str], name: str) -> BadInput:
    return BadInput(f"{file.name} has no column {name!r}; it has {', '.join(columns)[:500]}")
