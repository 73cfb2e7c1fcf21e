"""What a ticket's text and facts tell beside its product, and the earlier tickets it may belong to."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)

TABLES = ("enrichments", "related_tickets")


def upgrade() -> None:
    op.create_table(
        "enrichments",
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("language", sa.String(10)),
        sa.Column("language_confidence", sa.Float()),
        sa.Column("complexity", sa.Float(), nullable=False),
        sa.Column("complexity_parts", sa.JSON(), nullable=False),
        sa.Column("error_codes", sa.JSON(), nullable=False),
        sa.Column("sentiment", sa.Float()),
        sa.Column("sentiment_phrases", sa.JSON(), nullable=False),
        sa.Column("urgency", sa.String(50), nullable=False),
        sa.Column("urgency_reasons", sa.JSON(), nullable=False),
        sa.Column("suggested_priority", sa.String(50)),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id"),
    )
    op.create_table(
        "related_tickets",
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("other_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("similarity", sa.Float(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["other_id"], ["tickets.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("ticket_id", "other_id"),
    )
    op.create_index("ix_related_tickets_other_id", "related_tickets", ["other_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
