"""Which facts the rules were asked about, and which rules acted."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rule_firings",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("event", sa.String(50), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "event IN ('ticket.created', 'ticket.flagged', 'escalation.age_exceeded')", name="ck_rule_firings_event"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_rule_firings_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_rule_firings"),
    )
    for column in ("ticket_id", "event", "at"):
        op.create_index(f"ix_rule_firings_{column}", "rule_firings", [column])


def downgrade() -> None:
    op.drop_table("rule_firings")
