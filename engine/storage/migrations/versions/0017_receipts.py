"""What other systems posted, as they sent it, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "receipts",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("source", sa.String(50), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("idempotency_key", sa.String(200)),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("state", sa.String(50), nullable=False),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("state IN ('waiting', 'ingested', 'rejected')", name="ck_receipts_state"),
        sa.PrimaryKeyConstraint("id", name="pk_receipts"),
        sa.UniqueConstraint("digest", "source", name="uq_receipts_digest_source"),
        sa.UniqueConstraint("idempotency_key", "source", name="uq_receipts_idempotency_key_source"),
    )
    op.create_index("ix_receipts_state_id", "receipts", ["state", "id"])


def downgrade() -> None:
    op.drop_table("receipts")
