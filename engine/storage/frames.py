"""Whole tables as frames, with the same columns and types from every store."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import polars as pl
from sqlalchemy import JSON, URL, Boolean, Column, DateTime, Float, Integer, Table

from engine.errors import Unavailable
from engine.storage.columns import Money, UtcInstant
from engine.storage.text import as_json

UTC_INSTANT = pl.Datetime("us", "UTC")
AMOUNT = pl.Decimal(18, 4)


def schema(table: Table) -> pl.Schema:
    """Column names as in the database; JSON stays text."""
    return pl.Schema({column.name: _type(column) for column in table.columns})


def from_database(url: URL, table: Table) -> pl.DataFrame:
    """The table ordered by its primary key. Raises Unavailable if the database does not answer."""
    raw = (_sqlite if url.get_backend_name() == "sqlite" else _postgres)(url, table)
    return raw.select(_cast(name, raw.schema[name], wanted) for name, wanted in schema(table).items())


def from_rows(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The same frame from rows of Python values; lists and dicts of JSON columns are written as text."""
    json = {column.name for column in table.columns if isinstance(column.type, JSON)}
    keys = [column.name for column in table.primary_key]
    plain = [
        {name: as_json(value) if name in json and value is not None else value for name, value in row.items()}
        for row in sorted(rows, key=lambda row: [row[name] for name in keys])
    ]
    return pl.DataFrame(plain, schema=schema(table), orient="row")


def _type(column: Column[Any]) -> pl.DataType:
    match column.type:
        case UtcInstant() | DateTime():
            return UTC_INSTANT
        case Boolean():
            return pl.Boolean()
        case Integer():
            return pl.Int64()
        case Float():
            return pl.Float64()
        case Money():
            return AMOUNT
        case _:
            return pl.String()


def _sqlite(url: URL, table: Table) -> pl.DataFrame:
    """Through Python's own sqlite3: a driver with its own copy of SQLite (ADBC has one) drops this process's file
    locks when it closes, and later writes are lost."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    try:
        with closing(sqlite3.connect(str(url.database))) as connection:
            rows = connection.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {order}').fetchall()
    except sqlite3.Error as error:
        raise _unreadable(url, table, error) from error
    return pl.DataFrame(rows, schema={column.name: _raw(column) for column in table.columns}, orient="row")


def _raw(column: Column[Any]) -> pl.DataType:
    """How SQLite keeps it: instants and amounts as text, booleans as 0 and 1."""
    match _type(column):
        case pl.Datetime() | pl.Decimal():
            return pl.String()
        case pl.Boolean():
            return pl.Int64()
        case kept:
            return kept


def _postgres(url: URL, table: Table) -> pl.DataFrame:
    from adbc_driver_postgresql import dbapi

    uri = url.set(drivername="postgresql").render_as_string(hide_password=False)

    names = ", ".join(
        f'"{column.name}"::text AS "{column.name}"' if _type(column) in {pl.String(), AMOUNT} else f'"{column.name}"'
        for column in table.columns
    )
    order = ", ".join(
        f'"{table.name}"."{column.name}"' + (' COLLATE "C"' if _type(column) == pl.String() else "")
        for column in table.primary_key
    )
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {order}')
            return pl.DataFrame(cursor.fetch_arrow_table())
    except dbapi.Error as error:
        raise _unreadable(url, table, error) from error


def _unreadable(url: URL, table: Table, error: Exception) -> Unavailable:
    where = url.render_as_string(hide_password=True)
    return Unavailable(f"{table.name} can't be read from {where}: {str(error).splitlines()[0]}")


def _cast(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """The one place where a database's types become the frame's; SQLite hands instants over as text."""
    column = pl.col(name)
    if wanted == UTC_INSTANT and found == pl.String():
        return column.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
    if wanted == UTC_INSTANT and isinstance(found, pl.Datetime) and found.time_zone is not None:
        return column.dt.convert_time_zone("UTC").cast(UTC_INSTANT)
    return column.cast(wanted)
