"""Cells of a foreign table become values of a ticket; a cell that can't is named with its row, column and reason."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import ValidationError

from engine.contracts import Rejected, StandardTicket
from engine.plugins.mapping import ANY_OTHER, ENUMS, INSTANTS, LEVELS, NOTES, PLACES, VERDICTS, TicketMapping
from engine.plugins.ports import out_of_order, storable
from engine.plugins.tables import ROW, Faulty
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong

FIELD = "\x00"
"""Marks the typed columns, `\\x00priority`, beside the file's own `Priority`."""

UPDATED = f"{FIELD}(update)"
ORDER = f"{FIELD}(order)"
PROBLEM = f"{FIELD}(problem)"
ISO_LOCAL = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d")
ISO_ZONED = ("%+", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z")
BOOLEANS = dict.fromkeys(("true", "yes", "y", "1"), "true") | dict.fromkeys(("false", "no", "n", "0"), "false")


class Cells(NamedTuple):
    """Rows whose cells are all good, with typed columns added, and the rows that were refused."""

    frame: pl.DataFrame
    rejected: list[Rejected]


def check_columns(mapping: TicketMapping, columns: Sequence[str], origin: str | Path) -> None:
    """Raises BadInput if the mapping speaks of a column that the file does not have."""
    wanted = {column: f"columns.{field}" for field, column in mapping.columns.items() if field not in mapping.optional}
    if mapping.updates:
        wanted |= {c: "updates" for c in _named(mapping) if c not in wanted}
    for column, key in wanted.items():
        if column not in columns:
            raise BadInput(
                f"{origin}: there is no column {column!r}, which the mapping names at {key}; the file has "
                f"{', '.join(columns)}. Correct the mapping, or list the field under `optional`."
            )


def typed(frame: pl.DataFrame, mapping: TicketMapping, origin: str) -> Cells:
    """Adds a typed column per mapped field. `frame` has text columns and ROW; a column that it lacks reads as null."""
    plain = _with_nulls(frame, mapping)
    readings = [_reading(field, column, plain, mapping) for field, column in mapping.columns.items()]
    if mapping.updates:
        readings += _update_readings(mapping)
    worked = plain.with_columns([r.value.alias(r.name) for r in readings])
    if mapping.outcomes:
        worked = worked.with_columns(_outcome(worked, mapping).alias(f"{FIELD}outcome"))
    problems = [r.problem(worked) for r in readings] + [_nul(plain), *_early(worked, mapping)]
    worked = worked.with_columns(pl.concat_str(problems, separator="; ", ignore_nulls=True).alias(PROBLEM))
    bad = worked.filter(pl.col(PROBLEM) != "")
    names = [name for name in frame.columns if name != ROW]
    rejected = [refused(mapping, origin, row) for row in _faults(bad.select(ROW, PROBLEM, *names), names)]
    return Cells(worked.filter(pl.col(PROBLEM) == ""), rejected)


def refused(mapping: TicketMapping, origin: str, fault: Faulty) -> Rejected:
    return Rejected(
        source=mapping.source,
        origin=origin,
        row=fault.row,
        reason=fault.reason,
        content=storable(fault.content),
    )


def tickets(cells: pl.DataFrame, mapping: TicketMapping, origin: str) -> tuple[list[StandardTicket], list[Rejected]]:
    """A ticket per row of typed cells; columns that nobody mapped or ignored go to `external_metadata`."""
    extra = extra_columns(cells, mapping)
    good, bad = [], []
    for row in cells.iter_rows(named=True):
        made = ticket_of(values_of(row, mapping), mapping, {c: row[c] for c in extra if row[c] is not None})
        if isinstance(made, str):
            content = {name: row[name] for name in cells.columns if not name.startswith(FIELD)}
            bad.append(refused(mapping, origin, Faulty(row[ROW], made, content)))
        else:
            good.append(made)
    return good, bad


def values_of(row: Mapping[str, Any], mapping: TicketMapping) -> dict[str, Any]:
    """The typed values of a row by field."""
    fields = [*mapping.columns, *(["outcome"] if mapping.outcomes else [])]
    return {field: row[FIELD + field] for field in fields}


def ticket_of(values: Mapping[str, Any], mapping: TicketMapping, metadata: Mapping[str, Any]) -> StandardTicket | str:
    """The ticket, or why there is none; None is no value."""
    fields = {**mapping.constants, **{field: value for field, value in values.items() if value is not None}}
    place = {PLACES[name]: fields.pop(name) for name in PLACES if name in fields}
    if place:
        fields["requester_location"] = place
    if verdict := {VERDICTS[name]: fields.pop(name) for name in VERDICTS if name in fields}:
        fields["source_verdict"] = verdict
    own = {"source": mapping.source, "responses": mapping.responses, "external_metadata": dict(metadata)}
    try:
        ticket = StandardTicket(**own, **fields)
    except ValidationError as error:
        return all_wrong(error)
    return out_of_order(ticket) or ticket


def extra_columns(cells: pl.DataFrame, mapping: TicketMapping) -> list[str]:
    """The file's columns that are neither mapped nor ignored."""
    taken = set(mapping.columns.values()) | set(mapping.ignore) | set(_named(mapping))
    return [c for c in cells.columns if not c.startswith(FIELD) and _base(c) not in taken and c not in taken]


class _Reading(NamedTuple):
    """How one field is read from one column: the typed value, and what it must be if a cell is none."""

    name: str
    column: str
    value: pl.Expr
    must: str | None
    required: bool

    def problem(self, frame: pl.DataFrame) -> pl.Expr:
        """Null where all is well."""
        raw = pl.col(self.column) if self.column in frame.columns else pl.lit(None, pl.String)
        reason: pl.Expr = pl.lit(None, pl.String)
        if self.must is not None:
            wrong = pl.format(
                f"column {_braced(self.column)}: '{{}}' is not {_braced(self.must)}", raw.str.slice(0, 60)
            )
            reason = pl.when(raw.is_not_null() & pl.col(self.name).is_null()).then(wrong)
        if self.required:
            empty = pl.lit(f"column {self.column} is empty and must not be")
            reason = pl.when(raw.is_null()).then(empty).otherwise(reason)
        return reason


def _reading(field: str, column: str, frame: pl.DataFrame, mapping: TicketMapping) -> _Reading:
    raw = pl.col(column) if column in frame.columns else pl.lit(None, pl.String)
    value, must = _value(field, raw, column, frame, mapping)
    return _Reading(FIELD + field, column, value, must, field in mapping.required)


def _value(
    field: str, raw: pl.Expr, column: str, frame: pl.DataFrame, mapping: TicketMapping
) -> tuple[pl.Expr, str | None]:
    """What a cell means, and what it must be to mean something."""
    text, table = raw.str.strip_chars(), _texts(mapping.values.get(field))
    match field:
        case _ if field in INSTANTS:
            return instant(raw, mapping), _dates_must(mapping)
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


def _outcome(frame: pl.DataFrame, mapping: TicketMapping) -> pl.Expr:
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
        word: str(meaning).lower() if isinstance(meaning, bool) else str(meaning)
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
    """UTC instant by the first format that fits; local times are in the mapping's zone.

    An hour that a clock change repeats means its first pass; one that it skips, and years outside 1970–2199, are null.
    """
    text, found = raw.str.strip_chars(), []
    for form in mapping.dates:
        match form:
            case "iso":
                found += [_zoned(text, f) for f in ISO_ZONED] + [_local(text, f, mapping.time_zone) for f in ISO_LOCAL]
            case "epoch_s" | "epoch_ms":
                number = text.cast(pl.Int64, strict=False)
                millis = number * 1000 if form == "epoch_s" else number
                within = pl.when(number.is_between(0, 10**13) & (millis < 10**13)).then(millis)
                found.append((within * 1000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
            case _ if any(code in form for code in ("%z", "%:z", "%#z", "%+")):
                found.append(_zoned(text, form))
            case _:
                found.append(_local(text, form, mapping.time_zone))
    moment = pl.coalesce(found)
    return pl.when(moment.dt.year().is_between(1970, 2199)).then(moment)


def _zoned(text: pl.Expr, form: str) -> pl.Expr:
    return text.str.strptime(pl.Datetime("us", "UTC"), form, strict=False)


def _local(text: pl.Expr, form: str, zone: str) -> pl.Expr:
    naive = text.str.strptime(pl.Datetime("us"), form, strict=False)
    within = pl.when(naive.dt.year().is_between(1970, 2199)).then(naive)
    return within.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone("UTC")


def _dates_must(mapping: TicketMapping) -> str:
    return f"an instant written as {' or '.join(mapping.dates)} in {mapping.time_zone}"


def _update_readings(mapping: TicketMapping) -> list[_Reading]:
    updates = mapping.updates
    if updates is None:
        return []
    at = instant(pl.col(updates.at), mapping)
    readings = [_Reading(UPDATED, updates.at, at, _dates_must(mapping), required=True)]
    if updates.order is not None:
        number = pl.col(updates.order).str.strip_chars().cast(pl.Int64, strict=False)
        readings.append(_Reading(ORDER, updates.order, number, "a whole number", required=False))
    return readings


def _with_nulls(frame: pl.DataFrame, mapping: TicketMapping) -> pl.DataFrame:
    names = [name for name in frame.columns if name != ROW and mapping.nulls]
    return frame.with_columns(
        pl.when(~pl.col(name).str.strip_chars().is_in(list(mapping.nulls))).then(pl.col(name)).alias(name)
        for name in names
    )


def _early(frame: pl.DataFrame, mapping: TicketMapping) -> Iterator[pl.Expr]:
    """Instants before the creation (seed S5-11)."""
    if "created_at" not in mapping.columns:
        return
    for field in INSTANTS[1:]:
        if field in mapping.columns:
            created, later = mapping.columns["created_at"], mapping.columns[field]
            raws = [pl.col(c) if c in frame.columns else pl.lit(None, pl.String) for c in (later, created)]
            reason = pl.format(f"column {_braced(later)}: '{{}}' is before {_braced(created)} '{{}}'", *raws)
            yield pl.when(pl.col(FIELD + field) < pl.col(f"{FIELD}created_at")).then(reason)


def _nul(frame: pl.DataFrame) -> pl.Expr:
    names = [name for name in frame.columns if name != ROW]
    found = [
        pl.when(pl.col(name).str.contains("\x00", literal=True)).then(pl.lit(f"column {name} has a NUL byte"))
        for name in names
    ]
    return pl.coalesce(found) if found else pl.lit(None, pl.String)


def _tags(column: str, frame: pl.DataFrame, mapping: TicketMapping) -> pl.Expr:
    """All columns of that name, split by the separator, or a JSON list of words."""
    parts = [
        pl.col(name).map_elements(lambda text: _words(text, mapping.tag_separator), return_dtype=pl.List(pl.String))
        for name in frame.columns
        if name != ROW and _base(name) == column
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


def _faults(bad: pl.DataFrame, names: list[str]) -> Iterator[Faulty]:
    for row in bad.iter_rows(named=True):
        yield Faulty(row[ROW], row[PROBLEM], {name: row[name] for name in names if row[name] is not None})


def _named(mapping: TicketMapping) -> list[str]:
    """Columns that the mapping's `updates` names."""
    u = mapping.updates
    return [c for c in (u.at, u.order, u.actor, *u.end_facts) if c is not None] if u else []


def _base(column: str) -> str:
    """`Labels` for `Labels (2)`."""
    head, bracket, tail = column.rpartition(" (")
    return head if bracket and tail.removesuffix(")").isdigit() else column


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
