"""What share of its promises the desk wants to keep."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import polars as pl
from pydantic import Field

from engine.contracts import Frozen, Priority, Tier
from engine.shared import policy_file
from sla.contracts import Clock

Share = Annotated[float, Field(gt=0, le=1)]


class ClockGoal(Frozen):
    """The share wanted of a clock; of what is said of a ticket's tier and priority the higher one."""

    share: Share
    by_tier: Mapping[Tier, Share] = Field(default_factory=dict)
    by_priority: Mapping[Priority, Share] = Field(default_factory=dict)


class AttainmentGoals(Frozen):
    """`share` is wanted of the clocks that are not named."""

    share: Share
    clocks: Mapping[Clock, ClockGoal] = Field(default_factory=dict)

    def wanted(self) -> pl.Expr:
        """The share wanted of each row with clock, tier and priority."""
        found = pl.lit(self.share)
        for clock, goal in self.clocks.items():
            cells = [
                pl.when(pl.col(column) == value.value).then(pl.lit(share))
                for column, shares in (("tier", goal.by_tier), ("priority", goal.by_priority))
                for value, share in shares.items()
            ]
            mine = pl.coalesce(pl.max_horizontal(cells), pl.lit(goal.share)) if cells else pl.lit(goal.share)
            found = pl.when(pl.col("clock") == clock.value).then(mine).otherwise(found)
        return found

    def target(self, decided: pl.DataFrame) -> float | None:
        """The share wanted of a mixed lot, from rows of clock, tier, priority and how many were `decided`; None of
        nothing."""
        counts = decided.filter(pl.col("decided") > 0)
        mean = counts.select((self.wanted() * pl.col("decided")).sum() / pl.col("decided").sum())
        return None if counts.is_empty() else float(mean.item())


class Goals(Frozen):
    """The file `goals.yaml`."""

    source: str
    attainment: AttainmentGoals


def load(path: str | Path) -> Goals:
    """Raises BadInput or NotFound with file, key and reason."""
    return policy_file.read(path, Goals)
