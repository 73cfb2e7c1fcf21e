"""What was kept against what is wanted, all clocks together: the figures of the weekly report."""

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.queries import UNSETTLED, names
from pipelines.figures.selection import ALL_CLOCKS, Selection, clocks_where, id_of, value_of
from pipelines.marts import MartReader

_KEYS = {"group": "c.group_id", "product": "p.product", "customer": "c.company_id", "source": "c.source",
         "type": "c.type"}  # fmt: skip
OF_A_CUT = (*_KEYS, "tier", "priority")
"""Dimensions whose values are compared with the target; agents are people, and no report about them."""
FEWEST = 5
"""A cut with fewer decided promises is no news."""
DECIDED = pl.col("met") + pl.col("breached")
_CELL = """c.clock, c.tier, c.priority, count(*) AS clocks, count(*) FILTER (c.state = 'met') AS met,
 count(*) FILTER (c.state = 'breached') AS breached,
 count(*) FILTER (c.state IN ('on_track', 'at_risk')) AS in_time"""


def against_target(reader: MartReader, dimension: str, wanted: pl.Expr, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a value of the dimension (a key of DIMENSIONS): value, id, clocks, met, breached, in_time, share_met with
    low and high, and `target`, the share `wanted` of each clock, tier and priority, by how many of them are decided."""
    value, join = value_of(dimension)
    where, values = clocks_where(chosen, reader, join)
    cells = reader.query(f"SELECT {value} AS value, {id_of(dimension)} AS id, {_CELL} {where} GROUP BY ALL", values)
    return _summed(cells, wanted, "value", "id")


def by_week(reader: MartReader, wanted: pl.Expr, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """`against_target` of each week, oldest first: `week` (its Monday) in place of value and id, and `is_settled`."""
    weeks = against_target(reader, "week", wanted, chosen)
    return weeks.select(pl.exclude("value", "id"), week=pl.col("value").str.to_date()).with_columns(
        is_settled=(pl.col("in_time") / pl.col("clocks") < UNSETTLED) & pl.col("share_met").is_not_null()
    )


def worst_cuts(reader: MartReader, wanted: pl.Expr, chosen: Selection, *, limit: int | None = 6) -> pl.DataFrame:
    """The cuts below their target, of all dimensions, the furthest for sure first (from the interval's upper end);
    columns of `against_target` and `dimension`. One that is the whole lot, or has too few decided, is none. None as
    limit is all of them."""
    found = _every_cut(reader, wanted, chosen)
    is_cut = (
        (DECIDED.sum().over("dimension") > DECIDED) & (DECIDED >= FEWEST) & (pl.col("share_met") < pl.col("target"))
    )
    surest = pl.col("high") - pl.col("target")
    found = found.filter(is_cut).sort(surest, "dimension", "value")
    return found if limit is None else found.head(limit)


def _every_cut(reader: MartReader, wanted: pl.Expr, chosen: Selection) -> pl.DataFrame:
    """The rows of `against_target` for each of OF_A_CUT, in one look at the clocks."""
    where, values = clocks_where(chosen, reader, "LEFT JOIN tickets p ON p.ticket = c.ticket")
    which = " ".join(f"WHEN grouping({key}) = 0 THEN '{name}'" for name, key in _KEYS.items())
    ids = ", ".join(f"CASE WHEN grouping({key}) = 0 THEN coalesce({key}, '') END" for key in _KEYS.values())
    sets = ", ".join(f"(c.clock, c.tier, c.priority, {key})" for key in _KEYS.values())
    cells = reader.query(
        f"""SELECT CASE {which} END AS dimension, coalesce({ids}) AS id, {_CELL} {where}
        GROUP BY GROUPING SETS ({sets}, (c.clock, c.tier, c.priority))""",
        values,
    )
    rest = cells.filter(pl.col("dimension").is_null())
    ranks = [rest.with_columns(dimension=pl.lit(name), id=pl.col(name)) for name in ("tier", "priority")]
    found = _summed(pl.concat([cells.drop_nulls("dimension"), *ranks]), wanted, "dimension", "id")
    named = pl.when(pl.col("dimension").is_in(["group", "customer"])).then(pl.col("id").replace(names(reader)))
    nothing = pl.when(pl.col("id") == "").then(pl.format("no {}", "dimension"))
    return found.select("dimension", pl.coalesce(nothing, named, "id").alias("value"), pl.exclude("dimension"))


def _summed(cells: pl.DataFrame, wanted: pl.Expr, *keys: str) -> pl.DataFrame:
    """Counts by clock, tier and priority as a row of the keys, with the share met and the target of its mix."""
    sums = cells.with_columns(expected=wanted * DECIDED).group_by(keys)
    found = sums.agg(pl.col("clocks", "met", "breached", "in_time", "expected").sum()).sort(keys)
    return with_share(found, "share_met", pl.col("met"), DECIDED).select(
        pl.exclude("expected"),
        target=pl.when(DECIDED > 0).then(pl.col("expected") / DECIDED),
    )
