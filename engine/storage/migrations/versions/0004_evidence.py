"""What a case is tied to: incidents, resources, evidence, runbooks; nudges, surveys and feedback."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

TABLES = (
    "incidents",
    "affected_resources",
    "alerts",
    "evidence",
    "feedback_signals",
    "linked_incidents",
    "linked_runbooks",
    "surveys",
)


def upgrade() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("commander", sa.Text()),
        sa.Column("channel", sa.Text()),
        sa.Column("corrective_actions", sa.JSON(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incidents"),
    )
    op.create_table(
        "affected_resources",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("region", sa.Text()),
        sa.Column("version", sa.Text()),
        sa.Column("config_snapshot", sa.JSON(), nullable=False),
        sa.Column("health", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_affected_resources_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_affected_resources"),
    )
    op.create_index("ix_affected_resources_resource", "affected_resources", ["resource"])
    op.create_index("ix_affected_resources_ticket_id", "affected_resources", ["ticket_id"])
    op.create_table(
        "alerts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("condition", sa.String(50), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("recipients", sa.JSON(), nullable=False),
        sa.Column("triggered_at", INSTANT, nullable=False),
        sa.Column("acknowledged_by", sa.Text()),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("cleared_at", INSTANT),
        _one_of("alerts", "condition", "not_assigned not_updated not_completed"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_alerts_ticket_id_tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_alerts"),
    )
    op.create_index("ix_alerts_ticket_id", "alerts", ["ticket_id"])
    op.create_index("ix_alerts_triggered_at", "alerts", ["triggered_at"])
    op.create_table(
        "evidence",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("evidence", "kind", "log trace config screenshot diagnostics document"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_evidence_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
    )
    op.create_index("ix_evidence_ticket_id", "evidence", ["ticket_id"])
    op.create_table(
        "feedback_signals",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("backlog", sa.String(50), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("feedback_signals", "backlog", "reliability product docs"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_feedback_signals_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_feedback_signals"),
    )
    op.create_index("ix_feedback_signals_ticket_id", "feedback_signals", ["ticket_id"])
    op.create_table(
        "linked_incidents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incidents.id"], name="fk_linked_incidents_incident_id_incidents", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_linked_incidents_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_linked_incidents"),
    )
    op.create_index("ix_linked_incidents_incident_id", "linked_incidents", ["incident_id"])
    op.create_index("ix_linked_incidents_ticket_id", "linked_incidents", ["ticket_id"])
    op.create_table(
        "linked_runbooks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("runbook", sa.Text(), nullable=False),
        sa.Column("linked_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_linked_runbooks_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_linked_runbooks"),
    )
    op.create_index("ix_linked_runbooks_runbook", "linked_runbooks", ["runbook"])
    op.create_index("ix_linked_runbooks_ticket_id", "linked_runbooks", ["ticket_id"])
    op.create_table(
        "surveys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("csat", sa.Integer(), nullable=False),
        sa.Column("is_complaint", sa.Boolean(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("csat BETWEEN 1 AND 5", name="ck_surveys_csat"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_surveys_ticket_id_tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_surveys"),
    )
    op.create_index("ix_surveys_ticket_id", "surveys", ["ticket_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=f"ck_{table}_{column}")
