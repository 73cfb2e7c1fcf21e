"""What the SLA engine alerts on, and what triage claims and drafts."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

TABLES = (
    "sla_alerts",
    "triage_tickets",
    "classifications",
    "suggestions",
)


def upgrade() -> None:
    op.create_table(
        "sla_alerts",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("ticket_external_id", sa.Text(), nullable=False),
        sa.Column("sla_type", sa.String(50), nullable=False),
        sa.Column("alert_type", sa.String(50), nullable=False),
        sa.Column("triggered_at", INSTANT, nullable=False),
        sa.Column("deadline", INSTANT),
        sa.Column("remaining_seconds", sa.Float(), nullable=False),
        sa.Column("state", sa.String(50), nullable=False),
        sa.Column("escalation_level", sa.Integer(), nullable=False),
        sa.Column("notification_sent", sa.Boolean(), nullable=False),
        sa.Column("notification_sent_at", INSTANT),
        sa.Column("dedupe_key", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_sla_alerts_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sla_alerts"),
        sa.UniqueConstraint("dedupe_key", name="uq_sla_alerts_dedupe_key"),
    )
    op.create_index("ix_sla_alerts_state", "sla_alerts", ["state"])
    op.create_index("ix_sla_alerts_ticket_id", "sla_alerts", ["ticket_id"])
    op.create_index("ix_sla_alerts_triggered_at", "sla_alerts", ["triggered_at"])
    op.create_table(
        "triage_tickets",
        sa.Column("ticket_id", sa.String(260), nullable=False),
        sa.Column("subject", sa.String(500), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("priority", sa.String(50)),
        sa.Column("tier", sa.String(50)),
        sa.Column("language", sa.String(50)),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    op.create_table(
        "classifications",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.String(260), nullable=False),
        sa.Column("product", sa.String(50), nullable=False),
        sa.Column("urgency", sa.String(50), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("reasoning", sa.Text(), nullable=False),
        sa.Column("needs_review", sa.Boolean(), nullable=False),
        sa.Column("runner_up", sa.String(50)),
        sa.Column("runner_up_confidence", sa.Float()),
        sa.Column("model_used", sa.String(200), nullable=False),
        sa.Column("prompt_hash", sa.String(64)),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["triage_tickets.ticket_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_classifications_created_at", "classifications", ["created_at"])
    op.create_index("ix_classifications_product", "classifications", ["product"])
    op.create_index("ix_classifications_ticket_id", "classifications", ["ticket_id", "created_at"])
    op.create_index("ix_classifications_urgency", "classifications", ["urgency"])
    op.create_table(
        "suggestions",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ticket_id", sa.String(260), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("citations", sa.JSON(), nullable=False),
        sa.Column("macros", sa.JSON(), nullable=False),
        sa.Column("grounded", sa.Boolean(), nullable=False),
        sa.Column("model_used", sa.String(200), nullable=False),
        sa.Column("prompt_hash", sa.String(64)),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False),
        sa.Column("completion_tokens", sa.Integer(), nullable=False),
        sa.Column("cost", sa.Float(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["triage_tickets.ticket_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_suggestions_created_at", "suggestions", ["created_at"])
    op.create_index("ix_suggestions_ticket_id", "suggestions", ["ticket_id", "created_at"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
