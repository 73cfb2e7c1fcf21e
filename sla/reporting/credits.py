"""What we owe a customer for broken promises: a credit a breach, summed by month up to a cap."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import polars as pl
from pydantic import Field, model_validator

from engine.contracts import Frozen
from engine.shared import policy_file
from engine.shared.errors import BadInput
from sla.contracts import Clock, State

Percent = Annotated[Decimal, Field(ge=0, le=100)]

CREDITED_BREACHES = pl.Schema(
    {
        "ticket": pl.String(),
        "clock": pl.String(),
        "window": pl.Int32(),
        "company_id": pl.String(),  # "unknown" without one
        "month": pl.Date(),  # first day of the UTC month in which the target was used up
        "priority": pl.String(),
        "times_target": pl.Float64(),  # elapsed / target; null where the target is 0
        "credit_percent": pl.Float64(),  # of the month's fee
        "is_final": pl.Boolean(),  # stopped: it can't become later
    }
)

SLA_CREDITS = pl.Schema(
    {
        "company_id": pl.String(),
        "month": pl.Date(),
        "breaches": pl.Int64(),
        "still_running": pl.Int64(),
        "summed_percent": pl.Float64(),
        "credit_percent": pl.Float64(),  # the sum, at most the cap
        "is_capped": pl.Boolean(),
    }
)


class Step(Frozen):
    """A credit for lateness `below` or `up_to` so many times the target; without a bound, for whatever is later."""

    below: float | None = Field(default=None, gt=0)
    up_to: float | None = Field(default=None, gt=0)
    percent: Percent

    @property
    def bound(self) -> float | None:
        return self.up_to if self.below is None else self.below

    def holds(self) -> pl.Expr:
        if self.below is not None:
            return pl.col("elapsed") < pl.col("target") * self.below
        return pl.col("elapsed") <= pl.col("target") * self.up_to if self.up_to is not None else pl.lit(value=True)


class CreditPreset(Frozen):
    """One reading of a contract. `combine`: the flat credit alone, the graded one or else the flat, or their sum."""

    source: str
    combine: Literal["flat", "graded_else_flat", "added"]
    per_breach_percent: Percent
    cap_percent: Percent
    by_lateness: Mapping[Clock, tuple[Step, ...]] = Field(default_factory=dict)
    by_priority: Mapping[Clock, Mapping[str, Percent]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_table_a_clock(self) -> "CreditPreset":
        if both := sorted(set(self.by_lateness) & set(self.by_priority)):
            raise ValueError(f"{both[0].value} has steps by lateness and by priority; give it one of them")
        for clock, steps in self.by_lateness.items():
            bounds = [step.bound for step in steps]
            known = [bound for bound in bounds if bound is not None]
            if bounds != [*known, None] or known != sorted(set(known)):
                raise ValueError(f"by_lateness.{clock.value}: bounds must rise, and only the last step has none")
        return self

    def percent(self) -> pl.Expr:
        """The credit of a breached window, in % of the month's fee."""
        flat, graded = pl.lit(float(self.per_breach_percent)), self._graded()
        match self.combine:
            case "flat":
                return flat
            case "graded_else_flat":
                return graded.fill_null(flat)
            case "added":
                return flat + graded.fill_null(0.0)

    def _graded(self) -> pl.Expr:
        """By the table of the clock; null where no table speaks of it."""
        answer = pl.lit(None, pl.Float64)
        for clock, steps in self.by_lateness.items():
            for step in reversed(steps):
                mine = (pl.col("clock") == clock.value) & step.holds()
                answer = pl.when(mine).then(pl.lit(float(step.percent))).otherwise(answer)
        for clock, cells in self.by_priority.items():
            for priority, percent in cells.items():
                mine = (pl.col("clock") == clock.value) & (pl.col("priority") == priority)
                answer = pl.when(mine).then(pl.lit(float(percent))).otherwise(answer)
        return answer


class CreditPresets(Frozen):
    """The file `sla_credits.yaml`."""

    use: str
    presets: Mapping[str, CreditPreset]

    @model_validator(mode="after")
    def _known(self) -> "CreditPresets":
        if self.use not in self.presets:
            raise ValueError(f"use: {self.use!r} is no preset; there are {', '.join(sorted(self.presets))}")
        return self

    def preset(self, name: str | None = None) -> CreditPreset:
        """The named preset, else the one in use. Raises BadInput."""
        name = name or self.use
        if name not in self.presets:
            raise BadInput(f"There is no credit preset {name!r}; there are {', '.join(sorted(self.presets))}.")
        return self.presets[name]


def credited_breaches(clocks: pl.DataFrame, preset: CreditPreset, *, time_zone: str = "UTC") -> pl.DataFrame:
    """One row a breached window, running ones with the credit of today: the frame `CREDITED_BREACHES`.

    `clocks` is the frame `contracts.CLOCKS` with the ticket's `priority` and `company_id`; months are those of
    the time zone. Worked example, preset
    `graded`: a first response after exactly 2 × its target gives 10 %, after 4 × still 10 %, a second later 15 %; a
    critical ticket resolved late gives 20 %. Together 35 % in one month, capped at 25 %.
    """
    broken = clocks.with_columns(pl.col("clock", "state").cast(pl.String)).filter(
        pl.col("state") == State.BREACHED.value
    )
    # A running clock that is breached while paused has a due instant too; one that is not has none and is no breach.
    return broken.with_columns(
        pl.col("company_id").fill_null("unknown"),
        month=pl.col("due_at").dt.convert_time_zone(time_zone).dt.truncate("1mo").dt.date(),
        times_target=pl.when(pl.col("target") > 0).then(pl.col("elapsed") / pl.col("target")),
        credit_percent=preset.percent(),
        is_final=pl.col("stopped_at").is_not_null(),
    ).select(pl.col(name).cast(dtype) for name, dtype in CREDITED_BREACHES.items())


def sla_credits(breaches: pl.DataFrame, preset: CreditPreset) -> pl.DataFrame:
    """What each customer gets for a month, at most the cap: the frame `SLA_CREDITS`."""
    cap = float(preset.cap_percent)
    summed = breaches.group_by("company_id", "month").agg(
        breaches=pl.len(), still_running=(~pl.col("is_final")).sum(), summed_percent=pl.col("credit_percent").sum()
    )
    return (
        summed.with_columns(
            credit_percent=pl.min_horizontal("summed_percent", pl.lit(cap)), is_capped=pl.col("summed_percent") > cap
        )
        .sort("month", "company_id")
        .select(pl.col(name).cast(dtype) for name, dtype in SLA_CREDITS.items())
    )


def load(path: str | Path) -> CreditPresets:
    """The presets of a YAML file. Raises BadInput with file, key and reason."""
    return policy_file.read(path, CreditPresets, what="file of SLA credits")
