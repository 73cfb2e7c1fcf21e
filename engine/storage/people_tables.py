"""What is kept of people: customers who ask, agents who answer, groups that take the load, and how to reach them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, Table, Text

from engine.contracts import GroupStatus, Role, Tier
from engine.kanban import ColumnField, SortBy, WipMode
from engine.notifications import Timing
from engine.shared.columns import Money
from engine.storage.columns import instant, json_column, key, metadata, one_of, text, ticket_key, word

companies = Table(
    "companies",
    metadata,
    key(),
    text("name"),
    word("tier"),
    text("segment", required=False),
    text("region", required=False),
    text("data_residency", required=False),
    text("billing_status"),
    json_column("entitlements"),
    Column("annual_revenue_eur", Money()),
    text("default_policy", required=False),
    one_of("tier", Tier),
)

contacts = Table(
    "contacts",
    metadata,
    key(),
    text("email", index=True),
    text("name"),
    text("company_id", required=False, index=True),
    word("tier"),
    Column("vip", Boolean(), nullable=False),
    text("language"),
    text("timezone", required=False),
    text("hubspot_id", required=False),
    one_of("tier", Tier),
)

teams = Table(
    "teams",
    metadata,
    key(),
    text("name"),
    text("supervisor_id", required=False),
    text("manager_id", required=False),
)

agents = Table(
    "agents",
    metadata,
    key(),
    text("email", index=True),
    text("name"),
    word("role"),
    json_column("languages"),
    json_column("certifications"),
    Column("max_tickets", Integer(), nullable=False),
    Column("empowerment_limit", Money(), nullable=False),
    text("timezone"),
    Column("is_active", Boolean(), nullable=False),
    text("shift", required=False),
    Column("absences", JSON(none_as_null=True), nullable=False, server_default="[]"),
    one_of("role", Role),
)


def _agent_key() -> Column[str]:
    return Column("agent_id", Text(), ForeignKey("agents.id", ondelete="CASCADE"), primary_key=True)


team_members = Table(
    "team_members",
    metadata,
    _agent_key(),
    Column("position", Integer(), primary_key=True, autoincrement=False),
    text("team_id", index=True),
)

agent_skills = Table(
    "agent_skills",
    metadata,
    _agent_key(),
    Column("position", Integer(), primary_key=True, autoincrement=False),
    text("skill", index=True),
)

empowerment_configs = Table(
    "empowerment_configs",
    metadata,
    key("team_id"),
    Column("tier1_limit", Money(), nullable=False),
    Column("tier2_limit", Money(), nullable=False),
    json_column("tier3_requires"),
    text("currency"),
)

assignment_groups = Table(
    "assignment_groups",
    metadata,
    key("group_id"),
    text("name"),
    json_column("location"),
    json_column("capabilities"),
    word("status", index=True),
    Column("max_bandwidth", Integer(), nullable=False),
    Column("current_load", Integer(), nullable=False),
    json_column("metrics"),
    json_column("languages"),
    json_column("certifications"),
    text("shift", required=False),
    text("team_id", required=False, index=True),
    Column("is_vendor", Boolean(), nullable=False),
    one_of("status", GroupStatus),
)

notification_preferences = Table(
    "notification_preferences",
    metadata,
    key(),
    text("agent_id", index=True),
    text("event_type"),
    word("channel"),
    word("timing"),
    json_column("quiet_hours", required=False),
    one_of("timing", Timing),
)

notification_queue = Table(
    "notification_queue",
    metadata,
    key(),
    text("agent_id", index=True),
    text("event_type"),
    ticket_key(required=False),
    word("channel"),
    json_column("payload"),
    instant("created_at"),
    instant("scheduled_for", index=True),
    instant("sent_at", required=False, index=True),
    text("batch_id", required=False),
    text("notice_id", required=False, index=True),
)

notices = Table(
    "notices",
    metadata,
    key(),
    text("agent_id", index=True),
    word("channel"),
    text("destination"),
    text("subject"),
    text("text"),
    Column("news", Integer(), nullable=False),
    instant("created_at"),
    instant("sent_at", required=False),
    instant("read_at", required=False),
)

silences = Table(
    "silences",
    metadata,
    key(),
    text("agent_id", index=True),
    ticket_key(),
    instant("until"),
)

kanban_views = Table(
    "kanban_views",
    metadata,
    key(),
    text("name"),
    text("owner_id", required=False, index=True),
    text("team_id", required=False, index=True),
    word("column_field"),
    word("swimlane_field", required=False),
    json_column("filters"),
    json_column("wip_limits"),
    word("wip_mode"),
    word("sort_by"),
    one_of("column_field", ColumnField),
    one_of("swimlane_field", ColumnField),
    one_of("wip_mode", WipMode),
    one_of("sort_by", SortBy),
)
