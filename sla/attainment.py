"""Did we keep our promises: shares met with their uncertainty, and how long answers and solutions took."""

from collections.abc import Sequence

import polars as pl

from sla.contracts import Clock, State

Z_95 = 1.959963984540054
"""The normal quantile of a two-sided 95 % interval."""

ALL = "all"
"""The dimension (and value) of the row over everything."""

ATTAINMENT = pl.Schema(
    {
        "clock": pl.String(),
        "dimension": pl.String(),
        "value": pl.String(),
        "clocks": pl.Int64(),  # with a promise; = met + breached + at_risk + running
        "met": pl.Int64(),
        "breached": pl.Int64(),  # stopped late, or running and late
        "at_risk": pl.Int64(),
        "running": pl.Int64(),  # on track
        "share_met": pl.Float64(),  # met / (met + breached); null while nothing is decided
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


def attainment(clocks: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Per clock, over all and per value of each dimension: the frame `ATTAINMENT`.

    `clocks` is the frame `contracts.CLOCKS` with the dimensions joined to it. Every window counts, a reopened ticket's
    first one too; clocks without a promise don't. `low` and `high` are the Wilson score interval at 95 %
    (E. B. Wilson 1927). A missing value reads as "unknown".
    """
    promised = clocks.with_columns(pl.col("clock", "state").cast(pl.String)).filter(
        ~pl.col("state").is_in([State.NO_TARGET.value, State.NO_CLOCK.value])
    )
    cuts = [(ALL, pl.lit(ALL)), *((d, pl.col(d).cast(pl.String).fill_null("unknown")) for d in dimensions)]
    parts = [
        promised.group_by("clock", value=value).agg(
            clocks=pl.len(),
            met=_count(State.MET),
            breached=_count(State.BREACHED),
            at_risk=_count(State.AT_RISK),
            running=_count(State.ON_TRACK),
            dimension=pl.lit(name).first(),
        )
        for name, value in cuts
    ]
    low, high = wilson(pl.col("met"), pl.col("met") + pl.col("breached"))
    share = pl.col("met") / (pl.col("met") + pl.col("breached"))
    decided = pl.col("met") + pl.col("breached") > 0
    table = pl.concat(parts).with_columns(
        share_met=pl.when(decided).then(share), low=pl.when(decided).then(low), high=pl.when(decided).then(high)
    )
    order = {name: i for i, (name, _) in enumerate(cuts)}
    return table.sort("clock", pl.col("dimension").replace_strict(order, return_dtype=pl.Int64), "value").select(
        [pl.col(name).cast(dtype) for name, dtype in ATTAINMENT.items()]
    )


def wilson(successes: pl.Expr, trials: pl.Expr, z: float = Z_95) -> tuple[pl.Expr, pl.Expr]:
    """Lower and upper bound of a share; undefined (NaN) without trials."""
    share, square = successes / trials, z * z
    middle = share + square / (2 * trials)
    spread = (share * (1 - share) / trials + square / (4 * trials * trials)).sqrt() * z
    scale = 1 + square / trials
    return ((middle - spread) / scale).clip(0, 1), ((middle + spread) / scale).clip(0, 1)


def times(clocks: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Mean and median time to acknowledge (first response) and to resolve, per clock and all given dimensions together.

    One row per clock and combination: `stopped`, and in seconds `mean_business`, `median_business` (counted time, where
    a target was promised) and `mean_wall`, `median_wall` (from start to stop). Only windows that were stopped count.
    """
    stopped = clocks.with_columns(pl.col("clock").cast(pl.String)).filter(
        pl.col("stopped_at").is_not_null() & (pl.col("clock") != Clock.NEXT_RESPONSE.value)
    )
    wall = (pl.col("stopped_at") - pl.col("window_start")).dt.total_seconds()
    return (
        stopped.group_by("clock", *dimensions)
        .agg(
            stopped=pl.len().cast(pl.Int64),
            mean_business=pl.col("elapsed").mean(),
            median_business=pl.col("elapsed").median(),
            mean_wall=wall.mean(),
            median_wall=wall.median(),
        )
        .sort("clock", *dimensions)
    )


def overall(clocks: pl.DataFrame) -> pl.DataFrame:
    """Per ticket the worst state of its current clocks and the next deadline (seed S5-08): `ticket`, `state`,
    `next_clock`, `next_due_at`.

    Worst: breached, then at_risk, then on_track; met only if both first response and resolution are met. Next: the
    response while it is open, else the resolution, else the earlier of the two.
    """
    both = [Clock.FIRST_RESPONSE.value, Clock.RESOLUTION.value]
    current = clocks.filter("is_current").with_columns(pl.col("clock", "state").cast(pl.String))
    current = current.filter(pl.col("clock").is_in(both))
    states = [State.BREACHED, State.AT_RISK, State.ON_TRACK, State.MET, State.NO_TARGET, State.NO_CLOCK]
    rank = pl.col("state").replace_strict([s.value for s in states], list(range(len(states))), return_dtype=pl.Int8)
    is_open = pl.col("state").is_in([State.ON_TRACK.value, State.AT_RISK.value])
    urgency = (
        pl.when(is_open)
        .then(pl.col("clock").rank("dense").cast(pl.Int64))
        .otherwise(10 + pl.col("due_at").rank("ordinal").cast(pl.Int64))
    )
    return (
        current.with_columns(rank=rank, urgency=urgency)
        .sort("ticket", "urgency", nulls_last=True)
        .group_by("ticket", maintain_order=True)
        .agg(
            state=pl.col("state").sort_by("rank").first(),
            next_clock=pl.col("clock").first(),
            next_due_at=pl.col("due_at").first(),
        )
    )


def _count(state: State) -> pl.Expr:
    return (pl.col("state") == state.value).sum().cast(pl.Int64)
