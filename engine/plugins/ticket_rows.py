"""Rows of a foreign table become tickets; a row that can't is refused with its number, column and reason."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import ValidationError

from engine.contracts import Rejected, Responses, StandardTicket
from engine.plugins import listed, spreadsheet_habits
from engine.plugins.cells import (
    FIELD,
    UPDATED,
    Reading,
    braced,
    instant,
    outcome,
    raw_cell,
    reading_of,
    update_readings,
    without_number,
)
from engine.plugins.mapping import LATER, PLACES, ROW_NUMBER, VERDICTS, TicketMapping
from engine.plugins.ports import out_of_order, storable
from engine.plugins.tables import ROW, Faulty
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong

PROBLEM = f"{FIELD}(problem)"
DROPPED = f"{FIELD}(dropped)"
"""`field SPLIT reason` of each later instant that was left out, with END between."""
SPLIT, END = "\x1f", "\x1e"


class TypedRows(NamedTuple):
    """Rows whose cells are all good, with typed columns added, and the rows that were refused."""

    frame: pl.DataFrame
    rejected: list[Rejected]


def check_columns(mapping: TicketMapping, columns: Sequence[str], origin: str | Path) -> None:
    """Raises BadInput if the mapping speaks of a column that the file does not have."""
    for field, column in mapping.columns.items():
        if field not in mapping.optional:
            check_named([column], columns, origin, key=f"columns.{field}")
    check_named(_named(mapping), columns, origin, key="updates")
    check_named(mapping.personal, columns, origin, key="personal")


def check_named(wanted: Sequence[str], columns: Sequence[str], origin: str | Path, *, key: str) -> None:
    """Raises BadInput if the file lacks one of the columns that the mapping names at this key."""
    for column in wanted:
        if column != ROW_NUMBER and column not in columns and listed.base(column) not in columns:
            raise BadInput(
                f"{origin}: there is no column {column!r}, which the mapping names at {key}; the file has "
                f"{', '.join(columns)}. Correct the mapping, or list the field under `optional`."
            )


def typed(frame: pl.DataFrame, mapping: TicketMapping, origin: str) -> TypedRows:
    """Adds a typed column per mapped field, and DROPPED. `frame` has text columns and ROW; a column that it lacks reads
    as null."""
    names = [name for name in frame.columns if name != ROW]
    frame, totals = _without_totals(frame, mapping)
    plain = _with_lists(_with_nulls(frame, mapping), mapping)
    readings = [reading_of(field, column, plain, mapping) for field, column in mapping.columns.items()]
    readings += update_readings(mapping)
    worked = plain.with_columns(r.value.alias(r.name) for r in readings)
    worked = worked.with_columns(_since_creation(field) for field in mapping.durations)
    if mapping.outcomes:
        worked = worked.with_columns(outcome(worked, mapping).alias(f"{FIELD}outcome"))
    worked = _judged(worked, readings, mapping, ids=mapping.columns.get("ticket_id", ""))
    return _parted(worked, names, totals, mapping, origin)


def dated(frame: pl.DataFrame, mapping: TicketMapping, *, ticket: str, at: str, origin: str) -> TypedRows:
    """Rows of a ticket's history: adds the typed ticket_id and UPDATED."""
    names = [name for name in frame.columns if name != ROW]
    plain = _with_nulls(frame, mapping)
    readings = [
        Reading(f"{FIELD}ticket_id", ticket, pl.col(ticket).str.strip_chars(), None, required=True),
        Reading(UPDATED, at, instant(pl.col(at), mapping), None, required=True, writing=mapping.writing),
    ]
    worked = plain.with_columns(r.value.alias(r.name) for r in readings)
    return _parted(_judged(worked, readings, mapping, ids=ticket), names, [], mapping, origin)


def _parted(
    worked: pl.DataFrame, names: list[str], totals: list[Faulty], mapping: TicketMapping, origin: str
) -> TypedRows:
    bad = worked.filter(pl.col(PROBLEM) != "")
    faults = [*totals, *_faults(bad.select(ROW, PROBLEM, *names), names)]
    return TypedRows(worked.filter(pl.col(PROBLEM) == ""), [refused(mapping, origin, fault) for fault in faults])


def content_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """The file's own cells of a typed row."""
    return {name: cell for name, cell in row.items() if not name.startswith(FIELD) and cell is not None}


def personal(row: Mapping[str, Any], mapping: TicketMapping) -> dict[str, list[str]]:
    """For `external_metadata`: the values of the columns that are marked as personal."""
    values = [str(row[column]) for column in mapping.personal if row.get(column) is not None]
    return {"personal": values} if values else {}


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
        metadata = {c: row[c] for c in extra if row[c] is not None} | dropped(row) | personal(row, mapping)
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
    return [c for c in cells.columns if not c.startswith(FIELD) and without_number(c) not in taken and c not in taken]


def _judged(worked: pl.DataFrame, readings: list[Reading], mapping: TicketMapping, *, ids: str) -> pl.DataFrame:
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
    raws = [raw_cell(name, frame) for name in names]
    before = pl.format(f"column {braced(names[0])}: '{{}}' is before {braced(names[1])} '{{}}'", *raws)
    local = later.dt.convert_time_zone(mapping.time_zone)
    day = pl.format(f"column {braced(names[0])}: '{{}}' tells the day of the creation, not the time", raws[0])
    is_day = (local == local.dt.truncate("1d")) & (
        local.dt.date() == created.dt.convert_time_zone(mapping.time_zone).dt.date()
    )
    return pl.when(later < created).then(pl.when(is_day).then(day).otherwise(before))


def _damaged(frame: pl.DataFrame, column: str) -> pl.Expr:
    """Ids of which a spreadsheet kept six digits."""
    if column not in frame.columns or not (odd := frame[column].str.contains(spreadsheet_habits.DAMAGED)).any():
        return pl.lit(None, pl.String)
    why = (
        f"column {braced(column)}: '{{}}' is what Excel left of a longer number; export again with that column as text"
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


def _faults(bad: pl.DataFrame, names: list[str]) -> Iterator[Faulty]:
    for row in bad.iter_rows(named=True):
        yield Faulty(row[ROW], row[PROBLEM], {name: row[name] for name in names if row[name] is not None})


def _named(mapping: TicketMapping) -> list[str]:
    """Columns that the mapping's `updates` names."""
    u = mapping.updates
    return [c for c in (u.at, u.order, u.actor, *u.end_facts) if c is not None] if u else []
