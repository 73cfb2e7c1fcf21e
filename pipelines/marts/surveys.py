"""What customers answered when their ticket was closed, for those who may read other people's internal entries."""

import dataframely as dy
import polars as pl

from engine.access import Right
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot


class Surveys(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    answered_at = col.instant("When the customer answered.")
    csat = col.whole("How content they are, 1 to 5.", unit="points", min=1, max=5)
    nps = col.whole("Whether they would recommend us, 0 to 10.", unit="points", min=0, max=10, nullable=True)
    is_complaint = col.yes_no("Whether they complained.")


def build(snapshot: Snapshot) -> pl.DataFrame:
    about = snapshot.tickets.select("ticket", "reference")
    given = snapshot.surveys.filter(pl.col("created_at") <= snapshot.as_of).rename({"created_at": "answered_at"})
    return given.join(about, on="ticket").sort("answered_at", "ticket")


MARTS = {"surveys": Mart("What did customers say when we were done?", Surveys, build, Right.READ_INTERNAL)}
