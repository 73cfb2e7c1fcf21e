"""What a column of a table holds: how much, of which kind, which words, and instants in which writing."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple

import polars as pl

from engine.plugins import instants
from engine.plugins.inspection.dates import DateColumn, date_column
from engine.plugins.tables import ROW

FEW_WORDS = 40
"""Distinct words up to which a column is taken for one of words."""
SAMPLES = 3
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_BOOLEANS = {"true", "false", "yes", "no", "0", "1", "ja", "nein", "sí", "si", "não", "oui", "non", "sim"}


class Column(NamedTuple):
    """A column as it is found. `kind` is empty, date, number, boolean, word, list or text."""

    name: str
    kind: str
    fill: float
    """Share of the rows that hold something."""
    distinct: int
    samples: tuple[str, ...]
    words: dict[str, int]
    """How often each word stands there, the most frequent first; empty where there are too many to be words."""
    dates: DateColumn | None
    nulls: tuple[str, ...] = ()
    """Cells that mean nothing, as they are written."""


def columns_of(frame: pl.DataFrame, *, nulls: Sequence[str], languages: Sequence[str]) -> list[Column]:
    """Every column of a frame of text; `nulls` are cells that mean nothing, whatever their case, `languages` those
    in which months are looked for first."""
    meaningless = {word.casefold() for word in nulls}
    return [_column(frame[name], meaningless, languages) for name in frame.columns if name != ROW]


def _column(series: pl.Series, nulls: set[str], languages: Sequence[str]) -> Column:
    found = Counter(cell.strip() for cell in series.drop_nulls().to_list())
    counts = Counter({cell: count for cell, count in found.items() if cell.casefold() not in nulls})
    samples = tuple(islice(counts, SAMPLES))
    filled = sum(counts.values())
    dates = date_column(counts, fits=fits, languages=languages)
    kind = _kind(counts, dates)
    words = dict(counts.most_common()) if _are_words(counts, filled, kind) else {}
    return Column(
        series.name,
        kind,
        filled / max(len(series), 1),
        len(counts),
        samples,
        words,
        dates,
        tuple(sorted(set(found) - set(counts))),
    )


def _kind(counts: Counter[str], dates: DateColumn | None) -> str:
    if not counts:
        return "empty"
    if dates is not None:
        return "date"
    if all(cell.casefold() in _BOOLEANS for cell in counts):
        return "boolean"
    if all(_NUMBER.fullmatch(cell) for cell in counts):
        return "number"
    if all(map(_is_list, counts)):
        return "list"
    return "word" if _are_words(counts, sum(counts.values()), "word") else "text"


def _is_list(cell: str) -> bool:
    try:
        return cell.startswith("[") and isinstance(json.loads(cell), list)
    except ValueError:
        return False


def _are_words(counts: Counter[str], filled: int, kind: str) -> bool:
    few = len(counts) <= FEW_WORDS and (len(counts) * 2 <= filled or len(counts) <= 12)
    return kind in {"word", "boolean", "number"} and few and max(map(len, counts), default=0) <= 60


def fits(form: str, some: Sequence[str]) -> list[bool]:
    """Which cells a format of a mapping reads, as ingest would."""
    at = instants.instant(pl.col("cell"), instants.Writing((form,), "UTC"))
    return pl.DataFrame({"cell": list(some)}, schema={"cell": pl.String}).select(at.is_not_null()).to_series().to_list()
