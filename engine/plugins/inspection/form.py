"""The form of a file: its text encoding, its dialect, the lines above its header, its sheet or list of tickets."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.plugins.json_documents import USUAL, document_records, lists_of
from engine.plugins.tables import SUFFIXES
from engine.plugins.workbooks import sheet, sheet_sizes
from engine.shared.dialect import SNIFFED, delimiters_of, likely_encoding
from engine.shared.errors import BadInput
from engine.shared.tabular import SEP_LINE, name_within, readable, text_of

LONGEST_TITLE: Final = 20
"""Rows above a header that are looked at."""


class Form(NamedTuple):
    """How a file is opened, in the words of a mapping."""

    kind: str
    """How its name ends, without `.gz` and within a `.zip`."""
    encoding: str = "utf-8"
    delimiter: str = ","
    skip_rows: int = 0
    sheet: str | None = None
    records: str | None = None
    doubts: tuple[str, ...] = ()
    """Keys of these that are a guess."""

    def opening(self) -> dict[str, Any]:
        """What differs from the usual, as keys of a mapping."""
        keys = ("encoding", "delimiter", "skip_rows", "sheet", "records")
        return {key: value for key in keys if (value := getattr(self, key)) != Form._field_defaults[key]}


def form_of(path: Path) -> Form:
    """How a file is opened. Raises BadInput for one that is none of the forms, with what to do."""
    with readable(path):
        if not path.name.casefold().endswith(SUFFIXES):
            raise BadInput(f"{path}: not a table that can be read; expected a file named *{', *'.join(SUFFIXES)}")
        if path.stat().st_size == 0:
            raise BadInput(f"{path}: the file is empty; export it again")
        kind = name_within(path).rpartition(".")[2]
    match kind:
        case "csv" | "tsv":
            return _csv(path, kind)
        case "json":
            return _json(path)
        case "xlsx" | "xls":
            return _workbook(path, kind)
    return Form(kind)


def _csv(path: Path, kind: str) -> Form:
    encoding, is_guess = likely_encoding(path)
    with readable(path, encoding), text_of(path, encoding) as stream:
        text = stream.read(SNIFFED)
    named = SEP_LINE.match(text)
    is_tabbed = kind == "tsv" and not named
    delimiter = "\t" if is_tabbed else next(iter(delimiters_of(path, encoding)), ",")
    rows = list(_numbered(text[named.end() :] if named else text, delimiter))
    return Form(kind, encoding, delimiter, _above_header(rows), doubts=("encoding",) if is_guess else ())


def _numbered(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows, each with the number of lines before it."""
    reader, before = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), 0
    for row in reader:
        yield before, row
        before = reader.line_num


def _above_header(rows: list[tuple[int, list[str]]]) -> int:
    """What stands before the first row in which as many cells as in most rows are filled, more than half of them."""
    widths = Counter(len(row) for _, row in rows if row)
    width = max(widths, key=lambda each: (widths[each], each), default=0)
    headers = (
        n for n, row in rows[:LONGEST_TITLE] if len(row) >= width and sum(map(bool, map(str.strip, row))) > width / 2
    )
    return next(headers, 0)


def _json(path: Path) -> Form:
    try:
        document_records(path)
    except BadInput:
        found = lists_of(path)
        if not found:
            raise
        usual = [at for at in found if at.rpartition(".")[2] in USUAL]
        return Form("json", records=max(usual or found, key=lambda at: found[at]), doubts=("records",))
    return Form("json")


def _workbook(path: Path, kind: str) -> Form:
    sizes = sheet_sizes(path)
    largest = max(sizes, key=lambda name: sizes[name]) if len(sizes) > 1 else None
    rows = sheet(path, largest).head(LONGEST_TITLE * 5).rows()
    above = _above_header([(number, [cell or "" for cell in row]) for number, row in enumerate(rows)])
    return Form(kind, skip_rows=above, sheet=largest, doubts=("sheet",) if largest else ())
