"""What a second reviewer found in a grant."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "second_opinions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("resolution_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(50), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("given_by", sa.Text(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("outcome IN ('upheld', 'revised', 'coaching_needed')", name="ck_second_opinions_outcome"),
        sa.ForeignKeyConstraint(
            ["item_id"],
            ["calibration_items.id"],
            ondelete="CASCADE",
            name="fk_second_opinions_item_id_calibration_items",
        ),
        sa.ForeignKeyConstraint(
            ["resolution_id"],
            ["resolutions.id"],
            ondelete="CASCADE",
            name="fk_second_opinions_resolution_id_resolutions",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], ondelete="CASCADE", name="fk_second_opinions_ticket_id_tickets"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_second_opinions"),
    )
    for column in ("item_id", "resolution_id", "ticket_id"):
        op.create_index(f"ix_second_opinions_{column}", "second_opinions", [column])


def downgrade() -> None:
    op.drop_table("second_opinions")
