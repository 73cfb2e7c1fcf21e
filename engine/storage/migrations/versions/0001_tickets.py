"""Tickets, what happened to them, who should get them, what was delivered."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

TABLES = (
    "ingest_batches",
    "rejected_rows",
    "tickets",
    "allocation_decisions",
    "events",
)


# The history is never rewritten, and who accepted a ticket first stays on record: the database itself refuses it.
REFUSALS = {
    "events_stay": ("events", "UPDATE", "events never change", None),
    "events_are_kept": ("events", "DELETE", "events never change: they can't be deleted", None),
    "accepted_by_stays": (
        "tickets",
        "UPDATE",
        "accepted_by never changes",
        "OLD.accepted_by IS NOT NULL AND NEW.accepted_by IS {distinct} OLD.accepted_by",
    ),
}


def upgrade() -> None:
    op.create_table(
        "ingest_batches",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("created", sa.Integer(), nullable=False),
        sa.Column("updated", sa.Integer(), nullable=False),
        sa.Column("skipped", sa.Integer(), nullable=False),
        sa.Column("rejected", sa.Integer(), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_ingest_batches"),
    )
    op.create_index("ix_ingest_batches_received_at", "ingest_batches", ["received_at"])
    op.create_table(
        "rejected_rows",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_rejected_rows"),
        sa.UniqueConstraint("fingerprint", name="uq_rejected_rows_fingerprint"),
    )
    op.create_index("ix_rejected_rows_source", "rejected_rows", ["source"])
    op.create_table(
        "tickets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("subject", sa.String(500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("priority", sa.String(50), nullable=False),
        sa.Column("tier", sa.String(50), nullable=False),
        sa.Column("vip", sa.Boolean(), nullable=False),
        sa.Column("escalated", sa.Boolean(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("product", sa.Text()),
        sa.Column("urgency", sa.Integer()),
        sa.Column("impact", sa.Integer()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text()),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("location", sa.JSON()),
        sa.Column("requester_id", sa.Text()),
        sa.Column("company_id", sa.Text()),
        sa.Column("group_id", sa.Text()),
        sa.Column("assignee_id", sa.Text()),
        sa.Column("owner_id", sa.Text()),
        sa.Column("accepted_by", sa.Text()),
        sa.Column("accepted_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("first_response_at", INSTANT),
        sa.Column("resolved_at", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("external_metadata", sa.JSON(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_status", sa.String(50), nullable=False),
        sa.Column("created_priority", sa.String(50), nullable=False),
        sa.Column("created_tier", sa.String(50), nullable=False),
        sa.Column("created_type", sa.String(50), nullable=False),
        sa.Column("source_updated_at", INSTANT),
        sa.Column("delivered", sa.JSON(), nullable=False),
        sa.CheckConstraint("(owner_id IS NULL) = (accepted_by IS NULL)", name="ck_tickets_owner_accepted"),
        _one_of("tickets", "created_priority", "critical high medium low"),
        _one_of(
            "tickets",
            "created_status",
            "new triage in_progress waiting_customer waiting_internal waiting_vendor resolved closed",
        ),
        _one_of("tickets", "created_tier", "enterprise business standard free"),
        _one_of("tickets", "created_type", "incident request change problem"),
        _one_of("tickets", "priority", "critical high medium low"),
        _one_of(
            "tickets",
            "status",
            "new triage in_progress waiting_customer waiting_internal waiting_vendor resolved closed",
        ),
        _one_of("tickets", "tier", "enterprise business standard free"),
        _one_of("tickets", "type", "incident request change problem"),
        sa.CheckConstraint("version >= 0", name="ck_tickets_version"),
        sa.PrimaryKeyConstraint("id", name="pk_tickets"),
        sa.UniqueConstraint("source", "external_id", name="uq_tickets_source_external_id"),
    )
    op.create_index("ix_tickets_created_at", "tickets", ["created_at"])
    op.create_index("ix_tickets_external_id", "tickets", ["external_id"])
    op.create_index("ix_tickets_group_id", "tickets", ["group_id"])
    op.create_index("ix_tickets_owner_id", "tickets", ["owner_id"])
    op.create_index("ix_tickets_priority", "tickets", ["priority"])
    op.create_index("ix_tickets_product", "tickets", ["product"])
    op.create_index("ix_tickets_reference", "tickets", ["reference"])
    op.create_index("ix_tickets_requester_id", "tickets", ["requester_id"])
    op.create_index("ix_tickets_status", "tickets", ["status"])
    op.create_index("ix_tickets_tier", "tickets", ["tier"])
    op.create_table(
        "allocation_decisions",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("decided_at", INSTANT, nullable=False),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("group_id", sa.Text()),
        sa.Column("group_name", sa.Text()),
        sa.Column("assigned_to_user_id", sa.Text()),
        sa.Column("availability", sa.Float()),
        sa.Column("bandwidth", sa.Float()),
        sa.Column("velocity", sa.Float()),
        sa.Column("performance", sa.Float()),
        sa.Column("proximity", sa.Float()),
        sa.Column("cultural_fit", sa.Float()),
        sa.Column("timezone", sa.Float()),
        sa.Column("composite", sa.Float()),
        sa.Column("rationale", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("alternatives", sa.JSON(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        _one_of("allocation_decisions", "outcome", "allocated waiting no_skill"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_allocation_decisions_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_allocation_decisions"),
    )
    op.create_index("ix_allocation_decisions_decided_at", "allocation_decisions", ["decided_at"])
    op.create_index("ix_allocation_decisions_group_id", "allocation_decisions", ["group_id"])
    op.create_index("ix_allocation_decisions_ticket_id", "allocation_decisions", ["ticket_id"])
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("sla_effect", sa.String(50), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("recorded_at", INSTANT, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        _one_of("events", "sla_effect", "none start pause resume stop reopen rebase"),
        sa.CheckConstraint("version >= 1", name="ck_events_version"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_events_ticket_id_tickets"),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.UniqueConstraint("ticket_id", "version", name="uq_events_ticket_id_version"),
    )
    _guard()


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for name in REFUSALS:
            op.execute(f"DROP FUNCTION {name}()")


def _guard() -> None:
    on_postgres = op.get_bind().dialect.name == "postgresql"
    for name, (table, action, message, condition) in REFUSALS.items():
        when = f" WHEN ({condition})" if condition else ""
        literal = message.replace("'", "''")
        if on_postgres:
            op.execute(
                f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                f"RAISE EXCEPTION '{literal}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            when = when.format(distinct="DISTINCT FROM")
            each = f"FOR EACH ROW{when} EXECUTE FUNCTION {name}()"
            op.execute(f"CREATE TRIGGER {name} BEFORE {action} ON {table} {each}")
        else:
            when = when.format(distinct="NOT")
            refuse = f"SELECT RAISE(ABORT, '{literal}');"
            op.execute(f"CREATE TRIGGER {name} BEFORE {action} ON {table} FOR EACH ROW{when} BEGIN {refuse} END")
    if on_postgres:
        each = "FOR EACH STATEMENT EXECUTE FUNCTION events_are_kept()"
        op.execute(f"CREATE TRIGGER events_are_not_emptied BEFORE TRUNCATE ON events {each}")


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=f"ck_{table}_{column}")
