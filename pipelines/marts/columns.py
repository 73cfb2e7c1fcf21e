"""Columns of marts with their meaning: what may stand in them, their unit, and the mart to which a key leads."""

from typing import Any

import dataframely as dy
import polars as pl

ROUNDING = 1e-9


def text(meaning: str, **rules: Any) -> dy.String:
    return dy.String(description=meaning, **rules)


def whole(meaning: str, *, unit: str | None = None, **rules: Any) -> dy.Int64:
    return dy.Int64(description=meaning, metadata=_unit(unit), **rules)


def count(meaning: str, *, unit: str = "count", **rules: Any) -> dy.Int64:
    """A whole number that is never negative: how many, or how long."""
    return whole(meaning, unit=unit, **{"min": 0} | rules)


def number(meaning: str, *, unit: str | None = None, **rules: Any) -> dy.Float64:
    return dy.Float64(description=meaning, metadata=_unit(unit), **rules)


def amount(meaning: str, *, unit: str, **rules: Any) -> dy.Float64:
    """A number that is never negative."""
    return number(meaning, unit=unit, min=0, **rules)


def share(meaning: str, *, unit: str = "share, 0 to 1", **rules: Any) -> dy.Float64:
    return number(meaning, unit=unit, min=0, max=1, **rules)


def yes_no(meaning: str, **rules: Any) -> dy.Bool:
    return dy.Bool(description=meaning, **rules)


def instant(meaning: str, **rules: Any) -> dy.Datetime:
    return dy.Datetime(time_unit="us", time_zone="UTC", description=meaning, metadata=_unit("UTC"), **rules)


def day(meaning: str, **rules: Any) -> dy.Date:
    return dy.Date(description=meaning, metadata=_unit("day of the desk's time zone"), **rules)


def ticket(*, is_published: bool = True, **rules: Any) -> dy.String:
    """A ticket's key; `is_published` if it is always one of the mart `tickets`."""
    leads = {"leads_to": "tickets"} if is_published else None
    return dy.String(
        description="Key of the ticket: its source, a colon, the source's own key.", metadata=leads, **rules
    )


def reference(**rules: Any) -> dy.String:
    return text("The ticket's number as people say it, such as INC-2026-00751.", **rules)


def low(share: str, **rules: Any) -> dy.Float64:
    return _bound("Lower", share, **rules)


def high(share: str, **rules: Any) -> dy.Float64:
    return _bound("Upper", share, **rules)


def around(share: str) -> pl.Expr:
    """Whether `low` and `high` lie around the share, but for rounding."""
    share_of = pl.col(share)
    return (pl.col("low") <= share_of + ROUNDING) & (share_of <= pl.col("high") + ROUNDING)


def _bound(which: str, name: str, **rules: Any) -> dy.Float64:
    return share(f"{which} bound of the Wilson 95 % interval of `{name}`.", **rules)


def _unit(unit: str | None) -> dict[str, str] | None:
    return None if unit is None else {"unit": unit}
