"""What triage claims of each ticket, how sure it is, and how much of it goes to a person."""

import dataframely as dy
import polars as pl

from pipelines.marts import columns as col
from pipelines.marts.mart import Mart
from pipelines.snapshot import Snapshot

BINS = 10


class Classifications(dy.Schema):
    ticket = col.ticket(is_published=False, primary_key=True)
    product = col.text("The product it is about, a label of the taxonomy in use.")
    urgency = col.text("How urgent text, priority and tier make it.")
    confidence = col.share("How sure triage is of the product.")
    needs_review = col.yes_no("Whether a person should decide; the product then counts nowhere else.")
    runner_up = col.text("The second most likely product.", nullable=True)
    runner_up_confidence = col.share("How likely that one is.", nullable=True)
    reasoning = col.text("Why, in a line that a person can check.")
    model_used = col.text("The model that claimed it.")
    prompt_hash = col.text("Hash of the prompt; null of a local model.", nullable=True)
    latency_ms = col.count("Time it took.", unit="milliseconds")
    prompt_tokens = col.count("Tokens sent to a hosted model.", unit="tokens")
    completion_tokens = col.count("Tokens it answered with.", unit="tokens")
    cost = col.amount("What that cost.", unit="US dollars")
    created_at = col.instant("When it was claimed; the last claim of a ticket is shown.")


class Confidence(dy.Schema):
    lower = col.share("Lower end of a bin of confidence.", primary_key=True)
    upper = col.number("Upper end; 1 belongs to the last bin.", unit="share, 0 to 1")
    tickets = col.count("Tickets whose last claim falls in it.")
    needs_review = col.count("Of them, for a person.")

    @dy.rule()
    def reviewed_are_of_the_tickets(cls) -> pl.Expr:
        return pl.col("needs_review") <= pl.col("tickets")


def lower_end(confidence: str) -> pl.Expr:
    """The lower end of one of ten bins of equal width; 1.0 falls in the last."""
    return (pl.col(confidence) * BINS).floor().clip(0, BINS - 1) / BINS


def build_confidence(snapshot: Snapshot) -> pl.DataFrame:
    binned = snapshot.latest_claims.group_by(lower=lower_end("confidence"))
    counted = binned.agg(tickets=pl.len(), needs_review=pl.col("needs_review").sum())
    return counted.with_columns(upper=pl.col("lower") + 1 / BINS).sort("lower")


MARTS = {
    "classifications": Mart(
        "What did triage say about each ticket, and how sure was it?",
        Classifications,
        lambda snapshot: snapshot.latest_claims.sort("created_at", "ticket"),
    ),
    "confidence": Mart("How is confidence spread, and what goes to a person?", Confidence, build_confidence),
}
