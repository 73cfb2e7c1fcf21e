"""What people answered where triage asked, and how far its confidence can be believed."""

from typing import TYPE_CHECKING

import dataframely as dy
import polars as pl

from engine.access import Right
from engine.shared.wilson import with_share
from pipelines.marts import columns as col
from pipelines.marts.classifications import BINS, lower_end
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.feedback.reviews import Review


class Reviews(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    said = col.text("The product that triage had claimed; null if it had claimed none.", nullable=True)
    label = col.text("The product that the person named.")
    is_right = col.yes_no("Whether the two are the same.", nullable=True)
    confidence = col.share("How sure triage had been.", nullable=True)
    model_used = col.text("The model that had claimed it.", nullable=True)
    answered_by = col.text("Who answered.")
    answered_at = col.instant("When they answered; the answer that counts is the last.")


class ReviewNotes(dy.Schema):
    ticket = col.ticket(primary_key=True)
    reference = col.reference()
    answered_by = col.text("Who answered.")
    answered_at = col.instant("When they answered.")
    note = col.text("What they noted, for those who learn from it.")


class Calibration(dy.Schema):
    model_used = col.text("The model.", primary_key=True)
    lower = col.share("Lower end of a bin of confidence.", primary_key=True)
    upper = col.number("Upper end.", unit="share, 0 to 1")
    answered = col.count("Claims in the bin that a person answered.")
    agreed = col.count("Of them, those where the person named the same product.")
    mean_confidence = col.share("Mean confidence of the answered claims.")
    share_agreed = col.share("`agreed` / `answered`; compare it with `mean_confidence`.")
    low = col.low("share_agreed")
    high = col.high("share_agreed")

    @dy.rule()
    def agreed_are_of_the_answered(cls) -> pl.Expr:
        return pl.col("agreed") <= pl.col("answered")

    @dy.rule()
    def interval_lies_around_the_share(cls) -> pl.Expr:
        return col.around("share_agreed")


def build(snapshot: Snapshot) -> pl.DataFrame:
    return reviews(snapshot.answers, snapshot.tickets)


def build_notes(snapshot: Snapshot) -> pl.DataFrame:
    return build(snapshot).filter(pl.col("note") != "")


def build_calibration(snapshot: Snapshot) -> pl.DataFrame:
    return calibration(build(snapshot))


def reviews(answers: "list[Review]", tickets: pl.DataFrame) -> pl.DataFrame:
    """The answer that counts on each ticket, beside what triage had said when it was given."""
    columns = ("ticket_id", "label", "said", "confidence", "model_used", "answered_by", "note", "answered_at")
    types: dict[str, pl.DataType] = {"confidence": pl.Float64(), "answered_at": pl.Datetime("us", "UTC")}
    rows = pl.DataFrame(
        [[getattr(answer, name) for name in columns] for answer in answers],
        schema={**dict.fromkeys(columns, pl.String()), **types},
        orient="row",
    ).rename({"ticket_id": "ticket"})
    named = rows.join(tickets.select("ticket", "reference"), on="ticket", how="inner")
    return named.with_columns(is_right=pl.col("said") == pl.col("label")).sort("answered_at", "ticket")


def calibration(reviews: pl.DataFrame) -> pl.DataFrame:
    """By model and bin of confidence: how often people agreed. Only what people answered is counted, and what triage
    is unsure of is answered most; so a share speaks for its own bin and not for all tickets."""
    counted = (
        reviews.drop_nulls(["confidence", "model_used"])
        .group_by("model_used", lower=lower_end("confidence"))
        .agg(answered=pl.len(), agreed=pl.col("is_right").sum(), mean_confidence=pl.col("confidence").mean())
        .with_columns(upper=pl.col("lower") + 1 / BINS)
    )
    return with_share(counted, "share_agreed", pl.col("agreed"), pl.col("answered")).sort("model_used", "lower")


MARTS = {
    "reviews": Mart("What did people say of triage's claims, and was it right?", Reviews, build),
    "review_notes": Mart("What did people note when they answered?", ReviewNotes, build_notes, Right.READ_INTERNAL),
    "calibration": Mart("When triage says 80 %, how often do people agree?", Calibration, build_calibration),
}
