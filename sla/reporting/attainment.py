"""Did we keep our promises: shares met with their uncertainty, how long answers and solutions took, what came back."""

from collections.abc import Sequence

import polars as pl

from engine.shared.wilson import with_share
from sla.contracts import Clock, State

ALL = "all"
"""The dimension (and value) of the row over everything."""

ATTAINMENT = pl.Schema(
    {
        "clock": pl.String(),
        "dimension": pl.String(),
        "value": pl.String(),
        "clocks": pl.Int64(),  # with a promise and measured; = met + breached + at_risk + running
        "met": pl.Int64(),
        "breached": pl.Int64(),  # stopped late, or running and late
        "at_risk": pl.Int64(),
        "running": pl.Int64(),  # on track
        "not_measured": pl.Int64(),  # with a promise besides, whose course the source does not tell
        "share_met": pl.Float64(),  # met / (met + breached); null while nothing is decided
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


RESPONSE_TIMES = pl.Schema(
    {
        "clock": pl.String(),
        "dimension": pl.String(),
        "value": pl.String(),
        "stopped": pl.Int64(),  # windows that were stopped
        "mean_seconds": pl.Float64(),  # from start to stop, round the clock
        "median_seconds": pl.Float64(),
        "promised": pl.Int64(),  # of them with a target: only these have business time
        "mean_business_seconds": pl.Float64(),  # counted against the target, on the clock's calendar
        "median_business_seconds": pl.Float64(),
    }
)

REOPENS = pl.Schema(
    {
        "dimension": pl.String(),
        "value": pl.String(),
        "resolved": pl.Int64(),
        "reopened": pl.Int64(),
        "share_reopened": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
    }
)


def attainment(clocks: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Per clock, over all and per value of each dimension: the frame `ATTAINMENT`.

    `clocks` is the frame `contracts.CLOCKS` with the dimensions joined to it. Every window counts, a reopened ticket's
    first one too; clocks without a promise don't, and those not measured are a number beside. `low` and `high` are the
    Wilson score interval at 95 % (E. B. Wilson 1927). A missing value reads as "unknown".
    """
    promised = clocks.with_columns(pl.col("clock", "state").cast(pl.String)).filter(
        ~pl.col("state").is_in([State.NO_TARGET.value, State.NO_CLOCK.value])
    )
    counted = cut(
        promised,
        ["clock"],
        dimensions,
        clocks=pl.len() - _count(State.NOT_MEASURED),
        met=_count(State.MET),
        breached=_count(State.BREACHED),
        at_risk=_count(State.AT_RISK),
        running=_count(State.ON_TRACK),
        not_measured=_count(State.NOT_MEASURED),
    )
    return _in(ATTAINMENT, with_share(counted, "share_met", pl.col("met"), pl.col("met") + pl.col("breached")))


def response_times(clocks: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """Mean and median time to acknowledge (MTTA, first response) and to resolve (MTTR): the frame `RESPONSE_TIMES`.

    Only windows that were stopped count, a reopened ticket's earlier ones too: each is a solution somebody waited for.
    """
    stopped = clocks.with_columns(pl.col("clock").cast(pl.String)).filter(
        pl.col("stopped_at").is_not_null() & (pl.col("clock") != Clock.NEXT_RESPONSE.value)
    )
    seconds = (pl.col("stopped_at") - pl.col("window_start")).dt.total_seconds()
    counted = cut(
        stopped,
        ["clock"],
        dimensions,
        stopped=pl.len(),
        mean_seconds=seconds.mean(),
        median_seconds=seconds.median(),
        promised=pl.col("elapsed").count(),
        mean_business_seconds=pl.col("elapsed").mean(),
        median_business_seconds=pl.col("elapsed").median(),
    )
    return _in(RESPONSE_TIMES, counted)


def reopens(clocks: pl.DataFrame, dimensions: Sequence[str] = ()) -> pl.DataFrame:
    """How many resolutions were followed by another window of the same ticket: the frame `REOPENS`.

    Where a policy says `reopen: continue` a reopened ticket keeps its one window and shows no reopening here.
    """
    resolved = clocks.filter(
        (pl.col("clock").cast(pl.String) == Clock.RESOLUTION.value) & pl.col("stopped_at").is_not_null()
    )
    counted = cut(resolved, [], dimensions, resolved=pl.len(), reopened=(~pl.col("is_current")).sum())
    return _in(REOPENS, with_share(counted, "share_reopened", pl.col("reopened"), pl.col("resolved")))


def cut(frame: pl.DataFrame, keys: Sequence[str], dimensions: Sequence[str], **measures: pl.Expr) -> pl.DataFrame:
    """The measures per key over all rows, and per value of each dimension: `keys`, `dimension`, `value`, measures.

    A missing value reads as "unknown". Sorted by the keys, the dimensions as given, and value.
    """
    cuts = [(ALL, pl.repeat(ALL, pl.len())), *((d, pl.col(d).cast(pl.String).fill_null("unknown")) for d in dimensions)]
    parts = [
        frame.group_by(*keys, value=value).agg(place=pl.lit(place, pl.Int64), dimension=pl.lit(name), **measures)
        for place, (name, value) in enumerate(cuts)
    ]
    return pl.concat(parts).sort(*keys, "place", "value").drop("place")


def _in(schema: pl.Schema, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(pl.col(column).cast(dtype) for column, dtype in schema.items())


def overall(clocks: pl.DataFrame) -> pl.DataFrame:
    """Per ticket the worst state of its current clocks and the next deadline (seed S5-08): `ticket`, `state`,
    `next_clock`, `next_due_at`.

    Worst: breached, at_risk, on_track, not_measured; met only if both first response and resolution are met. Next: the
    response while it is open, else the resolution, else the earlier of the two.
    """
    both = [Clock.FIRST_RESPONSE.value, Clock.RESOLUTION.value]
    current = clocks.filter("is_current").with_columns(pl.col("clock", "state").cast(pl.String))
    current = current.filter(pl.col("clock").is_in(both))
    worst = [State.BREACHED, State.AT_RISK, State.ON_TRACK, State.NOT_MEASURED]
    states = [*worst, State.MET, State.NO_TARGET, State.NO_CLOCK]
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
