"""Whose clock was it: the agent who answered, who resolved, or who had the ticket when the clock stopped."""

from collections.abc import Collection
from datetime import datetime

import polars as pl

from sla.clocks.evaluate import whole_second
from sla.contracts import UTC_INSTANT, State

RESPONDED, RESOLVED, ASSIGNED_THEN, ASSIGNED_NOW = "responded", "resolved", "assigned_then", "assigned_now"
_HOLDING = ("assignee", "accepted", "transferred", "released")


def with_agents(
    clocks: pl.DataFrame, standings: pl.DataFrame, agents: Collection[str], as_of: datetime
) -> pl.DataFrame:
    """The clocks with `agent_id` and `agent_because`, the reason why it is that agent; both null if it is nobody,
    or the clock is not measured.

    In this order: the agent whose act stopped the clock (`responded`, `resolved`); who was assigned at that instant, or
    at `as_of` for a clock that runs (`assigned_then`); who has had the ticket from its creation on, where nobody was
    assigned since (`assigned_now`). An act of somebody who is none of the `agents` (a dispatcher, the customer) says
    nothing. `standings`: one row a ticket for its creation (`place` 0) and each later event, in order, with `ticket`,
    `since`, `kind`, `actor` and the `holder` after it.
    """
    known = pl.Series(list(agents), dtype=pl.String).implode()
    acts = standings.filter(pl.col("actor").is_in(known)).select("ticket", "kind", "actor", stopped_at="since")
    end = pl.col("stopped_at").fill_null(pl.lit(whole_second(as_of), UTC_INSTANT))
    rows = clocks.with_row_index("place").with_columns(pl.col("ticket").cast(pl.String), end=end)
    held = _held(standings)
    responders = _last(acts.filter(pl.col("kind") == "response"), "responder")
    resolved = _last(acts.filter(pl.col("kind") == "status"), "resolver")
    found = (
        rows.join(responders, on=["ticket", "stopped_at"], how="left")
        .join(resolved, on=["ticket", "stopped_at"], how="left")
        .join(standings.filter(pl.col("place") == 0).select("ticket", first="holder"), on="ticket", how="left")
        .sort("end", nulls_last=True)
        .join_asof(held, left_on="end", right_on="since", by="ticket", check_sortedness=False)
        .join(held.select("ticket", was_assigned=pl.lit(value=True)).unique(), on="ticket", how="left")
        .sort("place")
    )
    is_resolution = pl.col("clock").cast(pl.String) == "resolution"
    measured = pl.col("state").cast(pl.String) != State.NOT_MEASURED.value
    reasons = [
        (~is_resolution & pl.col("responder").is_not_null(), "responder", RESPONDED),
        (pl.col("resolver").is_not_null(), "resolver", RESOLVED),
        (pl.col("holder").is_not_null(), "holder", ASSIGNED_THEN),
        (pl.col("was_assigned").is_null() & pl.col("first").is_not_null(), "first", ASSIGNED_NOW),
    ]
    agent = pl.coalesce(pl.when(measured & holds).then(pl.col(column)) for holds, column, _ in reasons)
    because = pl.coalesce(pl.when(measured & holds).then(pl.lit(reason)) for holds, _, reason in reasons)
    return found.with_columns(agent_id=agent, agent_because=because).select(
        *clocks.columns, "agent_id", "agent_because"
    )


def _last(acts: pl.DataFrame, name: str) -> pl.DataFrame:
    """The last actor at each instant of a ticket."""
    return acts.group_by("ticket", "stopped_at").agg(pl.col("actor").last().alias(name))


def _held(standings: pl.DataFrame) -> pl.DataFrame:
    """Who has the ticket from each assignment on (`holder`, null for nobody), by time."""
    return (
        standings.filter(pl.col("kind").is_in(_HOLDING))
        .select("ticket", "since", "holder")
        .unique(["ticket", "since"], keep="last", maintain_order=True)
        .sort("since")
    )
