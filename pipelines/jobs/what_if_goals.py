"""What if another share of the promises was wanted? Which weeks or cuts would have been under target."""

from collections.abc import Mapping

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures import queries
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader
from sla.contracts import Clock
from sla.reporting.goals import AttainmentGoals, ClockGoal


def wanted(goals: AttainmentGoals, shares: Mapping[str, float], *, with_higher: bool) -> AttainmentGoals:
    """The goals with another share of these clocks; `with_higher` leaves what is wanted of single tiers and
    priorities."""
    others = {
        Clock(clock): goals.clocks[Clock(clock)].model_copy(update={"share": share})
        if with_higher and Clock(clock) in goals.clocks
        else ClockGoal(share=share)
        for clock, share in shares.items()
    }
    return goals.model_copy(update={"clocks": {**goals.clocks, **others}})


def shares(goals: AttainmentGoals) -> dict[str, float]:
    """What is wanted of each clock that a goal may be set for, whatever its tier and priority."""
    return {clock.value: goals.clocks[clock].share if clock in goals.clocks else goals.share for clock in Clock}


def under_target(
    reader: MartReader, chosen: Selection, dimension: str, before: AttainmentGoals, after: AttainmentGoals
) -> pl.DataFrame:
    """`judged` of a dimension under a selection; of weeks those that are settled."""
    counted = queries.decided_by(reader, dimension, chosen)
    if dimension == "week":
        settled = queries.attainment_by_week(reader, chosen).filter("is_settled")
        keys = settled.select(pl.col("week").cast(pl.String).alias("value"), "clock")
        counted = counted.join(keys, on=["value", "clock"], how="semi", maintain_order="left")
    return judged(counted, before, after)


def judged(counted: pl.DataFrame, before: AttainmentGoals, after: AttainmentGoals) -> pl.DataFrame:
    """A row a value and clock: value, id, clock, met, decided, share_met with its 95 % interval low, high, and
    target and is_under, each `_before` and `_after`. `counted` has met and decided by value, id, clock, tier and
    priority; a row's target is the mean of what is wanted of its decided clocks."""
    sides = {"before": before, "after": after}
    weighed = counted.filter(pl.col("decided") > 0).with_columns(
        **{f"target_{side}": goals.wanted() * pl.col("decided") for side, goals in sides.items()}
    )
    rows = weighed.group_by("value", "id", "clock", maintain_order=True).agg(
        pl.col("met", "decided").sum(),
        *(pl.col(f"target_{side}").sum() / pl.col("decided").sum() for side in sides),
    )
    found = with_share(rows, "share_met", pl.col("met"), pl.col("decided"))
    return found.with_columns(
        (pl.col("share_met") < pl.col(f"target_{side}") - 1e-9).alias(f"is_under_{side}") for side in sides
    )
