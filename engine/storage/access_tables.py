"""What is kept of who may do what: users, keys, who viewed customer data, and the log of what belongs to no ticket.

Nothing here leads to tickets or agents by a foreign key: who saw a ticket stays on record when the ticket goes.
"""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Integer, String, Table

from engine.storage.columns import instant, json_column, key, metadata, text, word

users = Table(
    "users",
    metadata,
    key(),
    text("name"),
    text("email", required=False),
    json_column("roles"),
    Column("is_active", Boolean(), nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    key(),
    Column("digest", String(64), nullable=False),
    text("user_id", required=False, index=True),
    text("source", required=False),
    instant("created_at"),
    text("created_by"),
    instant("revoked_at", required=False),
    text("revoked_by", required=False),
)

views = Table(
    "views",
    metadata,
    key(),
    text("user_id"),
    instant("at", index=True),
    text("door"),
    text("ticket_id", required=False, index=True),
    Index(None, "user_id", "at"),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("version", Integer(), primary_key=True, autoincrement=False),
    word("kind"),
    instant("at", required=False),
    text("subject"),
    text("actor"),
    json_column("data"),
    Column("hash", String(64), nullable=False),
    CheckConstraint("version >= 1", name="version"),
)
