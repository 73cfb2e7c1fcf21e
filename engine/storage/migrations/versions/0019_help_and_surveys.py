"""Envelopes to vendors, and whether customers would recommend us."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("envelopes", sa.Column("is_vendor", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("surveys", sa.Column("nps", sa.Integer()))


def downgrade() -> None:
    op.drop_column("surveys", "nps")
    op.drop_column("envelopes", "is_vendor")
