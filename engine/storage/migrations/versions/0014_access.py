"""Users, keys, who viewed what, and a chained log of what belongs to no ticket, which the database itself keeps."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
REFUSALS = {"audit_log_stays": "UPDATE", "audit_log_is_kept": "DELETE"}
REFUSAL = "the audit log never changes"


def upgrade() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Text()),
        sa.Column("source", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("revoked_at", INSTANT),
        sa.Column("revoked_by", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
    )
    op.create_index("ix_api_keys_user_id", "api_keys", ["user_id"])
    op.create_table(
        "views",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("door", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_views"),
    )
    op.create_index("ix_views_at", "views", ["at"])
    op.create_index("ix_views_ticket_id", "views", ["ticket_id"])
    op.create_index("ix_views_user_id_at", "views", ["user_id", "at"])
    op.create_table(
        "audit_log",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("at", INSTANT),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.CheckConstraint("version >= 1", name="ck_audit_log_version"),
        sa.PrimaryKeyConstraint("version", name="pk_audit_log"),
    )
    _guard()


def downgrade() -> None:
    for table in ("audit_log", "views", "api_keys", "users"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_log_stays()")


def _guard() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE FUNCTION audit_log_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
        each = "EXECUTE FUNCTION audit_log_stays()"
        for name, action in REFUSALS.items():
            op.execute(f"CREATE TRIGGER {name} BEFORE {action} ON audit_log FOR EACH ROW {each}")
        op.execute(f"CREATE TRIGGER audit_log_is_not_emptied BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT {each}")
        return
    for name, action in REFUSALS.items():
        op.execute(
            f"CREATE TRIGGER {name} BEFORE {action} ON audit_log FOR EACH ROW "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
        )
