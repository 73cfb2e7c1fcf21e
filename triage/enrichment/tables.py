"""The tables of what enriching told of each ticket, beside the desk's own table of tickets."""

from sqlalchemy import JSON, Column, Float, ForeignKey, Index, LargeBinary, MetaData, String, Table, Text

from engine.shared.columns import UtcInstant

__all__ = ["enrichments", "metadata", "related_tickets"]

metadata = MetaData()

tickets = Table("tickets", metadata, Column("id", Text, primary_key=True), info={"owned_by": "engine"})
"""The desk's own table; only its key is known here. With a ticket goes what was told of it."""

enrichments = Table(
    "enrichments",
    metadata,
    Column("ticket_id", Text, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("language", String(10)),
    Column("language_confidence", Float),
    Column("complexity", Float, nullable=False),
    Column("complexity_parts", JSON, nullable=False),
    Column("error_codes", JSON, nullable=False),
    Column("sentiment", Float),
    Column("sentiment_phrases", JSON, nullable=False),
    Column("urgency", String(50), nullable=False),
    Column("urgency_reasons", JSON, nullable=False),
    Column("suggested_priority", String(50)),
    Column("signature", LargeBinary, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("created_at", UtcInstant, nullable=False),
)

related_tickets = Table(
    "related_tickets",
    metadata,
    Column("ticket_id", Text, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Text, ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("similarity", Float, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Index("ix_related_tickets_other_id", "other_id"),
)
