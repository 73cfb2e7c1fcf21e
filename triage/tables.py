"""The tables of what triage claims and drafts, linked to the system of record by the desk's ticket key."""

from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from engine.shared.columns import UtcInstant

metadata = MetaData()

triage_tickets = Table(
    "triage_tickets",
    metadata,
    Column("ticket_id", String(260), primary_key=True),
    Column("subject", String(500), nullable=False),
    Column("content", Text, nullable=False),
    Column("priority", String(50)),
    Column("tier", String(50)),
    Column("language", String(50)),
    Column("content_hash", String(64), nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Column("updated_at", UtcInstant, nullable=False),
)


def _claim_columns() -> list[Column[Any]]:
    return [
        Column("model_used", String(200), nullable=False),
        Column("prompt_hash", String(64)),
        Column("latency_ms", Integer, nullable=False),
        Column("prompt_tokens", Integer, nullable=False),
        Column("completion_tokens", Integer, nullable=False),
        Column("cost", Float, nullable=False),
        Column("created_at", UtcInstant, nullable=False),
    ]


def _ticket_key() -> Column[Any]:
    return Column("ticket_id", String(260), ForeignKey("triage_tickets.ticket_id", ondelete="CASCADE"), nullable=False)


classifications = Table(
    "classifications",
    metadata,
    Column("id", String(64), primary_key=True),
    _ticket_key(),
    Column("product", String(50), nullable=False),
    Column("urgency", String(50), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("reasoning", Text, nullable=False),
    Column("needs_review", Boolean, nullable=False),
    Column("runner_up", String(50)),
    Column("runner_up_confidence", Float),
    *_claim_columns(),
    Index("ix_classifications_ticket_id", "ticket_id", "created_at"),
    Index("ix_classifications_product", "product"),
    Index("ix_classifications_urgency", "urgency"),
    Index("ix_classifications_created_at", "created_at"),
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", String(64), primary_key=True),
    _ticket_key(),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("macros", JSON, nullable=False),
    Column("grounded", Boolean, nullable=False),
    *_claim_columns(),
    Index("ix_suggestions_ticket_id", "ticket_id", "created_at"),
    Index("ix_suggestions_created_at", "created_at"),
)
