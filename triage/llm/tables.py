"""The tables of what hosted models have cost each day, what was hidden from them, and what they answered before."""

from sqlalchemy import BigInteger, Column, Float, Index, Integer, String, Table

from engine.shared.columns import UtcInstant
from triage.tables import metadata

__all__ = ["llm_answers", "llm_redactions", "llm_usage", "metadata"]

llm_usage = Table(
    "llm_usage",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost", Float, nullable=False),
    Column("refused", Integer, nullable=False),
)

llm_redactions = Table(
    "llm_redactions",
    metadata,
    Column("day", String(10), primary_key=True),
    Column("kind", String(20), primary_key=True),
    Column("calls", Integer, nullable=False),
    Column("placeholders", BigInteger, nullable=False),
)

llm_answers = Table(
    "llm_answers",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("label", String(50), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("created_at", UtcInstant, nullable=False),
    Index("ix_llm_answers_created_at", "created_at"),
)
