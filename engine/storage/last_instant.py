"""When something was last written of: the latest instant that any table of the database says something was done at."""

from datetime import datetime

from sqlalchemy import Column, Engine, MetaData, Table, func, inspect, select

from engine.shared.columns import UtcInstant
from engine.storage.connect import reading

TO_COME = {"agreed_due_at", "next_attempt_at", "response_due_at", "trigger_at"}
"""Columns of what is to be done; the others named `at` or `…_at` are of what was."""


def last_instant(engine: Engine) -> datetime | None:
    """Over the tables of every room; None in a database that says nothing of any instant."""
    with reading(engine) as connection:
        every = inspect(connection).get_multi_columns()
        found = [
            connection.execute(select(func.max(column)).select_from(column.table)).scalar_one()
            for (_, name), columns in every.items()
            for column in _done_at(name, [one["name"] for one in columns]).columns
        ]
    return max((instant for instant in found if instant is not None), default=None)


def _done_at(table: str, columns: list[str]) -> Table:
    names = [name for name in columns if (name == "at" or name.endswith("_at")) and name not in TO_COME]
    return Table(table, MetaData(), *(Column(name, UtcInstant) for name in names))
