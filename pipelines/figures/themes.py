"""What tickets are about, by the taxonomy: how many, how much that changed, and whether their promises are met."""

import polars as pl

from engine.shared.wilson import with_share
from pipelines.figures.selection import ALL_CLOCKS, Selection, clocks_where, tickets_where
from pipelines.marts import MartReader

BY = {"product": "Product", "category": "Category"}
"""Columns of tickets that name a theme: what triage or a person says, and the source's own word."""


def themes(
    reader: MartReader, by: str, chosen: Selection = ALL_CLOCKS, before: Selection | None = None
) -> pl.DataFrame:
    """One row a theme (of a column in BY; `id` is "" where a ticket names none), the most frequent first: value, id,
    tickets created, share of all with its 95 % interval share_low, share_high, tickets `before` and the `change` (null
    without a selection before), and of the clocks that started met, breached, share_met with low, high."""
    where, values = tickets_where(chosen, reader)
    started, more = clocks_where(chosen, reader, "LEFT JOIN tickets p ON p.ticket = c.ticket")
    found = reader.query(
        f"""WITH created AS (SELECT coalesce(t."{by}", '') AS id, count(*) AS tickets {where} GROUP BY 1),
        promised AS (SELECT coalesce(p."{by}", '') AS id, count(*) FILTER (state = 'met') AS met,
        count(*) FILTER (state = 'breached') AS breached {started} GROUP BY 1)
        SELECT id, coalesce(tickets, 0) AS tickets, coalesce(met, 0) AS met, coalesce(breached, 0) AS breached
        FROM created FULL JOIN promised USING (id)""",
        [*values, *more],
    )
    shares = with_share(found, "share", pl.col("tickets"), pl.col("tickets").sum())
    shares = shares.rename({"low": "share_low", "high": "share_high"})
    known = with_share(shares, "share_met", pl.col("met"), pl.col("met") + pl.col("breached"))
    return (
        known.join(_before(reader, by, before), on="id", how="full", coalesce=True)
        .with_columns(pl.col("tickets", "met", "breached").fill_null(0))
        .with_columns(
            pl.when(pl.lit(before is not None)).then(pl.col("before").fill_null(0)).alias("before"),
            value=pl.when(pl.col("id") == "").then(pl.lit(f"no {by}")).otherwise("id"),
        )
        .with_columns(change=pl.col("tickets") - pl.col("before"))
        .sort("tickets", "id", descending=[True, False])
    )


def _before(reader: MartReader, by: str, before: Selection | None) -> pl.DataFrame:
    if before is None:
        return pl.DataFrame(schema={"id": pl.String, "before": pl.Int64})
    where, values = tickets_where(before, reader)
    return reader.query(f"""SELECT coalesce(t."{by}", '') AS id, count(*) AS before {where} GROUP BY 1""", values)
