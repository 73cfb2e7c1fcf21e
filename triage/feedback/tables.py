"""The tables of what people answered, what became of drafts, and which phrases and models were learned from it."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from engine.shared.columns import UtcInstant
from triage.tables import metadata

__all__ = ["feedback", "metadata", "model_runs", "phrase_decisions", "review_withdrawals", "reviews"]


def _number() -> Column[Any]:
    """The order of arrival, given by the database: what came last counts, also when clocks disagree."""
    return Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True)


def _ticket_key() -> Column[Any]:
    return Column("ticket_id", String(260), ForeignKey("triage_tickets.ticket_id", ondelete="CASCADE"), nullable=False)


reviews = Table(
    "reviews",
    metadata,
    _number(),
    _ticket_key(),
    Column("label", String(50), nullable=False),
    Column("text", Text, nullable=False),
    Column("claim_id", String(64)),
    Column("said", String(50)),
    Column("confidence", Float),
    Column("model_used", String(200)),
    Column("answered_by", String(200), nullable=False),
    Column("note", Text, nullable=False),
    Column("opened_at", UtcInstant, nullable=False),
    Column("answered_at", UtcInstant, nullable=False),
    Index("ix_reviews_ticket_id", "ticket_id", "number"),
)

review_withdrawals = Table(
    "review_withdrawals",
    metadata,
    Column(
        "number",
        BigInteger().with_variant(Integer, "sqlite"),
        ForeignKey("reviews.number", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    ),
    Column("withdrawn_by", String(200), nullable=False),
    Column("withdrawn_at", UtcInstant, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    _number(),
    _ticket_key(),
    Column("suggestion_id", String(64), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("distance", Float),
    Column("text", Text),
    Column("reason", Text),
    Column("label", String(50)),
    Column("articles", JSON, nullable=False),
    Column("model_used", String(200), nullable=False),
    Column("given_by", String(200), nullable=False),
    Column("given_at", UtcInstant, nullable=False),
    Index("ix_feedback_suggestion_id", "suggestion_id", "number"),
    Index("ix_feedback_ticket_id", "ticket_id"),
)

phrase_decisions = Table(
    "phrase_decisions",
    metadata,
    _number(),
    Column("phrase", String(200), nullable=False),
    Column("label", String(50), nullable=False),
    Column("is_accepted", Boolean, nullable=False),
    Column("texts", Integer, nullable=False),
    Column("decided_by", String(200), nullable=False),
    Column("decided_at", UtcInstant, nullable=False),
)

model_runs = Table(
    "model_runs",
    metadata,
    _number(),
    Column("name", String(200), nullable=False),
    Column("file", String(500), nullable=False),
    Column("data_sha256", String(64), nullable=False),
    Column("champion", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("learned_rows", Integer, nullable=False),
    Column("reviews_seen", Integer, nullable=False),
    Column("tested", Integer, nullable=False),
    Column("champion_right", Integer, nullable=False),
    Column("challenger_right", Integer, nullable=False),
    Column("difference_low", Float, nullable=False),
    Column("took_over", Boolean, nullable=False),
    Column("succeeds", BigInteger),
    Column("measured", JSON, nullable=False),
    Column("reference", JSON, nullable=False),
    Column("trained_at", UtcInstant, nullable=False),
    UniqueConstraint("succeeds", name="uq_model_runs_succeeds"),
)
