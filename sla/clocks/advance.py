"""Clocks some time later: what was evaluated at one instant, as it stands at a later one if nothing happened since."""

from collections.abc import Mapping
from datetime import datetime

import polars as pl

from sla.calendar.calendars import Calendar
from sla.clocks.evaluate import whole_second
from sla.contracts import Clock, State
from sla.policy.model import Policies, Terms, with_round_the_clock

AGREED = "agreed_due_at"


def advance(
    clocks: pl.DataFrame, *, since: datetime, at: datetime, policies: Policies, calendars: Mapping[str, Calendar]
) -> pl.DataFrame:
    """Rows of `contracts.CLOCKS` (more columns may stand beside) evaluated at `since`, as `evaluate` has them at `at`.

    `elapsed`, `paused`, `remaining` and `state` of running windows move; a paused one uses up nothing. A column
    `agreed_due_at` names the end agreed for the ticket alone, which is missed as an instant.
    """
    later = whole_second(at)
    agreed = pl.col(AGREED) if AGREED in clocks.columns else pl.lit(None, clocks.schema["due_at"])
    is_agreed = (pl.col("clock").cast(pl.String) == Clock.RESOLUTION) & (agreed == pl.col("due_at"))
    runs = pl.col("stopped_at").is_null() & pl.col("elapsed").is_not_null()
    ticks = runs & ~pl.col("is_paused")
    stands = _thresholds(clocks.filter(runs), policies)
    spent = _spent(clocks, whole_second(since), later, calendars)
    on_wall = (pl.lit(later, clocks.schema["due_at"]) - pl.col("due_at")).dt.total_seconds()
    moved = (
        clocks.with_columns(_version=_version(policies))
        .join(spent, on="calendar", how="left", maintain_order="left")
        .join(stands, on=["clock", "policy", "_version", "target"], how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            elapsed=pl.when(ticks).then(pl.col("elapsed") + pl.col("_spent")).otherwise("elapsed"),
            paused=pl.when(runs & pl.col("is_paused")).then(pl.col("paused") + pl.col("_spent")).otherwise("paused"),
        )
        .with_columns(remaining=pl.col("target") - pl.col("elapsed"))
        .with_columns(_late=pl.when(is_agreed.fill_null(value=False)).then(on_wall).otherwise(-pl.col("remaining")))
    )
    is_over = (pl.col("_late") > 0) | ((pl.col("_late") == 0) & pl.col("_is_over_at_due"))
    is_near = pl.col("remaining") <= pl.col("_at_risk_from")
    running = (
        pl.when(is_over)
        .then(pl.lit(State.BREACHED.value))
        .when(is_near)
        .then(pl.lit(State.AT_RISK.value))
        .otherwise(pl.lit(State.ON_TRACK.value))
    )
    state = pl.when(runs).then(running).otherwise(pl.col("state").cast(pl.String)).cast(clocks.schema["state"])
    return moved.with_columns(state=state).select(clocks.columns)


def _version(policies: Policies) -> pl.Expr:
    """Which version of the policies was in force when a window began, as `Policies.version_at`."""
    starts = [one.valid_from for one in policies.versions]
    begun = [pl.lit(1) if at is None else (pl.col("window_start") >= at).cast(pl.Int32) for at in starts]
    return pl.sum_horizontal(begun).cast(pl.Int32) - 1


def _spent(clocks: pl.DataFrame, since: datetime, at: datetime, calendars: Mapping[str, Calendar]) -> pl.DataFrame:
    """Business seconds that passed meanwhile, by calendar."""
    every = with_round_the_clock(calendars)
    names = clocks["calendar"].drop_nulls().unique().to_list()
    passed = [every[name].elapsed(since, at) for name in names]
    return pl.DataFrame({"calendar": names, "_spent": passed}, schema={"calendar": pl.String, "_spent": pl.Int64})


def _thresholds(running: pl.DataFrame, policies: Policies) -> pl.DataFrame:
    """By promise: the seconds left from which on it is at risk, and whether the instant it is due is late already."""
    keys = running.select("clock", "policy", "target", _version=_version(policies)).unique()
    rows = []
    for clock, policy, target, version in keys.iter_rows():
        terms = _terms(Clock(clock), policy, version, policies)
        rows.append((terms.at_risk_from(target), terms.at_deadline == "breached"))
    found = pl.DataFrame(rows, schema={"_at_risk_from": pl.Int64, "_is_over_at_due": pl.Boolean}, orient="row")
    return keys.hstack(found)


def _terms(clock: Clock, policy: str | None, version: int, policies: Policies) -> Terms:
    listed = policies.versions[version].policies if version >= 0 else ()
    return policies.terms_under(clock, version, next((one for one in listed if one.name == policy), None))
