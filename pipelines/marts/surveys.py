"""What customers answered when their ticket was closed; what they wrote beside it stays with the ticket."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class Surveys(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    source = col.text("Name of the source that delivered the ticket.")
    answered_at = col.instant("When it was answered.")
    csat = col.whole("How satisfied the customer is (CSAT).", unit="1 (least) to 5", min=1, max=5)
    nps = col.whole(
        "How likely the customer would recommend us (NPS); null if it was not answered.", unit="0 to 10",
        min=0, max=10, nullable=True,
    )  # fmt: skip
    is_complaint = col.yes_no("Whether it is a complaint.")


def build(snapshot: Snapshot) -> pl.DataFrame:
    answers = snapshot.surveys.filter(pl.col("created_at") <= snapshot.as_of).rename({"created_at": "answered_at"})
    about = snapshot.tickets.select("ticket", "reference", "source")
    return answers.join(about, on="ticket").sort("answered_at", "ticket")


MARTS = {"surveys": Mart("How content were customers when their ticket was closed?", Surveys, build)}
