"""Whole tables as frames: through Arrow from the databases, with the same columns and types from every store."""

from collections.abc import Mapping, Sequence
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
    from adbc_driver_manager import Error

    try:
        if url.get_backend_name() == "sqlite":
            raw = _sqlite(str(url.database), table)
        else:
            raw = _postgres(url.set(drivername="postgresql").render_as_string(hide_password=False), table)
    except Error as error:
        where = url.render_as_string(hide_password=True)
        raise Unavailable(f"{table.name} can't be read from {where}: {str(error).splitlines()[0]}") from error
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


def _sqlite(path: str, table: Table) -> pl.DataFrame:
    from adbc_driver_sqlite import dbapi

    names = ", ".join(f'"{column.name}"' for column in table.columns)
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    with dbapi.connect(path) as connection, connection.cursor() as cursor:
        cursor.execute(f'SELECT COUNT(*) FROM "{table.name}"')
        (rows,) = cursor.fetchone() or (0,)
        # The driver guesses a column's type from its first batch and fails if later rows differ: one batch for all.
        cursor.adbc_statement.set_options(**{"adbc.sqlite.query.batch_rows": str(max(rows, 1) + 10_000)})
        cursor.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {order}')
        return _frame(cursor.fetch_arrow_table())


def _postgres(uri: str, table: Table) -> pl.DataFrame:
    from adbc_driver_postgresql import dbapi

    names = ", ".join(
        f'"{column.name}"::text AS "{column.name}"' if _type(column) in {pl.String(), AMOUNT} else f'"{column.name}"'
        for column in table.columns
    )
    order = ", ".join(
        f'"{table.name}"."{column.name}"' + (' COLLATE "C"' if _type(column) == pl.String() else "")
        for column in table.primary_key
    )
    with dbapi.connect(uri) as connection, connection.cursor() as cursor:
        cursor.execute(f'SELECT {names} FROM "{table.name}" ORDER BY {order}')
        return _frame(cursor.fetch_arrow_table())


def _frame(arrow: Any) -> pl.DataFrame:
    frame = pl.from_arrow(arrow)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _cast(name: str, found: pl.DataType, wanted: pl.DataType) -> pl.Expr:
    """The one place where a database's types become the frame's; SQLite hands instants over as text."""
    column = pl.col(name)
    if wanted == UTC_INSTANT and found == pl.String():
        return column.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", time_zone="UTC")
    if wanted == UTC_INSTANT and isinstance(found, pl.Datetime) and found.time_zone is not None:
        return column.dt.convert_time_zone("UTC").cast(UTC_INSTANT)
    return column.cast(wanted)
