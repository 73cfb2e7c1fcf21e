"""How well promises were kept, how long answers and solutions took, and what came back, each by the same dimensions."""

import dataframely as dy
import polars as pl

from engine.outcomes import Figure
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.marts.sla_clocks import BUSINESS
from pipelines.snapshot import DIMENSIONS as OF_A_TICKET
from pipelines.snapshot import Snapshot

DIMENSIONS = (*OF_A_TICKET[:4], "agent_id", "company_id", "week", "source")
"""Columns of the mart `sla_clocks` by which promises are counted; priority, tier, type, group as of then."""
DIMENSION = "What is counted by: `all`, or a column of `sla_clocks` (priority, tier, type, group_id, agent_id, …)."
VALUE = "The dimension's value; `all` of all, `unknown` where it is missing."
SECONDS = "seconds"


class Attainment(dy.Schema):
    clock = col.text("The promise.", primary_key=True)
    dimension = col.text(DIMENSION, primary_key=True)
    value = col.text(VALUE, primary_key=True)
    clocks = col.count("Measured windows with a promise, those of reopened tickets each.")
    met = col.count("Of them, stopped in time.")
    breached = col.count("Of them, stopped late or running late.")
    at_risk = col.count("Of them, running with little left.")
    running = col.count("Of them, running and on track.")
    not_measured = col.count("Windows beside them of which the source does not tell enough; in no share.")
    share_met = col.share("`met` / (`met` + `breached`); null while nothing is decided.", nullable=True)
    low = col.low("share_met", nullable=True)
    high = col.high("share_met", nullable=True)

    @dy.rule()
    def each_clock_is_in_one_state(cls) -> pl.Expr:
        return pl.col("clocks") == pl.sum_horizontal("met", "breached", "at_risk", "running")

    @dy.rule()
    def interval_lies_around_the_share(cls) -> pl.Expr:
        return col.around("share_met")


class ResponseTimes(dy.Schema):
    clock = col.text("`first_response` (MTTA) or `resolution` (MTTR).", primary_key=True)
    dimension = col.text(DIMENSION, primary_key=True)
    value = col.text(VALUE, primary_key=True)
    stopped = col.count("Windows that were stopped, with a promise or without.")
    mean_seconds = col.amount("Mean time from start to stop, round the clock.", unit=SECONDS)
    median_seconds = col.amount("Median of the same.", unit=SECONDS)
    promised = col.count("Of the stopped, those with a target; only these have business time.")
    mean_business_seconds = col.amount("Mean of `elapsed`.", unit=BUSINESS, nullable=True)
    median_business_seconds = col.amount("Median of `elapsed`.", unit=BUSINESS, nullable=True)

    @dy.rule()
    def promised_are_of_the_stopped(cls) -> pl.Expr:
        return pl.col("promised") <= pl.col("stopped")


class Reopens(dy.Schema):
    dimension = col.text(DIMENSION, primary_key=True)
    value = col.text(VALUE, primary_key=True)
    resolved = col.count("Resolution windows that were stopped.")
    reopened = col.count("Of them, followed by another window of the same ticket.")
    share_reopened = col.share("`reopened` / `resolved`.")
    low = col.low("share_reopened")
    high = col.high("share_reopened")

    @dy.rule()
    def reopened_are_of_the_resolved(cls) -> pl.Expr:
        return pl.col("reopened") <= pl.col("resolved")

    @dy.rule()
    def interval_lies_around_the_share(cls) -> pl.Expr:
        return col.around("share_reopened")


def build_attainment(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.attainment import attainment

    return attainment(snapshot.counted(Figure.ATTAINMENT), DIMENSIONS)


def build_response_times(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.attainment import response_times

    return response_times(snapshot.counted(Figure.ATTAINMENT), DIMENSIONS)


def build_reopens(snapshot: Snapshot) -> pl.DataFrame:
    from sla.reporting.attainment import reopens

    return reopens(snapshot.counted(Figure.REOPENS), DIMENSIONS)


MARTS = {
    "attainment": Mart("Did we keep our promises, by clock and dimension?", Attainment, build_attainment),
    "response_times": Mart("How long do first answers and solutions take?", ResponseTimes, build_response_times),
    "reopens": Mart("How often is what we resolved reopened?", Reopens, build_reopens),
}
