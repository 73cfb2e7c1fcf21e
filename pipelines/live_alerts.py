"""Alerts of clocks and of the matrix as they are now: who is looked after, who waits, and what is over."""

from datetime import datetime

import polars as pl

from pipelines.app.container import App
from pipelines.live_queue import LiveQueue

WAITS, SEEN, OVER = "waits", "acknowledged", "over"
"""What an alert may be: it holds and nobody has seen it, it holds and somebody has, or what it told of has ended."""
OF_CLOCKS = ("id", "ticket_id", "sla_type", "alert_type", "escalation_level", "triggered_at", "acknowledged_by",
             "acknowledged_at")  # fmt: skip
OF_MATRIX = ("id", "ticket_id", "condition", "level", "triggered_at", "acknowledged_by", "acknowledged_at",
             "cleared_at")  # fmt: skip
COLUMNS = ("alert", "ticket", "kind", "about", "alert_type", "level", "triggered_at", "acknowledged_by",
           "acknowledged_at", "is_over", "left")  # fmt: skip


def live_alerts(app: App, queue: LiveQueue, *, since: datetime) -> pl.DataFrame:
    """A row an alert of an open ticket that holds, or that was raised after `since`: `alert` (its id), `ticket`, `kind`
    (`sla`, `nudge`), `about` (the clock or condition), `alert_type`, `level`, `triggered_at`, `acknowledged_by`,
    `acknowledged_at`, `state` (WAITS, SEEN, OVER), and `left`: what the clock has left now, in business seconds.

    A warning is over once its clock is breached, and either once the clock stops; a nudge once its condition ends.
    """
    every = pl.concat([_of_clocks(app, queue), _of_matrix(app, queue, since)], how="vertical_relaxed")
    state = (
        pl.when("is_over").then(pl.lit(OVER)).when(pl.col("acknowledged_by").is_null()).then(pl.lit(WAITS))
        .otherwise(pl.lit(SEEN))
    )  # fmt: skip
    chosen = every.filter(~pl.col("is_over") | (pl.col("triggered_at") > since))
    return chosen.with_columns(state=state).drop("is_over").sort("triggered_at", "alert", descending=True)


def _of_clocks(app: App, queue: LiveQueue) -> pl.DataFrame:
    running = queue.clocks.select(
        pl.col("ticket").cast(pl.String), about=pl.col("clock").cast(pl.String), began="window_start", left="remaining",
        is_breached=pl.col("state").cast(pl.String) == "breached",
    )  # fmt: skip
    names = {"id": "alert", "ticket_id": "ticket", "sla_type": "about", "escalation_level": "level"}
    found = app.store.frame("sla_alerts", OF_CLOCKS).rename(names)
    found = found.join(queue.rows.select("ticket"), on="ticket", how="semi")
    holds = (pl.col("triggered_at") >= pl.col("began")) & (pl.col("is_breached") == (pl.col("alert_type") == "breach"))
    joined = found.join(running, on=["ticket", "about"], how="left")
    return joined.with_columns(kind=pl.lit("sla"), is_over=~holds.fill_null(value=False)).select(COLUMNS)


def _of_matrix(app: App, queue: LiveQueue, since: datetime) -> pl.DataFrame:
    names = {"id": "alert", "ticket_id": "ticket", "condition": "about"}
    active = app.store.frame("alerts", OF_MATRIX, where={"cleared_at": None})
    later = app.store.frame("alerts", OF_MATRIX, after={"triggered_at": since}).filter(
        pl.col("cleared_at").is_not_null()
    )
    found = pl.concat([active, later]).rename(names)
    joined = found.join(queue.rows.select("ticket", left="seconds_left"), on="ticket")
    return joined.with_columns(
        kind=pl.lit("nudge"), alert_type=pl.lit("nudge"), is_over=pl.col("cleared_at").is_not_null()
    ).select(COLUMNS)
