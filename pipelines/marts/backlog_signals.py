"""What closed cases tell the backlogs of reliability, product and docs."""

import dataframely as dy
import polars as pl

from engine.cases import Backlog
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class BacklogSignals(dy.Schema):
    ticket = col.ticket(primary_key=True)
    backlog = col.text("Whom it is for: `reliability`, `product` or `docs`.", primary_key=True)
    reference = col.reference()
    summary = col.text("What there is to learn or to do.")
    closed_at = col.instant("When the ticket was closed that told it.")
    week = col.day("Monday of that week.")
    product = col.text("The ticket's product.", nullable=True)
    category = col.text("The source's own category.")
    priority = col.text("The ticket's priority.")
    company_id = col.text("The customer for whom it was asked.", nullable=True)
    csat = col.whole("The customer's satisfaction.", unit="1 to 5", nullable=True, min=1, max=5)
    nps = col.whole("Whether the customer would recommend us.", unit="0 to 10", nullable=True, min=0, max=10)

    @dy.rule()
    def a_backlog_is_one_of_three(cls) -> pl.Expr:
        return pl.col("backlog").is_in(list(Backlog))


def build(snapshot: Snapshot) -> pl.DataFrame:
    about = snapshot.tickets.select("ticket", "reference", "product", "category", "priority", "company_id")
    answers = snapshot.surveys.select("ticket", "csat", "nps")
    week = pl.col("closed_at").dt.convert_time_zone(snapshot.time_zone).dt.truncate("1w").dt.date()
    return (
        snapshot.signals.rename({"created_at": "closed_at"})
        .filter(pl.col("closed_at") <= snapshot.as_of)
        .join(about, on="ticket", how="inner")
        .join(answers, on="ticket", how="left")
        .with_columns(week=week)
        .sort("closed_at", "ticket", "backlog")
    )


MARTS = {
    "backlog_signals": Mart("What do closed cases tell reliability, product and docs?", BacklogSignals, build),
}
