"""Escalations to engineering and product, verdicts on lessons, an incident's severity, a customer's yearly revenue."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(18, 4).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.add_column("incidents", sa.Column("severity", sa.Text()))
    op.add_column("companies", sa.Column("annual_revenue_eur", MONEY))
    op.create_table(
        "escalations",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("side", sa.String(50), nullable=False),
        sa.Column("component", sa.Text(), nullable=False),
        sa.Column("bug", sa.Text()),
        sa.Column("impact", sa.JSON()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("side IN ('engineering', 'product')", name="ck_escalations_side"),
        sa.ForeignKeyConstraint(["id"], ["envelopes.id"], ondelete="CASCADE", name="fk_escalations_id_envelopes"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], ondelete="CASCADE", name="fk_escalations_ticket_id_tickets"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_escalations"),
    )
    op.create_index("ix_escalations_ticket_id", "escalations", ["ticket_id"])
    op.create_index("ix_escalations_component", "escalations", ["component"])
    op.create_table(
        "lesson_reviews",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(50), nullable=False),
        sa.Column("title", sa.Text()),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("reviewed_at", INSTANT, nullable=False),
        sa.CheckConstraint("verdict IN ('accepted', 'rejected')", name="ck_lesson_reviews_verdict"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], ondelete="CASCADE", name="fk_lesson_reviews_ticket_id_tickets"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_lesson_reviews"),
    )
    op.create_index("ix_lesson_reviews_ticket_id", "lesson_reviews", ["ticket_id"])
    op.create_index("ix_lesson_reviews_verdict", "lesson_reviews", ["verdict"])


def downgrade() -> None:
    op.drop_table("lesson_reviews")
    op.drop_table("escalations")
    op.drop_column("companies", "annual_revenue_eur")
    op.drop_column("incidents", "severity")
