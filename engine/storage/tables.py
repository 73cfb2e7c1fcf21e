"""What is kept of tickets themselves: their state, what happened, who should get them, what was delivered.

The tables of people, of cases and of access stand in their own files on the same `metadata`, which is complete once
this is imported. Foreign keys lead to tickets, envelopes, resolutions and incidents only: a source may name people that
are unknown here.
"""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
)
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy import text as sql

from engine.contracts import Outcome, Priority, SlaEffect, Status, TicketType, Tier
from engine.storage import access_tables, case_tables, people_tables
from engine.storage.columns import instant, json_column, key, metadata, one_of, text, ticket_key, word

__all__ = ["access_tables", "case_tables", "events", "metadata", "people_tables", "tickets"]

tickets = Table(
    "tickets",
    metadata,
    key(),
    word("source"),
    text("external_id", index=True),
    text("reference", index=True),
    Column("subject", String(500), nullable=False),
    text("content"),
    word("type"),
    word("status", index=True),
    word("priority", index=True),
    word("tier", index=True),
    Column("vip", Boolean(), nullable=False),
    Column("escalated", Boolean(), nullable=False),
    text("category"),
    text("product", required=False, index=True),
    Column("urgency", Integer()),
    Column("impact", Integer()),
    text("channel"),
    text("language", required=False),
    json_column("tags"),
    json_column("location", required=False),
    text("requester_id", required=False, index=True),
    text("company_id", required=False),
    text("group_id", required=False, index=True),
    text("assignee_id", required=False),
    text("owner_id", required=False, index=True),
    text("accepted_by", required=False),
    instant("accepted_at", required=False),
    instant("created_at", index=True),
    instant("updated_at"),
    instant("first_response_at", required=False),
    instant("resolved_at", required=False),
    instant("closed_at", required=False),
    instant("agreed_due_at", required=False),
    word("outcome", required=False),
    json_column("source_verdict", required=False),
    json_column("unknown", required=False),
    json_column("external_metadata"),
    Column("version", Integer(), nullable=False),
    # Known to the store only: the values at creation, and what the source last said.
    word("created_status"),
    word("created_priority"),
    word("created_tier"),
    word("created_type"),
    instant("source_updated_at", required=False),
    json_column("delivered"),
    Unique("source", "external_id"),
    one_of("type", TicketType),
    one_of("status", Status),
    one_of("priority", Priority),
    one_of("tier", Tier),
    one_of("created_type", TicketType),
    one_of("created_status", Status),
    one_of("created_priority", Priority),
    one_of("created_tier", Tier),
    CheckConstraint("(owner_id IS NULL) = (accepted_by IS NULL)", name="owner_accepted"),
    CheckConstraint("version >= 0", name="version"),
)

events = Table(
    "events",
    metadata,
    key(),
    Column("ticket_id", Text(), ForeignKey("tickets.id"), nullable=False),
    Column("version", Integer(), nullable=False),
    word("kind"),
    instant("at"),
    text("value", required=False),
    text("actor"),
    text("reason", required=False),
    word("sla_effect"),
    json_column("data"),
    instant("recorded_at"),
    Column("hash", String(64), nullable=False),
    Unique("ticket_id", "version"),
    one_of("sla_effect", SlaEffect),
    CheckConstraint("version >= 1", name="version"),
)

allocation_decisions = Table(
    "allocation_decisions",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=True),
    ticket_key(),
    instant("decided_at", index=True),
    word("outcome"),
    text("group_id", required=False, index=True),
    text("group_name", required=False),
    text("assigned_to_user_id", required=False),
    Column("availability", Float()),
    Column("bandwidth", Float()),
    Column("velocity", Float()),
    Column("performance", Float()),
    Column("proximity", Float()),
    Column("cultural_fit", Float()),
    Column("timezone", Float()),
    Column("composite", Float()),
    text("rationale"),
    Column("confidence", Float(), nullable=False),
    text("policy"),
    json_column("alternatives"),
    instant("recorded_at"),
    one_of("outcome", Outcome),
)

OUTBOX_STATES = ("pending", "sent", "replaced", "refused")
_PENDING = sql("state = 'pending'")

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=True),
    text("destination"),
    ticket_key(required=False),
    text("key"),
    word("kind"),
    json_column("payload"),
    instant("created_at"),
    Column("attempts", Integer(), nullable=False),
    instant("next_attempt_at"),
    text("last_error", required=False),
    word("state"),
    instant("sent_at", required=False),
    Unique("destination", "key"),
    one_of("state", OUTBOX_STATES),
    Index(None, "state", "next_attempt_at"),
    Index(
        "uq_outbox_one_pending",
        "destination",
        "ticket_id",
        unique=True,
        sqlite_where=_PENDING,
        postgresql_where=_PENDING,
    ),
)

breakers = Table(
    "breakers",
    metadata,
    key("destination"),
    Column("failures", Integer(), nullable=False),
    instant("rests_until", required=False),
)

rejected_rows = Table(
    "rejected_rows",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=True),
    Column("fingerprint", String(64), nullable=False, unique=True),
    text("source", index=True),
    text("origin"),
    Column("row", Integer()),
    text("reason"),
    json_column("content"),
    instant("received_at"),
)

RECEIPT_STATES = ("waiting", "ingested", "rejected")

receipts = Table(
    "receipts",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=True),
    word("source"),
    Column("digest", String(64), nullable=False),
    Column("idempotency_key", String(200)),
    Column("body", LargeBinary(), nullable=False),
    instant("received_at"),
    text("key_id"),
    word("state"),
    text("error", required=False),
    Unique("digest", "source"),
    Unique("idempotency_key", "source"),
    one_of("state", RECEIPT_STATES),
    Index(None, "state", "id"),
)

pull_cursors = Table(
    "pull_cursors",
    metadata,
    Column("source", String(50), primary_key=True),
    Column("stream", Text(), primary_key=True),
    json_column("cursor"),
    instant("updated_at"),
)

ingest_batches = Table(
    "ingest_batches",
    metadata,
    Column("id", Integer(), primary_key=True, autoincrement=True),
    instant("received_at", index=True),
    Column("created", Integer(), nullable=False),
    Column("updated", Integer(), nullable=False),
    Column("skipped", Integer(), nullable=False),
    Column("rejected", Integer(), nullable=False),
    Column("events", Integer(), nullable=False),
)

last_runs = Table(
    "last_runs",
    metadata,
    Column("work", String(100), primary_key=True),
    instant("began_at"),
    instant("ended_at"),
    text("error", required=False),
    instant("succeeded_at", required=False),
)
