"""Kinds of columns that SQLite and PostgreSQL keep alike: instants in UTC, exact money, JSON, closed sets of words."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    MetaData,
    Numeric,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.types import TypeEngine

from engine.errors import BadInput

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    }
)


class UtcInstant(TypeDecorator[datetime]):
    """TIMESTAMPTZ on PostgreSQL; on SQLite UTC text whose order is the order in time. Refuses a naive datetime."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any]:
        return _sqlite_text if dialect.name == "sqlite" else _in_utc

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None]:  # noqa: ARG002
        return _from_sqlite if dialect.name == "sqlite" else _in_utc


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise BadInput(f"{value.isoformat()} has no time zone; an instant needs one, such as +00:00.")
    return value.astimezone(UTC)


def _sqlite_text(value: datetime | None) -> str | None:
    """`2026-07-03 08:12:00.000000`, as SQLAlchemy's own DATETIME writes it."""
    moment = _in_utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:26]


def _from_sqlite(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value).replace(tzinfo=UTC)


class Money(TypeDecorator[Decimal]):
    """An exact amount with up to four decimals; SQLite, which has no decimals, keeps it as text."""

    impl = Numeric(18, 4)
    cache_ok = True
    SCALE = Decimal("0.0001")

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else Numeric(18, 4))

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        exact = Decimal(value)
        if not exact.is_finite() or abs(exact) >= Decimal(10) ** 14 or exact != exact.quantize(self.SCALE):
            raise BadInput(f"{value} can't be kept as an amount: below 10^14, with at most four decimals.")
        return str(exact.quantize(self.SCALE)) if dialect.name == "sqlite" else exact

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:  # noqa: ARG002
        return None if value is None else Decimal(value)


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
