"""Customers, agents, teams, groups, and how to reach them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(18, 4).with_variant(sa.Text(), "sqlite")

TABLES = (
    "agents",
    "assignment_groups",
    "companies",
    "contacts",
    "empowerment_configs",
    "kanban_views",
    "notification_preferences",
    "teams",
    "agent_skills",
    "notification_queue",
    "silences",
    "team_members",
)


def upgrade() -> None:
    op.create_table(
        "agents",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(50), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("certifications", sa.JSON(), nullable=False),
        sa.Column("max_tickets", sa.Integer(), nullable=False),
        sa.Column("empowerment_limit", MONEY, nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        _one_of("agents", "role", "agent team_lead manager"),
        sa.PrimaryKeyConstraint("id", name="pk_agents"),
    )
    op.create_index("ix_agents_email", "agents", ["email"])
    op.create_table(
        "assignment_groups",
        sa.Column("group_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("location", sa.JSON(), nullable=False),
        sa.Column("capabilities", sa.JSON(), nullable=False),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("max_bandwidth", sa.Integer(), nullable=False),
        sa.Column("current_load", sa.Integer(), nullable=False),
        sa.Column("metrics", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("certifications", sa.JSON(), nullable=False),
        sa.Column("shift", sa.Text()),
        sa.Column("team_id", sa.Text()),
        sa.Column("is_vendor", sa.Boolean(), nullable=False),
        _one_of("assignment_groups", "status", "active inactive"),
        sa.PrimaryKeyConstraint("group_id", name="pk_assignment_groups"),
    )
    op.create_index("ix_assignment_groups_status", "assignment_groups", ["status"])
    op.create_index("ix_assignment_groups_team_id", "assignment_groups", ["team_id"])
    op.create_table(
        "companies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(50), nullable=False),
        sa.Column("segment", sa.Text()),
        sa.Column("region", sa.Text()),
        sa.Column("data_residency", sa.Text()),
        sa.Column("billing_status", sa.Text(), nullable=False),
        sa.Column("entitlements", sa.JSON(), nullable=False),
        sa.Column("default_policy", sa.Text()),
        _one_of("companies", "tier", "enterprise business standard free"),
        sa.PrimaryKeyConstraint("id", name="pk_companies"),
    )
    op.create_table(
        "contacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company_id", sa.Text()),
        sa.Column("tier", sa.String(50), nullable=False),
        sa.Column("vip", sa.Boolean(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text()),
        sa.Column("hubspot_id", sa.Text()),
        _one_of("contacts", "tier", "enterprise business standard free"),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
    )
    op.create_index("ix_contacts_company_id", "contacts", ["company_id"])
    op.create_index("ix_contacts_email", "contacts", ["email"])
    op.create_table(
        "empowerment_configs",
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.Column("tier1_limit", MONEY, nullable=False),
        sa.Column("tier2_limit", MONEY, nullable=False),
        sa.Column("tier3_requires", sa.JSON(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("team_id", name="pk_empowerment_configs"),
    )
    op.create_table(
        "kanban_views",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Text()),
        sa.Column("team_id", sa.Text()),
        sa.Column("column_field", sa.String(50), nullable=False),
        sa.Column("swimlane_field", sa.String(50)),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("wip_limits", sa.JSON(), nullable=False),
        sa.Column("wip_mode", sa.String(50), nullable=False),
        sa.Column("sort_by", sa.String(50), nullable=False),
        _one_of("kanban_views", "column_field", "status priority team agent"),
        _one_of("kanban_views", "sort_by", "priority_score created_at sla_breach"),
        _one_of("kanban_views", "swimlane_field", "status priority team agent"),
        _one_of("kanban_views", "wip_mode", "soft hard"),
        sa.PrimaryKeyConstraint("id", name="pk_kanban_views"),
    )
    op.create_index("ix_kanban_views_owner_id", "kanban_views", ["owner_id"])
    op.create_index("ix_kanban_views_team_id", "kanban_views", ["team_id"])
    op.create_table(
        "notification_preferences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("timing", sa.String(50), nullable=False),
        sa.Column("quiet_hours", sa.JSON()),
        _one_of("notification_preferences", "channel", "email teams in_app push digest"),
        _one_of("notification_preferences", "timing", "immediate hourly_digest daily_digest"),
        sa.PrimaryKeyConstraint("id", name="pk_notification_preferences"),
    )
    op.create_index("ix_notification_preferences_agent_id", "notification_preferences", ["agent_id"])
    op.create_table(
        "teams",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("supervisor_id", sa.Text()),
        sa.Column("manager_id", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_teams"),
    )
    op.create_table(
        "agent_skills",
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("skill", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name="fk_agent_skills_agent_id_agents", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "position", name="pk_agent_skills"),
    )
    op.create_index("ix_agent_skills_skill", "agent_skills", ["skill"])
    op.create_table(
        "notification_queue",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text()),
        sa.Column("channel", sa.String(50), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("scheduled_for", INSTANT, nullable=False),
        sa.Column("sent_at", INSTANT),
        sa.Column("batch_id", sa.Text()),
        _one_of("notification_queue", "channel", "email teams in_app push digest"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_notification_queue_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_notification_queue"),
    )
    op.create_index("ix_notification_queue_agent_id", "notification_queue", ["agent_id"])
    op.create_index("ix_notification_queue_scheduled_for", "notification_queue", ["scheduled_for"])
    op.create_index("ix_notification_queue_sent_at", "notification_queue", ["sent_at"])
    op.create_index("ix_notification_queue_ticket_id", "notification_queue", ["ticket_id"])
    op.create_table(
        "silences",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_silences_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
    )
    op.create_index("ix_silences_agent_id", "silences", ["agent_id"])
    op.create_index("ix_silences_ticket_id", "silences", ["ticket_id"])
    op.create_table(
        "team_members",
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name="fk_team_members_agent_id_agents", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("agent_id", "position", name="pk_team_members"),
    )
    op.create_index("ix_team_members_team_id", "team_members", ["team_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=f"ck_{table}_{column}")
