"""The SLA engine's two frames as the store would keep them: what it takes no notice of is left out, order numbered."""

from datetime import datetime

import polars as pl

from engine.standings import standings
from sla.clocks.evaluate import DEFAULTS, SETTING

HISTORY = ("status", "response", "priority", "tier", "type", "pause", "resume", "accepted", "assignee", "transferred",
           "released")  # fmt: skip


def standings_of(tickets: pl.DataFrame, events: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """The standings of a backlog as in `sla.contracts`: an id once, in the engines' order."""
    return standings(*tables(tickets, events), as_of)


def tables(tickets: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    texts = dict.fromkeys((*DEFAULTS, "assignee_id", "group_id"), pl.String)
    whole = tickets.with_columns(pl.lit(None, t).alias(n) for n, t in texts.items() if n not in tickets.columns)
    kept = whole.filter(pl.col("created_at").is_not_null()).select(
        "created_at",
        "assignee_id",
        "group_id",
        *(pl.col(name).fill_null(value).alias(f"created_{name}") for name, value in DEFAULTS.items()),
        ticket=pl.col("id").cast(pl.String),
    )
    actor = pl.col("actor") if "actor" in events.columns else pl.lit("system")
    is_void = pl.col("kind").is_in(list(SETTING)) & pl.col("value").is_null()
    happened = (
        events.filter(pl.col("ts").is_not_null() & pl.col("kind").is_in(HISTORY) & ~is_void)
        .select("id", "seq", "kind", "value", actor=actor, ticket=pl.col("ticket").cast(pl.String), at="ts")
        .with_row_index("order")
        .sort("ticket", pl.col("at").dt.truncate("1s"), pl.col("seq").fill_null(0), "order")
        .filter(pl.col("id").is_null() | pl.struct("ticket", "id").is_first_distinct())
        .with_columns(version=pl.int_range(1, pl.len() + 1), data=pl.lit("{}"))
    )
    return kept, happened.select("ticket", "version", "kind", "at", "value", "actor", "data")
