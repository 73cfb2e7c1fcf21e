"""Many new rows of one table, written at once: one stream into PostgreSQL, one prepared statement for SQLite."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Dialect, Table, exc

from engine.storage.merge import Row

Given = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, new: Sequence[Row]) -> None:
    """Insert rows that all have the same columns; the database refuses them all or none, with SQLAlchemy's errors."""
    if not new:
        return
    columns = [table.c[name] for name in new[0]]
    givers = [(column.name, _giver(column, connection.dialect)) for column in columns]
    values = [tuple(give(row[name]) if give else row[name] for name, give in givers) for row in new]
    quoted = connection.dialect.identifier_preparer.quote
    into = f"{quoted(table.name)} ({', '.join(quoted(column.name) for column in columns)})"
    if connection.dialect.name == "postgresql":
        _copy(connection, f"COPY {into} FROM STDIN", values)
    else:
        marks = ", ".join("?" * len(columns))
        connection.exec_driver_sql(f"INSERT INTO {into} VALUES ({marks})", values)


def _giver(column: Column[Any], dialect: Dialect) -> Given | None:
    """How the column's type hands a Python value to the driver; None where it takes it as it is."""
    return column.type.dialect_impl(dialect).bind_processor(dialect)


def _copy(connection: Connection, statement: str, values: Sequence[tuple[Any, ...]]) -> None:
    from psycopg import Error

    driver: Any = connection.connection.driver_connection
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as stream:
            for row in values:
                stream.write_row(row)
    except Error as error:
        raise exc.DBAPIError.instance(statement, None, error, Error, dialect=connection.dialect) from error
