"""What a cell of a foreign table means: the value of a ticket's field, or what it must be to be one."""

import json
from collections.abc import Mapping
from typing import NamedTuple

import polars as pl

from engine.plugins import instants, listed
from engine.plugins.mapping import ANY_OTHER, ENUMS, INSTANTS, LEVELS, NOTES, ROW_NUMBER, TicketMapping
from engine.plugins.tables import ROW

FIELD = "\x00"
"""Marks the typed columns, `\\x00priority`, beside the file's own `Priority`."""
UPDATED = f"{FIELD}(update)"
ORDER = f"{FIELD}(order)"
NOTHING = ""
"""What a word means that leaves a status as it is."""
BOOLEANS = dict.fromkeys(("true", "yes", "y", "1"), "true") | dict.fromkeys(("false", "no", "n", "0"), "false")


class Reading(NamedTuple):
    """How one field is read from one column: the typed value, and what it must be if a cell is none."""

    name: str
    column: str
    value: pl.Expr
    must: str | None
    required: bool
    writing: instants.Writing | None = None

    def problem(self, frame: pl.DataFrame) -> pl.Expr:
        """Null where all is well."""
        raw = raw_cell(self.column, frame)
        reason: pl.Expr = pl.lit(None, pl.String)
        if self.writing is not None:
            reason = self._no_instant(frame, raw, self.writing)
        elif self.must is not None:
            wrong = pl.format(f"column {braced(self.column)}: '{{}}' is not {braced(self.must)}", raw.str.slice(0, 60))
            reason = pl.when(raw.is_not_null() & pl.col(self.name).is_null()).then(wrong)
        if self.required:
            empty = pl.lit(f"column {self.column} is empty and must not be")
            reason = pl.when(raw.is_null()).then(empty).otherwise(reason)
        return reason

    def _no_instant(self, frame: pl.DataFrame, raw: pl.Expr, writing: instants.Writing) -> pl.Expr:
        odd = (
            frame.filter(raw.is_not_null() & pl.col(self.name).is_null()).select(raw.unique()).to_series().drop_nulls()
        )
        if odd.is_empty():
            return pl.lit(None, pl.String)
        whys = zip(odd, instants.why_none(odd, writing), strict=True)
        reasons = {cell: f"column {self.column}: '{cell[:60]}' {why}" for cell, why in whys}
        return pl.when(pl.col(self.name).is_null()).then(
            raw.replace_strict(reasons, default=None, return_dtype=pl.String)
        )


def raw_cell(column: str, frame: pl.DataFrame) -> pl.Expr:
    if column == ROW_NUMBER:
        return pl.col(ROW).cast(pl.String)
    return pl.col(column) if column in frame.columns else pl.lit(None, pl.String)


def reading_of(field: str, column: str, frame: pl.DataFrame, mapping: TicketMapping) -> Reading:
    required = field in ("ticket_id", "created_at", *mapping.required)
    value, must = _value(field, raw_cell(column, frame), column, frame, mapping)
    writing = mapping.writing if field in INSTANTS and field not in mapping.durations else None
    return Reading(FIELD + field, column, value, must, required, writing)


def _value(
    field: str, raw: pl.Expr, column: str, frame: pl.DataFrame, mapping: TicketMapping
) -> tuple[pl.Expr, str | None]:
    """What a cell means, and what it must be to mean something."""
    if listed.MARK in column and field != "tags":
        raw = raw.map_elements(lambda text: ", ".join(_words(text, ",")), return_dtype=pl.String)
    text, table = raw.str.strip_chars(), _texts(mapping.values.get(field))
    match field:
        case _ if field in INSTANTS:
            unit = mapping.durations.get(field)
            return (instants.duration(raw, unit), f"a duration in {unit}") if unit else (instant(raw, mapping), None)
        case _ if field in ENUMS:
            words = table or {word: word for word in ENUMS[field]}
            return looked_up(raw, words), f"one of {', '.join(w for w in words if w != ANY_OTHER)}"
        case _ if field in NOTES:
            value = looked_up(raw, table or {word: word for word in NOTES[field]})
        case "vip":
            words = table or BOOLEANS
            return looked_up(raw, words) == "true", f"one of {', '.join(words)}"
        case _ if field in LEVELS:
            level = (looked_up(raw, table) if table else text).cast(pl.Int64, strict=False)
            return pl.when(level.is_between(1, 5)).then(level), "a level from 1 to 5"
        case "latitude" | "longitude":
            most = 90 if field == "latitude" else 180
            degrees = text.cast(pl.Float64, strict=False)
            return pl.when(degrees.is_between(-most, most)).then(degrees), f"degrees from -{most} to {most}"
        case "tags":
            value = _tags(column, frame, mapping)
        case "title" | "description":
            value = raw
        case _:
            value = pl.coalesce(looked_up(raw, table), text) if table else text
    return value, None


def outcome(frame: pl.DataFrame, mapping: TicketMapping) -> pl.Expr:
    """How the ticket ended: what its own column says, or else the first of `outcomes` whose word its column has."""
    found = [pl.col(f"{FIELD}outcome")] if "outcome" in mapping.columns else []
    for each in mapping.outcomes:
        if each.column in frame.columns:
            cell, word = pl.col(each.column).str.to_lowercase(), each.word.casefold()
            words = cell.str.strip_chars("[] ").str.replace_all('"', "").str.split(mapping.tag_separator)
            has_word = (cell.str.strip_chars() == word) | words.list.eval(pl.element().str.strip_chars()).list.contains(
                word
            )
            found.append(pl.when(has_word).then(pl.lit(each.outcome.value)))
    return pl.coalesce([*found, pl.lit(None, pl.String)])


def _texts(table: Mapping[str, object] | None) -> dict[str, str]:
    return {
        word: NOTHING if meaning is None else str(meaning).lower() if isinstance(meaning, bool) else str(meaning)
        for word, meaning in (table or {}).items()
    }


def looked_up(raw: pl.Expr, words: dict[str, str]) -> pl.Expr:
    """The word's meaning, whatever its case and outer blanks; `*` catches every other word, null stays null."""
    known = {key: value for key, value in words.items() if key != ANY_OTHER}
    found = raw.str.strip_chars().str.to_lowercase().replace_strict(known, default=None, return_dtype=pl.String)
    if ANY_OTHER in words:
        found = pl.when(raw.is_not_null()).then(pl.coalesce(found, pl.lit(words[ANY_OTHER])))
    return found


def instant(raw: pl.Expr, mapping: TicketMapping) -> pl.Expr:
    """UTC instant by the first format that fits (`instants.instant`)."""
    return instants.instant(raw, mapping.writing)


def update_readings(mapping: TicketMapping) -> list[Reading]:
    updates = mapping.updates
    if updates is None:
        return []
    at = instant(pl.col(updates.at), mapping)
    readings = [Reading(UPDATED, updates.at, at, None, required=True, writing=mapping.writing)]
    if updates.order is not None:
        number = pl.col(updates.order).str.strip_chars().cast(pl.Int64, strict=False)
        readings.append(Reading(ORDER, updates.order, number, "a whole number", required=False))
    return readings


def _tags(column: str, frame: pl.DataFrame, mapping: TicketMapping) -> pl.Expr:
    """All columns of that name, split by the separator, or a JSON list of words."""
    parts = [
        pl.col(name).map_elements(lambda text: _words(text, mapping.tag_separator), return_dtype=pl.List(pl.String))
        for name in frame.columns
        if name != ROW and without_number(name) == column
    ]
    if not parts:
        return pl.lit(None, pl.List(pl.String))
    return pl.concat_list([part.fill_null(pl.lit([], dtype=pl.List(pl.String))) for part in parts])


def _words(text: str, separator: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            listed = None
        if isinstance(listed, list):
            return [str(word) for word in listed if word not in (None, "")]
    return [word.strip() for word in text.split(separator) if word.strip()]


def without_number(column: str) -> str:
    """`Labels` for `Labels (2)`."""
    head, bracket, tail = column.rpartition(" (")
    return head if bracket and tail.removesuffix(")").isdigit() else column


def braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
