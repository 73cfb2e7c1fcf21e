"""Labelled texts as files that people keep: CSV, Parquet or JSON lines, each refused in words that say the remedy."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from engine.errors import BadInput, NotFound
from triage.product_model import LabelledText

Cells = tuple[str | None, ...]
"""What one row has in the wanted columns."""


def check_file(file: Path) -> None:
    """Before anything is read: raises NotFound without the file, BadInput for a folder or an ending not known."""
    if file.is_dir():
        raise BadInput(f"{file} is a folder; name a file in it")
    if not file.is_file():
        raise NotFound(f"There is no file {file}")
    if file.suffix.lower() not in _READERS:
        raise BadInput(f"{file.name} is no {', '.join(_READERS)}: save the labelled texts as one of them")


def read_labelled(file: Path, *, text: str, label: str | None) -> tuple[list[LabelledText], int]:
    """Rows with a text (and a label, unless None), and how many lacked one.

    Raises as `check_file`, and BadInput with the line where there is one for what can't be read as such rows.
    """
    check_file(file)
    wanted = [text] if label is None else [text, label]
    found = _READERS[file.suffix.lower()](file, wanted)
    told = [[_readable(cell) for cell in cells] for cells in found]
    rows = [LabelledText(cells[0], "" if label is None else cells[-1]) for cells in told if all(cells)]
    if not rows:
        raise BadInput(f"{file.name} holds no row with {' and '.join(wanted)}")
    return rows, len(told) - len(rows)


def _readable(cell: str | None) -> str:
    """Half of a surrogate pair, as JSON may hold, can't be compared or shown."""
    return (cell or "").encode("utf-8", "replace").decode().strip()


def _csv(file: Path, wanted: Sequence[str]) -> list[Cells]:
    records = _records(file)
    _, head = next(records, (1, []))
    if not head:
        raise BadInput(f"{file.name} is empty; its first line names the columns")
    places = [_place(file, head, name) for name in wanted]
    rows = []
    for line, cells in records:
        if any(cells[len(head) :]):
            raise BadInput(f"{file.name}, line {line}: has {len(cells)} cells, the first line has {len(head)}; "
                           "put a text that holds commas between quotation marks")  # fmt: skip
        rows.append(tuple(cells[place] if place < len(cells) else None for place in places))
    return rows


def _place(file: Path, head: Sequence[str], name: str) -> int:
    if head.count(name) > 1:
        raise BadInput(f"{file.name} has the column {name!r} {head.count(name)} times; rename all but one")
    if name in head:
        return head.index(name)
    if len(head) == 1 and (other := next((mark for mark in ";\t|" if mark in head[0]), None)):
        raise BadInput(f"{file.name} is separated by {'tabs' if other == chr(9) else repr(other)}; use commas")
    raise _no_column(file, head, name)


def _records(file: Path) -> Iterator[tuple[int, list[str]]]:
    """The line each record begins on and its cells, however long; a blank line is none."""
    text = utf8_text(file)
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
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


def _jsonl(file: Path, wanted: Sequence[str]) -> list[Cells]:
    rows, columns = [], dict[str, None]()
    for number, line in enumerate(utf8_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise BadInput(f"{file.name}, line {number}: is no JSON object; each line is one")
        columns |= dict.fromkeys(row)
        rows.append(tuple(_cell(row.get(name), f"{file.name}, line {number}: {name!r}") for name in wanted))
    if not rows:
        raise BadInput(f"{file.name} is empty; each line is a JSON object")
    for name in wanted:
        if name not in columns:
            raise _no_column(file, list(columns), name)
    return rows


def _cell(value: Any, where: str) -> str | None:
    if isinstance(value, list | dict):
        kind = "a list" if isinstance(value, list) else "an object"
        raise BadInput(f"{where} is {kind}; give a text or a number")
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _parquet(file: Path, wanted: Sequence[str]) -> list[Cells]:
    import polars as pl

    try:
        schema = pl.read_parquet_schema(file)
        for name in wanted:
            if name not in schema:
                raise _no_column(file, list(schema), name)
            if schema[name].is_nested():
                raise BadInput(f"{file.name}: {name!r} is {schema[name]}; give a text or a number")
        columns = list(dict.fromkeys(wanted))
        return pl.read_parquet(file, columns=columns).select(pl.col(columns).cast(pl.String)).rows()
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise BadInput(f"{file.name} can't be read as Parquet ({reason}); write it anew") from error


_READERS: Final[dict[str, Callable[[Path, Sequence[str]], list[Cells]]]] = {
    ".csv": _csv,
    ".parquet": _parquet,
    ".jsonl": _jsonl,
}


def _no_column(file: Path, columns: Sequence[str], name: str) -> BadInput:
    return BadInput(f"{file.name} has no column {name!r}; it has {', '.join(columns)[:500]}")


def utf8_text(file: Path) -> str:
    """Without a byte order mark. Raises BadInput with the line for another encoding."""
    try:
        content = file.read_bytes()
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{file.name}, line {line}: is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise BadInput(f"{file} can't be opened: {error.strerror}") from None
