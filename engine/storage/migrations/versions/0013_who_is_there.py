"""When agents work, and when they are away."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("agents", sa.Column("shift", sa.Text()))
    op.add_column("agents", sa.Column("absences", sa.JSON(), nullable=False, server_default="[]"))


def downgrade() -> None:
    op.drop_column("agents", "absences")
    op.drop_column("agents", "shift")
