"""What each model did each day, how long it took and what it cost."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class CostLedger(dy.Schema):
    day = col.day("The day of the work.", primary_key=True)
    operation = col.text("`classify` or `draft`.", primary_key=True)
    model_used = col.text("The model.", primary_key=True)
    tickets = col.count("Claims or drafts that it made; a ticket done twice counts twice.")
    mean_latency_ms = col.amount("Mean time of one.", unit="milliseconds")
    p95_latency_ms = col.amount("95 % took no longer.", unit="milliseconds")
    prompt_tokens = col.count("Tokens sent to a hosted model.", unit="tokens")
    completion_tokens = col.count("Tokens it answered with.", unit="tokens")
    cost = col.amount("What that cost.", unit="US dollars")


def build(snapshot: Snapshot) -> pl.DataFrame:
    """By UTC day, operation and model."""
    tables = {"classify": snapshot.claims, "draft": snapshot.drafts}
    days = [
        table.filter(pl.col("created_at") <= snapshot.as_of)
        .group_by(day=pl.col("created_at").dt.date(), model_used="model_used")
        .agg(
            tickets=pl.len(),
            mean_latency_ms=pl.col("latency_ms").mean(),
            p95_latency_ms=pl.col("latency_ms").quantile(0.95, "nearest"),
            prompt_tokens=pl.col("prompt_tokens").sum(),
            completion_tokens=pl.col("completion_tokens").sum(),
            cost=pl.col("cost").sum(),
        )
        .with_columns(operation=pl.lit(operation))
        for operation, table in tables.items()
    ]
    return pl.concat(days).sort("day", "operation", "model_used")


MARTS = {
    "cost_ledger": Mart("What did each model do each day, how long did it take, what did it cost?", CostLedger, build)
}
