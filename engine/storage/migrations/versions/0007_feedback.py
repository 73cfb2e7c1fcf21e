"""What people answered in review, what became of drafts, and which models were learned from it."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = ("reviews", "feedback", "model_runs")


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.String(260), nullable=False),
        sa.Column("label", sa.String(50), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.String(64)),
        sa.Column("said", sa.String(50)),
        sa.Column("confidence", sa.Float()),
        sa.Column("model_used", sa.String(200)),
        sa.Column("answered_by", sa.String(200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("opened_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["triage_tickets.ticket_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_reviews_ticket_id", "reviews", ["ticket_id", "number"])
    op.create_table(
        "feedback",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("ticket_id", sa.String(260), nullable=False),
        sa.Column("suggestion_id", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("distance", sa.Float()),
        sa.Column("text", sa.Text()),
        sa.Column("reason", sa.Text()),
        sa.Column("label", sa.String(50)),
        sa.Column("articles", sa.JSON(), nullable=False),
        sa.Column("model_used", sa.String(200), nullable=False),
        sa.Column("given_by", sa.String(200), nullable=False),
        sa.Column("given_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["triage_tickets.ticket_id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_feedback_suggestion_id", "feedback", ["suggestion_id", "number"])
    op.create_index("ix_feedback_ticket_id", "feedback", ["ticket_id"])
    op.create_table(
        "model_runs",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("file", sa.String(500), nullable=False),
        sa.Column("data_sha256", sa.String(64), nullable=False),
        sa.Column("champion", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("learned_rows", sa.Integer(), nullable=False),
        sa.Column("reviews_seen", sa.Integer(), nullable=False),
        sa.Column("tested", sa.Integer(), nullable=False),
        sa.Column("champion_right", sa.Integer(), nullable=False),
        sa.Column("challenger_right", sa.Integer(), nullable=False),
        sa.Column("difference_low", sa.Float(), nullable=False),
        sa.Column("took_over", sa.Boolean(), nullable=False),
        sa.Column("succeeds", sa.BigInteger()),
        sa.Column("measured", sa.JSON(), nullable=False),
        sa.Column("reference", sa.JSON(), nullable=False),
        sa.Column("trained_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("succeeds", name="uq_model_runs_succeeds"),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
