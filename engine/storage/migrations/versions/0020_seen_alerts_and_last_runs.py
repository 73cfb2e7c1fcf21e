"""Who has seen an alert of a clock; when each stage of a cycle ran last, and why it failed."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sla_alerts", sa.Column("acknowledged_by", sa.Text()))
    op.add_column("sla_alerts", sa.Column("acknowledged_at", sa.DateTime(timezone=True)))
    op.create_table(
        "last_runs",
        sa.Column("work", sa.String(100), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("error", sa.Text()),
        sa.Column("succeeded_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("work", name="pk_last_runs"),
    )


def downgrade() -> None:
    op.drop_table("last_runs")
    with op.batch_alter_table("sla_alerts") as alerts:
        alerts.drop_column("acknowledged_at")
        alerts.drop_column("acknowledged_by")
