"""The order of work: priority scores joined from what the desk, the clocks and triage know of each open ticket."""

from datetime import datetime

import polars as pl

from pipelines.wiring import House

PENDING, ACTIVE = "pending", "active"


def scored(house: House, tickets: pl.DataFrame, clocks: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Open tickets with `score`, `section` and the promise that falls due next, the highest score first.

    `tickets` has the columns of the mart `tickets`, `clocks` those of `sla.contracts.CLOCKS`.
    """
    from engine.priority import score_expr, section_expr

    preset = house.priority_preset
    queue = (
        tickets.filter("is_open")
        .join(next_promise(clocks), on="ticket", how="left")
        .join(_flags(house), on="ticket", how="left")
        .join(_envelopes(house, at), on="ticket", how="left")
        .join(_reopened(clocks), on="ticket", how="left")
        .with_columns(sla_seconds_left=pl.col("seconds_left").cast(pl.Float64))
    )
    return queue.with_columns(score_expr(at=at, preset=preset), section_expr(at=at, preset=preset)).sort(
        ["score", "created_at", "ticket"], descending=[True, False, False]
    )


def next_promise(clocks: pl.DataFrame) -> pl.DataFrame:
    """Per ticket: the worst state of its running clocks, and the one with the fewest business seconds left."""
    running = clocks.filter(pl.col("is_current") & pl.col("stopped_at").is_null() & pl.col("remaining").is_not_null())
    nearest = running.sort("remaining", "clock").unique("ticket", keep="first", maintain_order=True)
    has = [(running["state"].cast(pl.String) == state).alias(state) for state in ("breached", "at_risk")]
    worst = running.select("ticket", *has).group_by("ticket").agg(pl.col("breached", "at_risk").any())
    state = pl.when("breached").then(pl.lit("breached")).when("at_risk").then(pl.lit("at_risk"))
    return nearest.join(worst, on="ticket").select(
        "ticket",
        next_clock=pl.col("clock").cast(pl.String),
        next_due_at="due_at",
        seconds_left="remaining",
        sla_state=state.otherwise(pl.lit("on_track")),
    )


def _flags(house: House) -> pl.DataFrame:
    flags = house.store.frame("case_flags").filter(pl.col("cleared_at").is_null())
    return flags.group_by(ticket="ticket_id").agg(flags=pl.col("type").unique())


def _envelopes(house: House, at: datetime) -> pl.DataFrame:
    envelopes = house.store.frame("envelopes").filter(pl.col("status").is_in([PENDING, ACTIVE]))
    waited = (pl.lit(at, pl.Datetime("us", "UTC")) - pl.col("created_at")).dt.total_microseconds() / 1e6
    return envelopes.group_by(ticket="ticket_id").agg(
        has_active_envelope=(pl.col("status") == ACTIVE).any(),
        pending_envelope_seconds=waited.filter(pl.col("status") == PENDING).max(),
    )


def _reopened(clocks: pl.DataFrame) -> pl.DataFrame:
    return clocks.group_by("ticket").agg(is_reopened=(pl.col("window") > 1).any())
