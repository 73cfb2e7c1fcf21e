"""Many new rows of one table, written at once: one stream into PostgreSQL, one prepared statement for SQLite."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, exc

from engine.storage.upsert.field_merge import Row


def insert_rows(connection: Connection, table: Table, new: Sequence[Row]) -> None:
    """Insert rows that all have the same columns; the database refuses them all or none, with SQLAlchemy's errors."""
    if not new:
        return
    columns = [table.c[name] for name in new[0]]
    values = list(zip(*(_given(column, connection.dialect, new) for column in columns), strict=True))
    quoted = connection.dialect.identifier_preparer.quote
    into = f"{quoted(table.name)} ({', '.join(quoted(column.name) for column in columns)})"
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", values)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", values)


def _given(column: Column[Any], dialect: Dialect, new: Sequence[Row]) -> Iterable[Any]:
    """A column's values as its type hands them to the driver."""
    name = column.name
    values = [row[name] for row in new]
    give = column.type.dialect_impl(dialect).bind_processor(dialect)
    if give is None:
        return values
    if all(value is values[0] for value in values):  # such as the instant of recording, or nothing
        return [give(values[0])] * len(values)
    return map(give, values)


def _copy(connection: Connection, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
    from psycopg import Error

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as stream:
            for row in values:
                stream.write_row(row)
    except Error as error:
        raise exc.DBAPIError.instance(statement, None, error, Error, dialect=connection.dialect) from error
