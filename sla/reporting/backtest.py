"""What if the promises had been others: every clock under the old and the new ones, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import polars as pl

from sla.contracts import CLOCKS, State

ALL, UNKNOWN = "all", "unknown"
NO_WINDOW = "no_window"
"""The state of a window under promises that never open it: a clock waiting for acceptance, another reopening."""
KEYS = ("ticket", "clock", "window")
_STATES = pl.Enum([NO_WINDOW, *(state.value for state in State if state != State.NO_CLOCK)])
_FIELDS = ("state", "remaining", "window_start")

COMPARED = pl.Schema(
    {
        "clock": pl.String(),
        "dimension": pl.String(),
        "value": pl.String(),
        "clocks_before": pl.Int64(),  # windows with a promise, and measured
        "clocks_after": pl.Int64(),
        "not_measured_before": pl.Int64(),
        "not_measured_after": pl.Int64(),
        "met_before": pl.Int64(),
        "met_after": pl.Int64(),
        "breached_before": pl.Int64(),  # stopped late, or running and late
        "breached_after": pl.Int64(),
        "share_met_before": pl.Float64(),  # met / (met + breached); null while nothing is decided
        "share_met_after": pl.Float64(),
        "points": pl.Float64(),  # percentage points, after - before
        "met_to_breached": pl.Int64(),
        "breached_to_met": pl.Int64(),
    }
)
CHANGES = pl.Schema(
    {
        "ticket": pl.String(),
        "clock": CLOCKS["clock"],
        "window": pl.Int32(),
        "state_before": _STATES,
        "state_after": _STATES,
        "remaining_before": pl.Int64(),  # business seconds, signed
        "remaining_after": pl.Int64(),
    }
)
ONE_SIDED = pl.Schema({"clock": pl.String(), "under": pl.String(), "windows": pl.Int64()})


class Backtest(NamedTuple):
    """`attainment` (schema `COMPARED`), `changes` (`CHANGES`): the windows whose state differs, and `one_sided`
    (`ONE_SIDED`): how many windows exist `before` or `after` only."""

    attainment: pl.DataFrame
    changes: pl.DataFrame
    one_sided: pl.DataFrame


def compare(before: pl.DataFrame, after: pl.DataFrame, about: pl.DataFrame) -> Backtest:
    """Two evaluations (schema `contracts.CLOCKS`) of the same tickets as of the same instant.

    `about` has a row per ticket: `ticket`, and a column for each dimension to compare by. `week` is added to them: the
    Monday (UTC) of the week in which a window started. Each window counts on the side it exists on, and in the week in
    which it started there: one that starts in another week under the change is no move within either week.
    """
    both = _side_by_side(_windows(before), _windows(after))
    changes = both.filter(pl.col("state_before") != pl.col("state_after"))
    one_sided = [
        both.filter(pl.col(f"state_{other}") == NO_WINDOW)
        .group_by(pl.col("clock").cast(pl.String))
        .agg(under=pl.lit(side), windows=pl.len().cast(pl.Int64))
        for side, other in (("before", "after"), ("after", "before"))
    ]
    dimensions = [name for name in about.columns if name != "ticket"]
    return Backtest(
        _attainment(both, about, dimensions),
        changes.select(CHANGES.names()).sort(KEYS),
        pl.concat(one_sided).sort("clock", "under"),
    )


def _windows(clocks: pl.DataFrame) -> pl.DataFrame:
    """Without what only waits for its start: there is no window yet."""
    found = clocks.filter(pl.col("state").cast(pl.String) != State.NO_CLOCK.value)
    return found.select(*KEYS, pl.col("state").cast(pl.String).cast(_STATES), *_FIELDS[1:])


def _side_by_side(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """A row per window of either side. The same windows in the same order, the usual case, need no join."""
    if before.select(KEYS).equals(after.select(KEYS)):
        mine = before.rename({name: f"{name}_before" for name in _FIELDS})
        joined = mine.hstack([after[name].alias(f"{name}_after") for name in _FIELDS])
    else:
        mine = before.rename({name: f"{name}_before" for name in _FIELDS})
        theirs = after.rename({name: f"{name}_after" for name in _FIELDS})
        joined = mine.join(theirs, on=list(KEYS), how="full", coalesce=True)
    missing = pl.lit(NO_WINDOW, _STATES)
    return joined.with_columns(pl.col("state_before", "state_after").fill_null(missing))


def _attainment(both: pl.DataFrame, about: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
    """Counted once per combination of dimensions and states; the small table is then cut by each dimension."""
    weeks = {f"week_{s}": pl.col(f"window_start_{s}").dt.truncate("1w").dt.date() for s in ("before", "after")}
    keys = ["clock", "state_before", "state_after", *dimensions, *weeks]
    known = both.select("ticket", "clock", "state_before", "state_after", **weeks)
    counted = known.join(about, on="ticket", how="left").group_by(keys).agg(n=pl.len().cast(pl.Int64))
    cuts = [
        (ALL, counted, pl.lit(ALL)),
        *((name, counted, pl.col(name).cast(pl.String).fill_null(UNKNOWN)) for name in dimensions),
        ("week", _by_week(counted), pl.col("week").cast(pl.String)),
    ]
    tables = [
        table.group_by(pl.col("clock").cast(pl.String), value=value).agg(
            **_measures(), dimension=pl.lit(name), place=pl.lit(place)
        )
        for place, (name, table, value) in enumerate(cuts)
    ]
    shared = pl.concat(tables).with_columns(share_met_before=_share("before"), share_met_after=_share("after"))
    promised = shared.filter(pl.sum_horizontal("^(clocks|not_measured)_.*$") > 0)
    changed = promised.with_columns(points=(pl.col("share_met_after") - pl.col("share_met_before")) * 100)
    return changed.sort("clock", "place", "value").select([pl.col(n).cast(t) for n, t in COMPARED.items()])


def _by_week(counted: pl.DataFrame) -> pl.DataFrame:
    """The counts by `week`. What starts in two weeks counts in each for its own side only."""
    two, nothing = (pl.col("week_before") != pl.col("week_after")).fill_null(value=False), pl.lit(NO_WINDOW, _STATES)
    apart = counted.filter(two)
    return pl.concat(
        [
            counted.filter(~two).with_columns(week=pl.coalesce("week_before", "week_after")),
            apart.with_columns(week="week_before", state_after=nothing),
            apart.with_columns(week="week_after", state_before=nothing),
        ]
    )


def _measures() -> dict[str, pl.Expr]:
    measures = {}
    for side in ("before", "after"):
        state = pl.col(f"state_{side}").cast(pl.String)
        measures[f"clocks_{side}"] = _sum(~state.is_in([NO_WINDOW, State.NO_TARGET.value, State.NOT_MEASURED.value]))
        measures[f"not_measured_{side}"] = _sum(state == State.NOT_MEASURED.value)
        measures[f"met_{side}"] = _sum(state == State.MET.value)
        measures[f"breached_{side}"] = _sum(state == State.BREACHED.value)
    measures["met_to_breached"] = _sum(_moved(State.MET, State.BREACHED))
    measures["breached_to_met"] = _sum(_moved(State.BREACHED, State.MET))
    return measures


def _sum(chosen: pl.Expr) -> pl.Expr:
    return pl.col("n").filter(chosen).sum()


def _moved(before: State, after: State) -> pl.Expr:
    return (pl.col("state_before") == before.value) & (pl.col("state_after") == after.value)


def _share(side: str) -> pl.Expr:
    met, breached = pl.col(f"met_{side}"), pl.col(f"breached_{side}")
    return pl.when(met + breached > 0).then(met / (met + breached))
