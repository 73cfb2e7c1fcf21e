"""When something was last written of: the latest instant that any table of the database says something was done at."""

from datetime import datetime

from sqlalchemy import Column, ColumnElement, Engine, MetaData, Table, Text, column, func, inspect, select, true

from engine.shared.columns import UtcInstant
from engine.storage.access_tables import audit_log
from engine.storage.audit import SEALED_FROM
from engine.storage.connect import reading

TO_COME = {"agreed_due_at", "next_attempt_at", "response_due_at", "trigger_at"}
"""Columns of what is to be done; the others named `at` or `…_at` are of what was."""


def last_instant(engine: Engine) -> datetime | None:
    """Over the tables of every room; None in a database that says nothing of any instant. When its schema was brought
    up to date is an instant of the machine, and none of the desk."""
    with reading(engine) as connection:
        every = inspect(connection).get_multi_columns()
        found = [
            connection.execute(select(func.max(done)).select_from(done.table).where(_is_of_the_desk(name))).scalar_one()
            for (_, name), columns in every.items()
            for done in _done_at(name, [one["name"] for one in columns]).columns
        ]
    return max((instant for instant in found if instant is not None), default=None)


def _done_at(table: str, columns: list[str]) -> Table:
    names = [name for name in columns if (name == "at" or name.endswith("_at")) and name not in TO_COME]
    return Table(table, MetaData(), *(Column(name, UtcInstant) for name in names))


def _is_of_the_desk(table: str) -> ColumnElement[bool]:
    return column("kind", Text) != SEALED_FROM if table == audit_log.name else true()
