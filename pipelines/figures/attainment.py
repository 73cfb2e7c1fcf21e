"""What was kept against what is wanted: by week, by the values of any dimension, and all promises together."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from engine.shared.wilson import wilson, with_share
from pipelines.figures.queries import UNSETTLED, names
from pipelines.figures.selection import ALL_CLOCKS, COUNTING, Selection, clocks_where, id_of, value_of
from pipelines.marts import MartReader

_KEYS = {"group": "c.group_id", "product": "p.product", "customer": "c.company_id", "source": "c.source",
         "type": "c.type"}  # fmt: skip
OF_A_CUT = (*_KEYS, "tier", "priority")
"""Dimensions whose values are compared with the target; agents are people, and no report about them."""
FEWEST = 5
"""A cut with fewer decided promises is no news."""
DECIDED = pl.col("met") + pl.col("breached")
COUNTS: Mapping[str, pl.Expr] = {
    "clocks": pl.col("counts") & (pl.col("state") != "not_measured"),
    "met": pl.col("counts") & (pl.col("state") == "met"),
    "breached": pl.col("counts") & (pl.col("state") == "breached"),
    "in_time": pl.col("counts") & pl.col("state").is_in(["on_track", "at_risk"]),
    "not_measured": pl.col("counts") & (pl.col("state") == "not_measured"),
    "left_out": ~pl.col("counts"),
}
"""What is counted of windows of which something was promised, by `counts` and `state`."""
PROMISED = "c.state NOT IN ('no_target', 'no_clock')"
_CELL = "c.clock, c.tier, c.priority, c.state, c.counts, count(*) AS windows"


class Together(NamedTuple):
    """All promises of a selection: how many by how they stand, the share met of the decided ones (None without any)
    with its 95 % interval, and the target of their mix."""

    clocks: int
    met: int
    breached: int
    in_time: int
    not_measured: int
    left_out: int
    share: float | None
    low: float | None
    high: float | None
    target: float | None

    @property
    def decided(self) -> int:
        return self.met + self.breached

    @property
    def at_best(self) -> float | None:
        """The share if all that run in time are met."""
        return (self.met + self.in_time) / self.clocks if self.clocks else None

    @property
    def is_settled(self) -> bool:
        """Fewer than UNSETTLED of them still run in time: before, the share is too low."""
        return bool(self.decided) and self.in_time / self.clocks < UNSETTLED


def against_target(
    reader: MartReader,
    dimension: str,
    wanted: pl.Expr,
    chosen: Selection = ALL_CLOCKS,
    *,
    by_clock: bool = False,
    with_uncounted: bool = False,
) -> pl.DataFrame:
    """One row a value of the dimension (a key of DIMENSIONS, or `clock`), of each clock if asked: value, id, COUNTS,
    share_met with low and high, and `target`, the share `wanted` of each clock, tier and priority, by how many of them
    are decided. What counts in no share (`not_measured`, `left_out`) has rows of its own only `with_uncounted`."""
    value, join = value_of(dimension)
    where, values = clocks_where(chosen, reader, join)
    cells = reader.query(
        f"SELECT {value} AS value, {id_of(dimension)} AS id, {_CELL} {_promised(where)} GROUP BY ALL", values
    )
    found = _summed(cells, wanted, ["value", "id", *(["clock"] if by_clock else [])])
    return found if with_uncounted else found.filter(pl.col("clocks") > 0)


def worst_cuts(reader: MartReader, wanted: pl.Expr, chosen: Selection, *, limit: int = 6) -> pl.DataFrame:
    """The cuts below their target, of all dimensions, the furthest for sure first (from the interval's upper end);
    columns of `against_target` and `dimension`. One that is the whole lot, or has too few decided, is none."""
    where, values = clocks_where(chosen, reader, "LEFT JOIN tickets p ON p.ticket = c.ticket")
    cells = reader.query(
        f"""SELECT CASE {" ".join(f"WHEN grouping({key}) = 0 THEN '{name}'" for name, key in _KEYS.items())} END
        AS dimension, coalesce({
            ", ".join(f"CASE WHEN grouping({key}) = 0 THEN coalesce({key}, '') END" for key in _KEYS.values())
        }) AS id, {_CELL} {_promised(where)} GROUP BY GROUPING SETS
        ({", ".join(f"(c.clock, c.tier, c.priority, c.state, c.counts, {key})" for key in _KEYS.values())},
        (c.clock, c.tier, c.priority, c.state, c.counts))""",
        values,
    )
    rest = cells.filter(pl.col("dimension").is_null())
    ranks = [rest.with_columns(dimension=pl.lit(name), id=pl.col(name)) for name in ("tier", "priority")]
    every = pl.concat([cells.drop_nulls("dimension"), *ranks])
    found = _summed(every, wanted, ["dimension", "id"]).filter(pl.col("clocks") > 0)
    name = pl.when(pl.col("dimension").is_in(["group", "customer"])).then(pl.col("id").replace(names(reader)))
    nothing = pl.when(pl.col("id") == "").then(pl.format("no {}", "dimension"))
    found = found.with_columns(value=pl.coalesce(nothing, name, "id"))
    is_cut = (
        (DECIDED.sum().over("dimension") > DECIDED) & (DECIDED >= FEWEST) & (pl.col("share_met") < pl.col("target"))
    )
    surest = pl.col("high") - pl.col("target")
    return found.filter(is_cut).sort(surest, "dimension", "value").head(limit)


def together(found: pl.DataFrame) -> Together:
    """The rows of `against_target` as one lot."""
    expected = (pl.col("target") * DECIDED).sum() / DECIDED.sum()
    row = found.select(pl.col(*COUNTS).sum(), target=expected)
    return Together(*with_share(row, "share_met", pl.col("met"), DECIDED).select(
        *COUNTS, "share_met", "low", "high", pl.when(DECIDED > 0).then("target")
    ).row(0))  # fmt: skip


def by_week(reader: MartReader, wanted: pl.Expr, chosen: Selection = ALL_CLOCKS) -> pl.DataFrame:
    """One row a week (its Monday) and clock, the oldest first: the columns of `against_target` with `week`,
    `share_at_best` (if all that run in time are met) and `is_settled`."""
    return _weeks(against_target(reader, "week", wanted, chosen, by_clock=True), ["week", "clock"])


def weeks_together(found: pl.DataFrame) -> pl.DataFrame:
    """The rows of `by_week` with all clocks of a week as one."""
    summed = found.with_columns(expected=pl.col("target").fill_null(0) * DECIDED)
    sums = summed.group_by("value", "id").agg(pl.col(*COUNTS, "expected").sum())
    return _weeks(_with_target(sums), ["week"])


def before(reader: MartReader, chosen: Selection) -> Selection | None:
    """The same in the period before; None without one, and where the data begin after its first day."""
    earlier = chosen.before()
    first: datetime | None = reader.query("SELECT min(created_at) AS first FROM tickets").item()
    if earlier is None or first is None:
        return None
    begins = first.astimezone(ZoneInfo(reader.publication.time_zone)).date()
    return earlier if earlier.period.first is not None and begins <= earlier.period.first else None


def change(now: tuple[int, int], then: tuple[int, int]) -> tuple[float, float, float]:
    """How much higher a share is than another, each as (hits, trials) of at least one trial, and its 95 % interval.

    Method 10 of R. G. Newcombe 1998, Statistics in Medicine 17, 873-890, from the two Wilson intervals.
    """
    share, earlier = now[0] / now[1], then[0] / then[1]
    low, high = wilson(float(now[0]), float(now[1]))
    earlier_low, earlier_high = wilson(float(then[0]), float(then[1]))
    less = ((share - low) ** 2 + (earlier_high - earlier) ** 2) ** 0.5
    more = ((high - share) ** 2 + (earlier - earlier_low) ** 2) ** 0.5
    return share - earlier, share - earlier - less, share - earlier + more


def _promised(where: str) -> str:
    """The windows that count and those that don't."""
    return where.replace(COUNTING, PROMISED, 1)


def _summed(cells: pl.DataFrame, wanted: pl.Expr, keys: list[str]) -> pl.DataFrame:
    """Windows by clock, tier, priority, state and counts, summed to a row of the keys."""
    counts = {name: pl.col("windows").filter(which).sum() for name, which in COUNTS.items()}
    cell = [*keys, *(name for name in ("clock", "tier", "priority") if name not in keys)]
    summed = cells.group_by(cell).agg(**counts).with_columns(expected=wanted * DECIDED).group_by(keys)
    return _with_target(summed.agg(pl.col(*COUNTS, "expected").sum())).sort(keys)


def _with_target(sums: pl.DataFrame) -> pl.DataFrame:
    found = with_share(sums, "share_met", pl.col("met"), DECIDED)
    return found.select(pl.exclude("expected"), target=pl.when(DECIDED > 0).then(pl.col("expected") / DECIDED))


def _weeks(found: pl.DataFrame, order: list[str]) -> pl.DataFrame:
    running = pl.col("in_time") / pl.col("clocks")
    return found.with_columns(
        week=pl.col("value").str.to_date(),
        share_at_best=(pl.col("met") + pl.col("in_time")) / pl.col("clocks"),
        is_settled=(running < UNSETTLED) & pl.col("share_met").is_not_null(),
    ).sort(order)
