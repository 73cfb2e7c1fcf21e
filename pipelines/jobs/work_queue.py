"""The order of work: priority scores joined from what the desk, the clocks and triage know of each open ticket."""

from datetime import datetime

import polars as pl

from pipelines.app.container import App


def scored(app: App, tickets: pl.DataFrame, clocks: pl.DataFrame, *, at: datetime) -> pl.DataFrame:
    """Open tickets with `score`, `section` and the promise that falls due next, the highest score first.

    `tickets` has the columns of the mart `tickets`, `clocks` those of `sla.contracts.CLOCKS`.
    """
    from engine.priority import score_expr, section_expr

    preset = app.policies.desk.priority
    queue = (
        tickets.filter("is_open")
        .join(next_promise(clocks), on="ticket", how="left")
        .join(_flags(app, at), on="ticket", how="left")
        .join(_envelopes(app, at), on="ticket", how="left")
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


def _flags(app: App, at: datetime) -> pl.DataFrame:
    flags = app.store.frame("case_flags").filter(_in_force("created_at", "cleared_at", at))
    return flags.group_by(ticket="ticket_id").agg(flags=pl.col("type").unique())


def _envelopes(app: App, at: datetime) -> pl.DataFrame:
    """Per ticket whether an expert was at it, and how long the longest unanswered question had waited by then."""
    envelopes = app.store.frame("envelopes").filter(_in_force("created_at", "completed_at", at))
    waited = (pl.lit(at, pl.Datetime("us", "UTC")) - pl.col("created_at")).dt.total_microseconds() / 1e6
    is_active = (pl.col("accepted_at") <= at).fill_null(value=False)
    return envelopes.group_by(ticket="ticket_id").agg(
        has_active_envelope=is_active.any(), pending_envelope_seconds=waited.filter(~is_active).max()
    )


def _in_force(since: str, until: str, at: datetime) -> pl.Expr:
    return (pl.col(since) <= at) & (pl.col(until).is_null() | (pl.col(until) > at))


def _reopened(clocks: pl.DataFrame) -> pl.DataFrame:
    return clocks.group_by("ticket").agg(is_reopened=(pl.col("window") > 1).any())
