"""Columns as the desk's tables name them: instants, keys, JSON, closed sets of words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKey, MetaData, String, Text

from engine.shared.columns import UtcInstant

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)


def json_column(name: str, *, required: bool = True) -> Column[Any]:
    return Column(name, JSON(none_as_null=True), nullable=not required)


def instant(name: str, *, required: bool = True, index: bool = False) -> Column[datetime]:
    return Column(name, UtcInstant(), nullable=not required, index=index)


def text(name: str, *, required: bool = True, index: bool = False) -> Column[str]:
    return Column(name, Text(), nullable=not required, index=index)


def key(name: str = "id") -> Column[str]:
    return Column(name, Text(), primary_key=True)


def ticket_key(*, required: bool = True) -> Column[str]:
    """The ticket a row belongs to; it goes when the ticket goes."""
    return Column("ticket_id", Text(), ForeignKey("tickets.id", ondelete="CASCADE"), nullable=not required, index=True)


def word(name: str, *, required: bool = True, index: bool = False) -> Column[str]:
    """A short word of a closed set; `one_of` says which."""
    return Column(name, String(50), nullable=not required, index=index)


def one_of(name: str, allowed: Iterable[str]) -> CheckConstraint:
    words = ", ".join(f"'{value}'" for value in allowed)
    return CheckConstraint(f"{name} IN ({words})", name=name)
