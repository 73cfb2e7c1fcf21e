"""What every store keeps alike on SQLite and PostgreSQL: instants in UTC, exact money, rows that may be there already.

The one place of the floor that knows SQLAlchemy; stores import it, nothing else does.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl
from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeEngine

from engine.shared.errors import BadInput

ROWS_PER_TRANSACTION: Final = 500
UTC_INSTANT: Final = pl.Datetime("us", "UTC")
AMOUNT: Final = pl.Decimal(18, 4)


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


def frame_schema(table: Table) -> pl.Schema:
    """Column names as in the database; JSON stays text."""
    return pl.Schema({column.name: frame_type(column) for column in table.columns})


def frame_type(column: Column[Any]) -> pl.DataType:  # noqa: PLR0911
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
        case LargeBinary():
            return pl.Binary()
        case _:
            return pl.String()


def insert_into(table: Table, connection: Connection) -> sqlite.Insert | postgresql.Insert:
    """An INSERT of this database's own kind, which can say what becomes of a row that is there already."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
