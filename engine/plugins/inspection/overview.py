"""What a file holds: its form, its columns, whose export it is, and whether it is a table, a log or a history."""

from itertools import chain
from pathlib import Path
from typing import Literal, NamedTuple

import polars as pl

from engine.plugins.inspection.columns import Column, columns_of
from engine.plugins.inspection.form import Form, form_of
from engine.plugins.inspection.vocabulary import Export, Vocabulary
from engine.plugins.tables import ROW, SUFFIXES, open_table
from engine.shared.errors import BadInput

MOST_ROWS = 100_000
"""Rows that are looked at."""

Layout = Literal["table", "log", "field history"]


class Overview(NamedTuple):
    """A file as it was found, before anything is decided."""

    path: Path
    form: Form
    rows: int
    """Rows that were looked at."""
    is_whole: bool
    """Whether these are all."""
    faulty: int
    """Rows that don't fit the header."""
    columns: list[Column]
    export: Export | None
    languages: list[str]
    """Of the headers, the likeliest first."""
    layout: Layout
    roles: dict[str, str]
    """Of a log or history: which column is which."""
    history_words: dict[str, dict[str, int]]
    """Of a field history: the words that each field had, with counts."""

    def column(self, name: str) -> Column | None:
        return next((each for each in self.columns if each.name == name), None)


def overview_of(path: Path, vocabulary: Vocabulary) -> Overview:
    """Raises BadInput for a file that is none of the forms."""
    form, parts = _one_form(path)
    frame, faulty, is_whole = _rows(parts, form)
    names = [name for name in frame.columns if name != ROW]
    export = vocabulary.export_of(names)
    columns = columns_of(frame, nulls=vocabulary.nulls_of(export), languages=vocabulary.languages_of(names))
    languages = vocabulary.languages_of(names)
    layout, roles = _layout(columns, frame.height, export, vocabulary)
    words = _history_words(frame, roles) if layout == "field history" else {}
    return Overview(path, form, frame.height, is_whole, faulty, columns, export, languages, layout, roles, words)


def _history_words(frame: pl.DataFrame, roles: dict[str, str]) -> dict[str, dict[str, int]]:
    words: dict[str, dict[str, int]] = {}
    sides = [frame.select(field=roles["field"], word=roles[side]) for side in ("from", "to") if side in roles]
    counts = pl.concat(sides).drop_nulls().group_by("field", "word", maintain_order=True).len()
    for field, word, count in counts.iter_rows():
        if word.strip():
            words.setdefault(field.strip(), {})[word.strip()] = count
    return words


def _one_form(path: Path) -> tuple[Form, list[Path]]:
    """Of a file, or of all files in a folder. Raises BadInput where they differ: a mapping describes one form."""
    if not path.is_dir():
        return form_of(path), [path]
    parts = sorted(part for part in path.iterdir() if part.name.casefold().endswith(SUFFIXES))
    if not parts:
        raise BadInput(f"{path}: the folder has no file named *{', *'.join(SUFFIXES)}")
    forms = {part: form_of(part) for part in parts}
    headers = {part: open_table(part, **form.opening()).columns for part, form in forms.items()}
    first = parts[0]
    for part in parts:
        if (forms[part].opening(), headers[part]) != (forms[first].opening(), headers[first]):
            raise BadInput(
                f"{path}: {part.name} has other columns or another form than {first.name}; inspect each by itself, "
                "and describe files that belong together under `tables` of a mapping"
            )
    return forms[first], parts


def _rows(parts: list[Path], form: Form) -> tuple[pl.DataFrame, int, bool]:
    """The rows that are not blank, how many fit no header, and whether these are all."""
    frames: list[pl.DataFrame] = []
    faulty = rows = 0
    tables = [open_table(part, **form.opening()) for part in parts]
    for batch in chain.from_iterable(table.batches() for table in tables):
        frames.append(batch.frame)
        faulty += len(batch.faulty)
        rows += batch.frame.height
        if rows >= MOST_ROWS:
            break
    empty = pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(tables[0].columns, pl.String)})
    return pl.concat(frames or [empty]), faulty, rows < MOST_ROWS


def _layout(
    columns: list[Column], rows: int, export: Export | None, vocabulary: Vocabulary
) -> tuple[Layout, dict[str, str]]:
    """A history has columns for field, from, to and instant; a log names a ticket more than once and has an instant
    and an activity, and is no known table of tickets."""
    names = {column.name for column in columns}
    roles = {role: best for role in vocabulary.log_headers if (best := _best(role, columns, vocabulary))}
    keys = [column for column in columns if vocabulary.rank("ticket_id", column.name, export) is not None]
    key = min(keys, key=lambda each: vocabulary.rank("ticket_id", each.name, export) or 0, default=None)
    if key is None or key.distinct >= rows * key.fill:
        return "table", {}
    if {"field", "to", "at"} <= set(roles):
        return "field history", {"ticket": key.name, **roles}
    if export and export.log and export.log.at in names:
        return "log", {"ticket": key.name, "at": export.log.at}
    if export is None and {"activity", "at"} <= set(roles):
        return "log", {
            "ticket": key.name,
            **{role: roles[role] for role in ("activity", "at", "actor") if role in roles},
        }
    return "table", {}


def _best(role: str, columns: list[Column], vocabulary: Vocabulary) -> str | None:
    fitting = [column for column in columns if role != "at" or column.kind in {"date", "number"}]
    ranked = [(rank, each.name) for each in fitting if (rank := vocabulary.log_role(role, each.name)) is not None]
    return min(ranked)[1] if ranked else None
