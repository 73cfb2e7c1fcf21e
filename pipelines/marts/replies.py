"""How long customers waited for answers to what they wrote."""

from datetime import datetime

import dataframely as dy
import polars as pl

from engine.contracts import Kind
from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

WALL = "seconds round the clock"


class Replies(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    source = col.text("Name of the source that delivered it.")
    questions = col.count("Times the customer's side wrote while nothing waited for an answer.", min=1)
    answered = col.count("Of them, those that were answered.")
    longest_wait_seconds = col.count("The longest time until an answer; of one without, until now.", unit=WALL)
    mean_wait_seconds = col.amount("Mean time until an answer.", unit=WALL, nullable=True)
    waits_since = col.instant("Since when the customer waits for an answer; null if nothing waits.", nullable=True)

    @dy.rule()
    def answered_are_of_the_questions(cls) -> pl.Expr:
        return pl.col("answered") <= pl.col("questions")


def build(snapshot: Snapshot) -> pl.DataFrame:
    found = questions(snapshot.events, snapshot.as_of)
    about = snapshot.tickets.select("ticket", "reference", "source")
    return about.join(found, on="ticket").sort("longest_wait_seconds", "ticket", descending=[True, False])


def questions(events: pl.DataFrame, as_of: datetime) -> pl.DataFrame:
    """By ticket what was asked up to an instant: the columns of `Replies` from `questions` on.

    A question begins with the first message after an answer; an answer, or the end of the ticket, ends it.
    """
    now = pl.lit(as_of, pl.Datetime("us", "UTC"))
    is_end = (pl.col("kind") == Kind.STATUS) & pl.col("value").is_in(["resolved", "closed"])
    talk = events.filter(
        (pl.col("kind").is_in([Kind.CUSTOMER_MESSAGE, Kind.RESPONSE]) | is_end) & (pl.col("at") <= now)
    ).sort("ticket", "at", "version")
    is_question = pl.col("kind") == Kind.CUSTOMER_MESSAGE
    is_first = is_question & ~is_question.shift(1, fill_value=False).over("ticket")
    turns = talk.filter(is_first | ~is_question).with_columns(
        until=pl.col("at").shift(-1).over("ticket"), ended_by=pl.col("kind").shift(-1).over("ticket")
    )
    begun = turns.filter(pl.col("kind") == Kind.CUSTOMER_MESSAGE)
    is_answered, waits = pl.col("ended_by") == Kind.RESPONSE, pl.col("until").is_null()
    seconds = (pl.coalesce("until", now) - pl.col("at")).dt.total_seconds()
    return begun.group_by("ticket").agg(
        questions=pl.len().cast(pl.Int64),
        answered=is_answered.sum().cast(pl.Int64),
        longest_wait_seconds=seconds.max(),
        mean_wait_seconds=seconds.filter(is_answered).mean(),
        waits_since=pl.col("at").filter(waits).first(),
    )


MARTS = {"replies": Mart("How long did each customer wait for an answer?", Replies, build)}
