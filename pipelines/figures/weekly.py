"""What was kept against what is wanted, all clocks together: the figures of the weekly report."""

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.queries import UNSETTLED
from pipelines.figures.selection import ALL_CLOCKS, Selection, clocks_where, id_of, value_of
from pipelines.marts import MartReader

OF_A_CUT = ("group", "product", "customer", "tier", "priority", "source", "type")
"""Dimensions whose values are compared with the target; agents are people, and no report about them."""
FEWEST = 5
"""A cut with fewer decided promises is no news."""


def against_target(reader: MartReader, dimension: str, wanted: pl.Expr, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a value of the dimension (a key of DIMENSIONS): value, id, clocks, met, breached, in_time, share_met with
    low and high, and `target`, the share `wanted` of each clock, tier and priority, by how many of them are decided."""
    value, join = value_of(dimension)
    where, values = clocks_where(chosen, reader, join)
    cells = reader.query(
        f"""SELECT {value} AS value, {id_of(dimension)} AS id, c.clock, c.tier, c.priority, count(*) AS clocks,
        count(*) FILTER (state = 'met') AS met, count(*) FILTER (state = 'breached') AS breached,
        count(*) FILTER (state IN ('on_track', 'at_risk')) AS in_time {where} GROUP BY ALL""",
        values,
    )
    decided = pl.col("met") + pl.col("breached")
    found = (
        cells.with_columns(expected=wanted * decided)
        .group_by("value", "id")
        .agg(pl.col("clocks", "met", "breached", "in_time", "expected").sum())
        .sort("value", "id")
    )
    return with_share(found, "share_met", pl.col("met"), decided).select(
        pl.exclude("expected"),
        target=pl.when(decided > 0).then(pl.col("expected") / decided),
    )


def by_week(reader: MartReader, wanted: pl.Expr, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """`against_target` of each week, oldest first: `week` (its Monday) in place of value and id, and `is_settled`."""
    weeks = against_target(reader, "week", wanted, chosen)
    return weeks.select(pl.exclude("value", "id"), week=pl.col("value").str.to_date()).with_columns(
        is_settled=(pl.col("in_time") / pl.col("clocks") < UNSETTLED) & pl.col("share_met").is_not_null()
    )


def worst_cuts(reader: MartReader, wanted: pl.Expr, chosen: Selection, *, limit: int = 6) -> pl.DataFrame:
    """The cuts below their target, of all dimensions, the furthest for sure first (from the interval's upper end);
    columns of `against_target` and `dimension`. One that is the whole lot, or has too few decided, is none."""
    frames = [
        against_target(reader, dimension, wanted, chosen).select(pl.lit(dimension).alias("dimension"), pl.all())
        for dimension in OF_A_CUT
    ]
    decided = pl.col("met") + pl.col("breached")
    is_cut = (
        (decided < decided.sum().over("dimension")) & (decided >= FEWEST) & (pl.col("share_met") < pl.col("target"))
    )
    surest = pl.col("high") - pl.col("target")
    return pl.concat(frames).filter(is_cut).sort(surest, "dimension", "value").head(limit)
