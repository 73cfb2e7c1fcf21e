"""What triage claimed, how often it was right, what it cost, what became of its drafts, and what is not written yet."""

from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from engine.shared.wilson import with_share
from pipelines.marts import MARTS, conform
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from triage.feedback.reviews import Review

CONFIDENCE_BINS = 10


def triage_marts(snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """All marts of this file by name."""
    from triage.feedback.acceptance import acceptance, frame_of, never_help

    policy, drafts = snapshot.policies.learning.drafts, snapshot.latest_drafts
    accepted = acceptance(frame_of(snapshot.feedback), policy)
    reviews = review_mart(snapshot.answers, snapshot.tickets)
    unhelpful = never_help(snapshot.held_articles, cited(drafts), accepted, policy)
    return {
        "confidence": confidence_mart(snapshot.latest_claims),
        "reviews": reviews,
        "calibration": calibration_mart(reviews),
        "cost_ledger": cost_mart({"classify": snapshot.claims, "draft": snapshot.drafts}, snapshot.as_of),
        "draft_feedback": conform("draft_feedback", accepted),
        "unhelpful_articles": conform("unhelpful_articles", unhelpful),
        "coverage_gaps": gap_mart(snapshot),
    }


def _bin(confidence: str) -> pl.Expr:
    """The lower end of one of ten bins of equal width; 1.0 falls in the last."""
    return (pl.col(confidence) * CONFIDENCE_BINS).floor().clip(0, CONFIDENCE_BINS - 1) / CONFIDENCE_BINS


def confidence_mart(claims: pl.DataFrame) -> pl.DataFrame:
    """Claims by confidence."""
    return conform(
        "confidence",
        claims.group_by(lower=_bin("confidence"))
        .agg(tickets=pl.len(), needs_review=pl.col("needs_review").sum())
        .with_columns(upper=pl.col("lower") + 1 / CONFIDENCE_BINS)
        .sort("lower"),
    )


def review_mart(answers: "list[Review]", tickets: pl.DataFrame) -> pl.DataFrame:
    """The answer that counts on each ticket, beside what triage had said when it was given."""
    columns = ("ticket_id", "label", "said", "confidence", "model_used", "answered_by", "note", "answered_at")
    rows = pl.DataFrame(
        [[getattr(answer, name) for name in columns] for answer in answers],
        schema={
            **dict.fromkeys(columns, pl.String()),
            "confidence": pl.Float64(),
            "answered_at": pl.Datetime("us", "UTC"),
        },
        orient="row",
    ).rename({"ticket_id": "ticket"})
    told = rows.join(tickets.select("ticket", "reference"), on="ticket", how="inner")
    return conform(
        "reviews", told.with_columns(is_right=pl.col("said") == pl.col("label")).sort("answered_at", "ticket")
    )


def calibration_mart(reviews: pl.DataFrame) -> pl.DataFrame:
    """By model and bin of confidence: how often people agreed. Only what people answered is counted, and what triage
    is unsure of is answered most; so a share speaks for its own bin and not for all tickets."""
    counted = (
        reviews.drop_nulls(["confidence", "model_used"])
        .group_by("model_used", lower=_bin("confidence"))
        .agg(answered=pl.len(), agreed=pl.col("is_right").sum(), mean_confidence=pl.col("confidence").mean())
        .with_columns(upper=pl.col("lower") + 1 / CONFIDENCE_BINS)
    )
    shared = with_share(counted, "share_agreed", pl.col("agreed"), pl.col("answered"))
    return conform("calibration", shared.sort("model_used", "lower"))


def cost_mart(tables: dict[str, pl.DataFrame], as_of: datetime) -> pl.DataFrame:
    """By UTC day, operation and model: calls, latency a ticket, tokens and US dollars."""
    days = [
        table.filter(pl.col("created_at") <= as_of)
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
    return conform("cost_ledger", pl.concat(days).sort("day", "operation", "model_used"))


def cited(drafts: pl.DataFrame) -> pl.DataFrame:
    """How many of these drafts cite each article: article_id, drafts."""
    source = pl.List(pl.Struct({"article_id": pl.String()}))
    named = drafts.filter("grounded").select("ticket", source=pl.col("citations").str.json_decode(source))
    articles = named.explode("source").select("ticket", article_id=pl.col("source").struct.field("article_id"))
    return articles.drop_nulls().unique().group_by("article_id").agg(drafts=pl.len().cast(pl.Int64))


def gap_mart(snapshot: Snapshot) -> pl.DataFrame:
    """What to write next: tickets whose last draft found no answer, those of one meaning together."""
    from triage.feedback.gaps import Uncovered, gaps

    policy = snapshot.policies.learning.gaps
    asked = snapshot.latest_drafts.filter(~pl.col("grounded")).join(snapshot.tickets, on="ticket", suffix="_of_ticket")
    newest = asked.sort("created_at_of_ticket", "ticket", descending=True).head(policy.newest_tickets)
    told = [
        Uncovered(*row) for row in newest.filter(pl.col("subject") != "").select("reference", "subject").iter_rows()
    ]
    found = gaps(told, snapshot.embedder.embed([one.subject for one in told]), policy) if told else []
    rows = [(place, gap.about, gap.tickets, ", ".join(gap.examples)) for place, gap in enumerate(found, start=1)]
    return pl.DataFrame(rows, schema=MARTS["coverage_gaps"].schema, orient="row")
