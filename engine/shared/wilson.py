"""How sure a share is: the score interval of a proportion at 95 % (E. B. Wilson 1927, JASA 22, 209-212)."""

from typing import Final, TypeVar

import polars as pl

Z_95: Final = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""

Figures = TypeVar("Figures", float, pl.Expr)


def wilson(hits: Figures, trials: Figures) -> tuple[Figures, Figures]:
    """Lower and upper bound of hits / trials, of numbers or of columns. Without trials: NaN of columns,
    ZeroDivisionError of numbers."""
    share, square = hits / trials, Z_95 * Z_95
    middle, scale = share + square / (2 * trials), 1 + square / trials
    spread = Z_95 * (share * (1 - share) / trials + square / (4 * trials * trials)) ** 0.5
    return _clipped((middle - spread) / scale), _clipped((middle + spread) / scale)


def with_share(counted: pl.DataFrame, name: str, hits: pl.Expr, trials: pl.Expr) -> pl.DataFrame:
    """Adds the share, under this name, and its interval `low`, `high`; null where there is nothing to divide by."""
    low, high = wilson(hits.cast(pl.Float64), trials.cast(pl.Float64))
    shares = {name: hits / trials, "low": low, "high": high}
    return counted.with_columns(pl.when(trials > 0).then(value).alias(column) for column, value in shares.items())


def _clipped(bound: Figures) -> Figures:
    return bound.clip(0, 1) if isinstance(bound, pl.Expr) else min(1.0, max(0.0, bound))
