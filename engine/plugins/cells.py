"""Cells of a foreign table become values of a ticket; a cell that can't is named with its row, column and reason."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import ValidationError

from engine.contracts import Rejected, Responses, StandardTicket
from engine.plugins import instants, listed, spreadsheet_habits
from engine.plugins.mapping import (
    ANY_OTHER,
    ENUMS,
    INSTANTS,
    LATER,
    LEVELS,
    NOTES,
    PLACES,
    ROW_NUMBER,
    VERDICTS,
    TicketMapping,
)
from engine.plugins.ports import out_of_order, storable
from engine.plugins.tables import ROW, Faulty
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong

FIELD = "\x00"
"""Marks the typed columns, `\\x00priority`, beside the file's own `Priority`."""

UPDATED = f"{FIELD}(update)"
ORDER = f"{FIELD}(order)"
PROBLEM = f"{FIELD}(problem)"
DROPPED = f"{FIELD}(dropped)"
"""`field SPLIT reason` of each later instant that was left out, with END between."""
SPLIT, END = "\x1f", "\x1e"
NOTHING = ""
"""What a word means that leaves a status as it is."""
BOOLEANS = dict.fromkeys(("true", "yes", "y", "1"), "true") | dict.fromkeys(("false", "no", "n", "0"), "false")


class Cells(NamedTuple):
    """Rows whose cells are all good, with typed columns added, and the rows that were refused."""

    frame: pl.DataFrame
    rejected: list[Rejected]


def check_columns(mapping: TicketMapping, columns: Sequence[str], origin: str | Path) -> None:
    """Raises BadInput if the mapping speaks of a column that the file does not have."""
    for field, column in mapping.columns.items():
        if field not in mapping.optional:
            check_named([column], columns, origin, key=f"columns.{field}")
    check_named(_named(mapping), columns, origin, key="updates")


def check_named(wanted: Sequence[str], columns: Sequence[str], origin: str | Path, *, key: str) -> None:
    """Raises BadInput if the file lacks one of the columns that the mapping names at this key."""
    for column in wanted:
        if column != ROW_NUMBER and column not in columns and listed.base(column) not in columns:
            raise BadInput(
                f"{origin}: there is no column {column!r}, which the mapping names at {key}; the file has "
                f"{', '.join(columns)}. Correct the mapping, or list the field under `optional`."
            )


def typed(frame: pl.DataFrame, mapping: TicketMapping, origin: str) -> Cells:
    """Adds a typed column per mapped field, and DROPPED. `frame` has text columns and ROW; a column that it lacks reads
    as null."""
    names = [name for name in frame.columns if name != ROW]
    frame, totals = _without_totals(frame, mapping)
    plain = _with_lists(_with_nulls(frame, mapping), mapping)
    readings = [_reading(field, column, plain, mapping) for field, column in mapping.columns.items()]
    readings += _update_readings(mapping)
    worked = plain.with_columns(r.value.alias(r.name) for r in readings)
    worked = worked.with_columns(_since_creation(field) for field in mapping.durations)
    if mapping.outcomes:
        worked = worked.with_columns(_outcome(worked, mapping).alias(f"{FIELD}outcome"))
    worked = _judged(worked, readings, mapping, ids=mapping.columns.get("ticket_id", ""))
    return _parted(worked, names, totals, mapping, origin)


def dated(frame: pl.DataFrame, mapping: TicketMapping, *, ticket: str, at: str, origin: str) -> Cells:
    """Rows of a ticket's history: adds the typed ticket_id and UPDATED."""
    names = [name for name in frame.columns if name != ROW]
    plain = _with_nulls(frame, mapping)
    readings = [
        _Reading(f"{FIELD}ticket_id", ticket, pl.col(ticket).str.strip_chars(), None, required=True),
        _Reading(UPDATED, at, instant(pl.col(at), mapping), None, required=True, writing=mapping.writing),
    ]
    worked = plain.with_columns(r.value.alias(r.name) for r in readings)
    return _parted(_judged(worked, readings, mapping, ids=ticket), names, [], mapping, origin)


def _parted(worked: pl.DataFrame, names: list[str], totals: list[Faulty], mapping: TicketMapping, origin: str) -> Cells:
    bad = worked.filter(pl.col(PROBLEM) != "")
    faults = [*totals, *_faults(bad.select(ROW, PROBLEM, *names), names)]
    return Cells(worked.filter(pl.col(PROBLEM) == ""), [refused(mapping, origin, fault) for fault in faults])


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The file's own cells of a typed row."""
    return {name: cell for name, cell in row.items() if not name.startswith(FIELD) and cell is not None}


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
        metadata = {c: row[c] for c in extra if row[c] is not None} | dropped(row)
        made = ticket_of(values_of(row, mapping), mapping, metadata)
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


def dropped(row: Mapping[str, Any]) -> dict[str, Any]:
    """For `external_metadata`: the later instants that were left out, each with its reason."""
    return {"dropped": dict(each.split(SPLIT, 1) for each in row[DROPPED].split(END))} if row[DROPPED] else {}


def once(
    good: pl.DataFrame, seen: dict[str, int], mapping: TicketMapping, origin: str
) -> tuple[pl.DataFrame, list[Rejected]]:
    """A ticket id counts once in a file: the first row is taken, a later one refused. `seen` has the row of each."""
    key, fresh, again = f"{FIELD}ticket_id", [], []
    for row in good.iter_rows(named=True):
        first = seen.setdefault(row[key], row[ROW])
        fresh.append(first == row[ROW])
        if first != row[ROW]:
            reason = f"column {mapping.columns['ticket_id']}: {row[key]!r} was already in row {first}"
            again.append(refused(mapping, origin, Faulty(row[ROW], reason, content_of(row))))
    return good.filter(pl.Series(fresh, dtype=pl.Boolean)), again


def ticket_of(values: Mapping[str, Any], mapping: TicketMapping, metadata: Mapping[str, Any]) -> StandardTicket | str:
    """The ticket, or why there is none; None is no value."""
    fields = {**mapping.constants, **{field: value for field, value in values.items() if value is not None}}
    place = {PLACES[name]: fields.pop(name) for name in PLACES if name in fields}
    if place:
        fields["requester_location"] = place
    if verdict := {VERDICTS[name]: fields.pop(name) for name in VERDICTS if name in fields}:
        fields["source_verdict"] = verdict
    responses = mapping.responses
    if responses == Responses.COLUMN and "first_response_at" in metadata.get("dropped", ()):
        responses = Responses.NONE
    own = {"source": mapping.source, "responses": responses, "external_metadata": dict(metadata)}
    try:
        ticket = StandardTicket(**own, **fields)
    except ValidationError as error:
        return all_wrong(error)
    return out_of_order(ticket) or ticket


def extra_columns(cells: pl.DataFrame, mapping: TicketMapping) -> list[str]:
    """The file's columns that are neither mapped nor ignored."""
    taken = set(mapping.columns.values()) | set(mapping.ignore) | set(_named(mapping))
    taken |= {listed.base(column) for column in taken}
    return [c for c in cells.columns if not c.startswith(FIELD) and _base(c) not in taken and c not in taken]


class _Reading(NamedTuple):
    """How one field is read from one column: the typed value, and what it must be if a cell is none."""

    name: str
    column: str
    value: pl.Expr
    must: str | None
    required: bool
    writing: instants.Writing | None = None

    def problem(self, frame: pl.DataFrame) -> pl.Expr:
        """Null where all is well."""
        raw = _raw(self.column, frame)
        reason: pl.Expr = pl.lit(None, pl.String)
        if self.writing is not None:
            reason = self._no_instant(frame, raw, self.writing)
        elif self.must is not None:
            wrong = pl.format(
                f"column {_braced(self.column)}: '{{}}' is not {_braced(self.must)}", raw.str.slice(0, 60)
            )
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


def _raw(column: str, frame: pl.DataFrame) -> pl.Expr:
    if column == ROW_NUMBER:
        return pl.col(ROW).cast(pl.String)
    return pl.col(column) if column in frame.columns else pl.lit(None, pl.String)


def _reading(field: str, column: str, frame: pl.DataFrame, mapping: TicketMapping) -> _Reading:
    required = field in ("ticket_id", "created_at", *mapping.required)
    value, must = _value(field, _raw(column, frame), column, frame, mapping)
    writing = mapping.writing if field in INSTANTS and field not in mapping.durations else None
    return _Reading(FIELD + field, column, value, must, required, writing)


def _judged(worked: pl.DataFrame, readings: list[_Reading], mapping: TicketMapping, *, ids: str) -> pl.DataFrame:
    """With PROBLEM, and later instants that can't be left out with the reason in DROPPED."""
    problems, drops = [_nul(worked), _damaged(worked, ids)], {}
    for reading in readings:
        field, problem = reading.name.removeprefix(FIELD), reading.problem(worked)
        if field in LATER:
            problem = pl.coalesce(problem, _early(field, worked, mapping))
        if field in LATER and not reading.required:
            drops[field] = problem
        else:
            problems.append(problem)
    reasons = [pl.concat_str(pl.lit(field + SPLIT), problem) for field, problem in drops.items()]
    judged = worked.with_columns(
        pl.concat_str(problems, separator="; ", ignore_nulls=True).alias(PROBLEM),
        pl.concat_str(reasons or [pl.lit("")], separator=END, ignore_nulls=True).alias(DROPPED),
    )
    left_out = [pl.when(problem.is_null()).then(pl.col(FIELD + f)).alias(FIELD + f) for f, problem in drops.items()]
    return judged.with_columns(left_out) if (judged[DROPPED] != "").any() else judged


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


def _update_readings(mapping: TicketMapping) -> list[_Reading]:
    updates = mapping.updates
    if updates is None:
        return []
    at = instant(pl.col(updates.at), mapping)
    readings = [_Reading(UPDATED, updates.at, at, None, required=True, writing=mapping.writing)]
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


def _since_creation(field: str) -> pl.Expr:
    return (pl.col(f"{FIELD}created_at") + pl.col(FIELD + field)).alias(FIELD + field)


def _early(field: str, frame: pl.DataFrame, mapping: TicketMapping) -> pl.Expr:
    """Why an instant lies before the creation (seed S5-11); a day without its time may be the creation's own."""
    if "created_at" not in mapping.columns:
        return pl.lit(None, pl.String)
    created, later = pl.col(f"{FIELD}created_at"), pl.col(FIELD + field)
    names = mapping.columns[field], mapping.columns["created_at"]
    raws = [_raw(name, frame) for name in names]
    before = pl.format(f"column {_braced(names[0])}: '{{}}' is before {_braced(names[1])} '{{}}'", *raws)
    local = later.dt.convert_time_zone(mapping.time_zone)
    day = pl.format(f"column {_braced(names[0])}: '{{}}' tells the day of the creation, not the time", raws[0])
    is_day = (local == local.dt.truncate("1d")) & (
        local.dt.date() == created.dt.convert_time_zone(mapping.time_zone).dt.date()
    )
    return pl.when(later < created).then(pl.when(is_day).then(day).otherwise(before))


def _damaged(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Ids of which a spreadsheet kept six digits."""
    if column not in frame.columns or not (odd := frame[column].str.contains(spreadsheet_habits.DAMAGED)).any():
        return pl.lit(None, pl.String)
    why = (
        f"column {_braced(column)}: '{{}}' is what Excel left of a longer number; export again with that column as text"
    )
    return pl.when(odd).then(pl.format(why, pl.col(column)))


def _without_totals(frame: pl.DataFrame, mapping: TicketMapping) -> tuple[pl.DataFrame, list[Faulty]]:
    column = mapping.columns.get("ticket_id", "")
    if column not in frame.columns or not (found := spreadsheet_habits.totals(frame, column, ROW)):
        return frame, []
    totals = [Faulty(row, "a row of totals, no ticket: left out", dict(content)) for row, content in found.items()]
    return frame.filter(~pl.col(ROW).is_in(list(found))), totals


def _nul(frame: pl.DataFrame) -> pl.Expr:
    names = [name for name in frame.columns if not name.startswith(FIELD)]
    found = [
        pl.when(pl.col(name).str.contains("\x00", literal=True)).then(pl.lit(f"column {name} has a NUL byte"))
        for name in names
    ]
    return pl.coalesce(found) if found else pl.lit(None, pl.String)


def _with_lists(frame: pl.DataFrame, mapping: TicketMapping) -> pl.DataFrame:
    """With the columns `labels[].name` of lists that the file has."""
    columns = {column for column in mapping.columns.values() if listed.MARK in column and column not in frame.columns}
    return frame.with_columns(
        listed.called(column) for column in sorted(columns) if listed.base(column) in frame.columns
    )


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
