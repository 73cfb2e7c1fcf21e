"""Notices: messages to people, made of the queue, sent through the outbox; channels by any name a desk gives them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
CHANNELS = ("email", "teams", "in_app", "push", "digest")
ROUTED = ("notification_queue", "notification_preferences")


def upgrade() -> None:
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("ticket_id", existing_type=sa.Text(), nullable=True)
    for table in ROUTED:
        with op.batch_alter_table(table) as routed:
            routed.drop_constraint(f"ck_{table}_channel", type_="check")
    op.add_column("notification_queue", sa.Column("notice_id", sa.Text()))
    op.create_index("ix_notification_queue_notice_id", "notification_queue", ["notice_id"])
    op.create_table(
        "notices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("news", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("read_at", INSTANT),
        sa.PrimaryKeyConstraint("id", name="pk_notices"),
    )
    op.create_index("ix_notices_agent_id", "notices", ["agent_id"])
    op.create_table(
        "breakers",
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("rests_until", INSTANT),
        sa.PrimaryKeyConstraint("destination", name="pk_breakers"),
    )
    op.create_table(
        "sla_alert_notices",
        sa.Column("alert_id", sa.String(64), nullable=False),
        sa.Column("queue_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["sla_alerts.id"], name="fk_sla_alert_notices_alert_id_sla_alerts", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("alert_id", "queue_id", name="pk_sla_alert_notices"),
    )
    op.create_index("ix_sla_alert_notices_queue_id", "sla_alert_notices", ["queue_id"])
    # So far an alert was marked as sent when its news was queued, and nothing could send it.
    op.execute(
        sa.text("UPDATE sla_alerts SET notification_sent = :no, notification_sent_at = NULL").bindparams(no=False)
    )


def downgrade() -> None:
    """What has no place in the older schema goes: messages of the outbox, rows for channels that it does not know."""
    op.drop_table("sla_alert_notices")
    op.drop_table("breakers")
    op.drop_table("notices")
    op.drop_index("ix_notification_queue_notice_id", "notification_queue")
    with op.batch_alter_table("notification_queue") as queue:
        queue.drop_column("notice_id")
    words = ", ".join(f"'{word}'" for word in CHANNELS)
    for table in ROUTED:
        op.execute(f"DELETE FROM {table} WHERE channel NOT IN ({words})")
        with op.batch_alter_table(table) as routed:
            routed.create_check_constraint(f"ck_{table}_channel", f"channel IN ({words})")
    op.execute("DELETE FROM outbox WHERE ticket_id IS NULL")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("ticket_id", existing_type=sa.Text(), nullable=False)
