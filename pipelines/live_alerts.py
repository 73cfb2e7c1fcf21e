"""Alerts of clocks and of the matrix as they are now: who is looked after, who waits, and what is over."""

from datetime import datetime
from threading import Lock
from typing import NamedTuple
from weakref import WeakKeyDictionary

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


class _Stored(NamedTuple):
    """What was read at which mark."""

    mark: tuple[object, ...]
    clocks: pl.DataFrame
    matrix: pl.DataFrame


_READ: "WeakKeyDictionary[App, _Stored]" = WeakKeyDictionary()
_TURN = Lock()


def live_alerts(app: App, queue: LiveQueue, *, since: datetime) -> pl.DataFrame:
    """A row an alert of an open ticket that holds, or that was raised after `since`: `alert` (its id), `ticket`, `kind`
    (`sla`, `nudge`), `about` (the clock or condition), `alert_type`, `level`, `triggered_at`, `acknowledged_by`,
    `acknowledged_at`, `state` (WAITS, SEEN, OVER), and `left`: what the clock has left now, in business seconds.

    A warning is over once its clock is breached, and either once the clock stops; a nudge once its condition ends.
    """
    stored = _stored(app)
    every = pl.concat([_of_clocks(stored.clocks, queue), _of_matrix(stored.matrix, queue)], how="vertical_relaxed")
    state = (
        pl.when("is_over").then(pl.lit(OVER)).when(pl.col("acknowledged_by").is_null()).then(pl.lit(WAITS))
        .otherwise(pl.lit(SEEN))
    )  # fmt: skip
    chosen = every.filter(~pl.col("is_over") | (pl.col("triggered_at") > since))
    return chosen.with_columns(state=state).drop("is_over")


def _of_clocks(found: pl.DataFrame, queue: LiveQueue) -> pl.DataFrame:
    running = queue.clocks.select(
        pl.col("ticket").cast(pl.String), about=pl.col("clock").cast(pl.String), began="window_start", left="remaining",
        is_breached=pl.col("state").cast(pl.String) == "breached",
    )  # fmt: skip
    mine = found.join(queue.rows.select("ticket"), on="ticket", how="semi")
    holds = (pl.col("triggered_at") >= pl.col("began")) & (pl.col("is_breached") == (pl.col("alert_type") == "breach"))
    joined = mine.join(running, on=["ticket", "about"], how="left")
    return joined.with_columns(is_over=~holds.fill_null(value=False)).select(COLUMNS)


def _of_matrix(found: pl.DataFrame, queue: LiveQueue) -> pl.DataFrame:
    return found.join(queue.rows.select("ticket", left="seconds_left"), on="ticket").select(COLUMNS)


def _stored(app: App) -> _Stored:
    """What is kept of alerts, read again only after something happened to a ticket or some work ran: alerts are raised
    and nudges cleared by a run that leaves its instant, and acknowledged by an event."""
    mark = (app.store.mark(), *(run.ended_at for run in app.last_runs.every()))
    with _TURN:
        found = _READ.get(app)
        if found is None or found.mark != mark:
            found = _READ[app] = _Stored(mark, _read_clocks(app), _read_matrix(app))
    return found


def _read_clocks(app: App) -> pl.DataFrame:
    names = {"id": "alert", "ticket_id": "ticket", "sla_type": "about", "escalation_level": "level"}
    return app.store.frame("sla_alerts", OF_CLOCKS).rename(names).with_columns(kind=pl.lit("sla"))


def _read_matrix(app: App) -> pl.DataFrame:
    names = {"id": "alert", "ticket_id": "ticket", "condition": "about"}
    found = app.store.frame("alerts", OF_MATRIX).rename(names)
    kind = pl.lit("nudge")
    return found.with_columns(kind=kind, alert_type=kind, is_over=pl.col("cleared_at").is_not_null())
