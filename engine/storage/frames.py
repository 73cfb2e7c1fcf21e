"""Whole tables as frames, with the same columns and types from every store."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from typing import Any, NamedTuple

import polars as pl
from sqlalchemy import URL, Column, Table

from engine.shared.columns import AMOUNT, UTC_INSTANT, frame_type
from engine.shared.errors import NotFound
from engine.storage.connect import first_line, unavailable

ROWS_AT_ONCE = 20_000
SPARSE = 10**9
"""Row numbers of SQLite so far apart that going through them by number takes too long."""
Where = Mapping[str, Collection[str] | None]
After = Mapping[str, datetime]


class Fit(NamedTuple):
    """A condition on a column: what stands between it and its values, and the values."""

    column: str
    operator: str  # IN, IS NULL or >
    values: Sequence[Any] = ()


def from_database(
    url: URL,
    table: Table,
    columns: Sequence[str] | None = None,
    where: Where | None = None,
    after: After | None = None,
) -> pl.DataFrame:
    """The table, or some of it, ordered by its primary key where all of that is read. Raises Unavailable if the
    database does not answer, NotFound for a column that is not there."""
    read = _sqlite if url.get_backend_name() == "sqlite" else _postgres
    selection, fits = chosen(table, columns), wanted(table, where, after)
    raw = read(url, table, selection, fits)
    return raw.select(_cast(column.name, raw.schema[column.name], frame_type(column)) for column in selection)


def chosen(table: Table, columns: Sequence[str] | None) -> list[Column[Any]]:
    """The columns of these names, or all. Raises NotFound."""
    return list(table.columns) if columns is None else [_column(table, name) for name in columns]


def wanted(table: Table, where: Where | None, after: After | None) -> list[Fit]:
    """What the columns have to hold. Raises NotFound."""
    values = {_column(table, name).name: some for name, some in (where or {}).items()}
    words = [Fit(name, "IS NULL") if some is None else Fit(name, "IN", sorted(some)) for name, some in values.items()]
    return words + [Fit(_column(table, name).name, ">", [at.astimezone(UTC)]) for name, at in (after or {}).items()]


def _column(table: Table, name: str) -> Column[Any]:
    if name not in table.columns:
        raise NotFound(f"{table.name} has no column {name!r}; there are {', '.join(table.columns.keys())}.")
    return table.columns[name]


def _sqlite(url: URL, table: Table, columns: Sequence[Column[Any]], fits: Sequence[Fit]) -> pl.DataFrame:
    """Through Python's own sqlite3: a driver with its own copy of SQLite (ADBC has one) drops this process's file
    locks when it closes, and later writes are lost."""
    types = {column.name: _raw(column) for column in columns}
    try:
        with closing(sqlite3.connect(str(url.database))) as connection:
            connection.execute("BEGIN")
            by_rows = any(kind in (pl.Float64(), pl.Binary()) for kind in types.values())  # no text gives them back
            frame = None if by_rows else _by_columns(connection, table, columns, fits)
            frame = _by_rows(connection, table, columns, fits) if frame is None else frame
    except sqlite3.Error as error:
        raise unavailable(url, first_line(error)) from error
    keys = [column.name for column in table.primary_key]
    return frame.sort(keys) if keys and set(keys) <= set(types) else frame


def _by_rows(
    connection: sqlite3.Connection, table: Table, columns: Sequence[Column[Any]], fits: Sequence[Fit]
) -> pl.DataFrame:
    types = {column.name: _raw(column) for column in columns}
    names = ", ".join(f'"{name}"' for name in types)
    parts = [pl.DataFrame(schema=types)]
    cursor = connection.execute(f'SELECT {names} FROM "{table.name}"{_where(fits, "?")}', _as_text(fits))
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        parts.append(pl.DataFrame(list(zip(*rows, strict=True)), schema=types, orient="col"))
    return pl.concat(parts)


def _by_columns(
    connection: sqlite3.Connection, table: Table, columns: Sequence[Column[Any]], fits: Sequence[Fit]
) -> pl.DataFrame | None:
    """Several times as fast: SQLite itself strings some thousand values of a column together, parted by NUL, which the
    store never keeps in a text; a value that may be missing begins with `=`. None where that can't be done."""
    types = {column.name: _raw(column) for column in columns}
    first, last = connection.execute(f'SELECT min(rowid), max(rowid) FROM "{table.name}"').fetchone()
    if first is None or last - first > SPARSE:
        return None
    values = [f"""coalesce('=' || "{c.name}", '')""" if c.nullable else f'"{c.name}"' for c in columns]
    strung = ", ".join(f"group_concat({value}, char(0))" for value in values)
    given = _where(fits, "?") + (" AND" if fits else " WHERE")
    query = f'SELECT count(*), {strung} FROM "{table.name}"{given} rowid >= ? AND rowid < ?'
    parts = [pl.DataFrame(schema=types)]
    for start in range(first, last + 1, ROWS_AT_ONCE):
        try:
            rows, *texts = connection.execute(query, [*_as_text(fits), start, start + ROWS_AT_ONCE]).fetchone()
        except sqlite3.DataError:  # longer than one text may be
            return None
        if not rows:
            continue
        split = [pl.Series([text], dtype=pl.String()).str.split("\0").explode() for text in texts]
        if any(len(series) != rows for series in split):
            return None
        cells = [
            series.str.strip_prefix("=").set(series == "", None) if column.nullable else series
            for column, series in zip(columns, split, strict=True)
        ]
        parts.append(pl.DataFrame(cells, schema=list(types)).cast(types))  # type: ignore[arg-type]
    return pl.concat(parts)


def _values(fits: Sequence[Fit]) -> list[Any]:
    return [value for fit in fits for value in fit.values]


def _as_text(fits: Sequence[Fit]) -> list[str]:
    """As SQLite keeps them: an instant is text in UTC."""
    return [f"{v:%Y-%m-%d %H:%M:%S.%f}" if isinstance(v, datetime) else v for v in _values(fits)]


def _where(fits: Sequence[Fit], mark: str) -> str:
    """`mark` stands for a value, with its number where it has a place for one."""
    numbers, conditions = count(1), []
    for name, operator, values in fits:
        marks = ", ".join(mark.format(next(numbers)) for _ in values)
        conditions.append(f'"{name}" {operator} ' + (f"({marks})" if operator == "IN" else marks))
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _raw(column: Column[Any]) -> pl.DataType:
    """How SQLite keeps it: instants and amounts as text, booleans as 0 and 1."""
    match frame_type(column):
        case pl.Datetime() | pl.Decimal():
            return pl.String()
        case pl.Boolean():
            return pl.Int64()
        case same:
            return same


def _postgres(url: URL, table: Table, columns: Sequence[Column[Any]], fits: Sequence[Fit]) -> pl.DataFrame:
    from adbc_driver_postgresql import dbapi

    uri = url.set(drivername="postgresql").render_as_string(hide_password=False)

    names = ", ".join(
        f'"{column.name}"::text AS "{column.name}"'
        if frame_type(column) in {pl.String(), AMOUNT}
        else f'"{column.name}"'
        for column in columns
    )
    order = ", ".join(
        f'"{table.name}"."{column.name}"' + (' COLLATE "C"' if frame_type(column) == pl.String() else "")
        for column in table.primary_key
        if column in columns
    )
    query = f'SELECT {names} FROM "{table.name}"{_where(fits, "${}")}' + (f" ORDER BY {order}" if order else "")
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(query, _values(fits) or None)
            return pl.DataFrame(cursor.fetch_arrow_table())
    except dbapi.Error as error:
        raise unavailable(url, first_line(error)) from error


def _cast(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """The one place where a database's types become the frame's; SQLite hands instants over as text."""
    column = pl.col(name)
    if wanted == UTC_INSTANT and found == pl.String():
        return column.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
    if wanted == UTC_INSTANT and isinstance(found, pl.Datetime) and found.time_zone is not None:
        return column.dt.convert_time_zone("UTC").cast(UTC_INSTANT)
    return column.cast(wanted)
