"""How long tickets stayed in each status, on the wall and on their own calendars."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.attainment import DIMENSION, SECONDS, VALUE
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import DIMENSIONS, Snapshot


class TimeInState(dy.Schema):
    status = col.text("The status in which the time was spent.", primary_key=True)
    dimension = col.text(DIMENSION, primary_key=True)
    value = col.text(VALUE, primary_key=True)
    tickets = col.count("Tickets that were ever in it for a second or more.")
    visits = col.count("Stays in it; a ticket that came back has several.")
    total_seconds = col.count("All stays together, round the clock.", unit=SECONDS)
    mean_seconds = col.amount("Mean per ticket, all its stays together.", unit=SECONDS)
    median_seconds = col.amount("Median per ticket.", unit=SECONDS)
    on_calendar = col.count("Of the tickets, those with a calendar; only these have business time.")
    total_business_seconds = col.count(
        "All stays together, on the calendar of each ticket's current resolution clock.", unit=BUSINESS
    )
    mean_business_seconds = col.amount("Mean per ticket with a calendar.", unit=BUSINESS, nullable=True)
    median_business_seconds = col.amount("Median per ticket with a calendar.", unit=BUSINESS, nullable=True)

    @dy.rule()
    def counts_are_of_the_tickets(cls) -> pl.Expr:
        return (pl.col("on_calendar") <= pl.col("tickets")) & (pl.col("tickets") <= pl.col("visits"))


def build(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.time_in_state import time_in_state

    return time_in_state(snapshot.stays, DIMENSIONS)


MARTS = {"time_in_state": Mart("Where do tickets spend their time, by status and dimension?", TimeInState, build)}
