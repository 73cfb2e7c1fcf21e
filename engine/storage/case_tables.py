"""What is kept of a case beside its ticket: help asked for, work, talk, flags, grants, reviews, evidence, nudges."""

from sqlalchemy import Boolean, CheckConstraint, Column, Float, ForeignKey, Integer, Table, Text, false

from engine.alert_matrix import Condition
from engine.cases import Backlog, EvidenceKind
from engine.envelopes import EnvelopeStatus
from engine.escalations import Side
from engine.flags import FlagType
from engine.grant_review import Reason, ReviewOutcome, ReviewStatus
from engine.lessons import Verdict
from engine.reminders import ReminderStatus, ReminderType
from engine.resolutions import (
    ApprovalStatus,
    Eligibility,
    EmpowermentTier,
    GrantReviewStatus,
    ResolutionType,
    WentWrong,
)
from engine.rules import Trigger
from engine.shared.columns import Money
from engine.storage.columns import instant, json_column, key, metadata, one_of, text, ticket_key, word
from engine.tasks import TaskStatus
from engine.timeline import EntryType, Visibility


def _envelope_key() -> Column[str]:
    return Column("envelope_id", Text(), ForeignKey("envelopes.id", ondelete="CASCADE"), index=True)


def _resolution_key() -> Column[str]:
    return Column("resolution_id", Text(), ForeignKey("resolutions.id", ondelete="CASCADE"), nullable=False, index=True)


envelopes = Table(
    "envelopes",
    metadata,
    key(),
    ticket_key(),
    text("requested_by"),
    text("assigned_to", required=False, index=True),
    text("team_id", required=False, index=True),
    Column("is_vendor", Boolean(), nullable=False, server_default=false()),
    word("status", index=True),
    text("reason"),
    text("summary", required=False),
    instant("created_at"),
    instant("response_due_at"),
    instant("accepted_at", required=False),
    instant("completed_at", required=False),
    one_of("status", EnvelopeStatus),
)

tasks = Table(
    "tasks",
    metadata,
    key(),
    ticket_key(),
    _envelope_key(),
    text("title"),
    text("description"),
    text("assigned_to", required=False, index=True),
    word("status", index=True),
    instant("due_date", required=False),
    text("created_by"),
    instant("created_at"),
    instant("completed_at", required=False),
    one_of("status", TaskStatus),
)

timeline_entries = Table(
    "timeline_entries",
    metadata,
    key(),
    ticket_key(),
    _envelope_key(),
    word("type"),
    word("visibility"),
    text("author_id"),
    text("content"),
    instant("created_at", index=True),
    one_of("type", EntryType),
    one_of("visibility", Visibility),
)

case_flags = Table(
    "case_flags",
    metadata,
    key(),
    ticket_key(),
    word("type", index=True),
    text("added_by"),
    text("reason"),
    instant("created_at"),
    instant("cleared_at", required=False),
    text("cleared_by", required=False),
    one_of("type", FlagType),
)

resolutions = Table(
    "resolutions",
    metadata,
    key(),
    ticket_key(),
    text("agent_id", index=True),
    text("team_id", required=False, index=True),
    word("what_went_wrong"),
    text("what_went_wrong_text"),
    word("why_eligible"),
    text("why_eligible_text"),
    word("type"),
    Column("amount", Money()),
    text("currency"),
    word("tier"),
    word("approval_status", index=True),
    text("approved_by", required=False),
    instant("approved_at", required=False),
    word("calibration_status", index=True),
    instant("created_at", index=True),
    one_of("what_went_wrong", WentWrong),
    one_of("why_eligible", Eligibility),
    one_of("type", ResolutionType),
    one_of("tier", EmpowermentTier),
    one_of("approval_status", ApprovalStatus),
    one_of("calibration_status", GrantReviewStatus),
)

calibration_items = Table(
    "calibration_items",
    metadata,
    key(),
    _resolution_key(),
    ticket_key(),
    word("reason"),
    text("detail", required=False),
    word("review_status", index=True),
    word("outcome", required=False),
    text("notes"),
    text("reviewed_by", required=False),
    instant("reviewed_at", required=False),
    instant("created_at"),
    one_of("reason", Reason),
    one_of("review_status", ReviewStatus),
    one_of("outcome", ReviewOutcome),
)

second_opinions = Table(
    "second_opinions",
    metadata,
    key(),
    Column("item_id", Text(), ForeignKey("calibration_items.id", ondelete="CASCADE"), nullable=False, index=True),
    _resolution_key(),
    ticket_key(),
    word("outcome"),
    text("notes"),
    text("given_by"),
    instant("given_at"),
    one_of("outcome", ReviewOutcome),
)

lessons = Table("lessons", metadata, key(), _resolution_key(), ticket_key(), text("text"), instant("created_at"))

priority_scores = Table(
    "priority_scores",
    metadata,
    key(),
    ticket_key(),
    Column("base", Float(), nullable=False),
    json_column("multipliers"),
    Column("score", Float(), nullable=False, index=True),
    text("preset"),
    instant("calculated_at"),
)

reminders = Table(
    "reminders",
    metadata,
    key(),
    ticket_key(),
    text("agent_id", index=True),
    word("type"),
    instant("trigger_at", index=True),
    text("message"),
    word("status", index=True),
    instant("snooze_until", required=False),
    json_column("recurring", required=False),
    instant("created_at"),
    one_of("type", ReminderType),
    one_of("status", ReminderStatus),
)

rule_firings = Table(
    "rule_firings",
    metadata,
    key(),
    ticket_key(),
    word("event", index=True),
    json_column("rules"),
    instant("at", index=True),
    one_of("event", Trigger),
)

alerts = Table(
    "alerts",
    metadata,
    key(),
    ticket_key(),
    word("condition"),
    Column("level", Integer(), nullable=False),
    json_column("recipients"),
    instant("triggered_at", index=True),
    text("acknowledged_by", required=False),
    instant("acknowledged_at", required=False),
    instant("cleared_at", required=False),
    one_of("condition", Condition),
)

incidents = Table(
    "incidents",
    metadata,
    key(),
    text("title"),
    text("severity", required=False),
    text("status"),
    text("commander", required=False),
    text("channel", required=False),
    json_column("corrective_actions"),
    instant("opened_at"),
)

linked_incidents = Table(
    "linked_incidents",
    metadata,
    key(),
    ticket_key(),
    Column("incident_id", Text(), ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False, index=True),
    text("linked_by"),
    instant("created_at"),
)

affected_resources = Table(
    "affected_resources",
    metadata,
    key(),
    ticket_key(),
    text("resource", index=True),
    text("region", required=False),
    text("version", required=False),
    json_column("config_snapshot"),
    text("health", required=False),
    instant("created_at"),
)

evidence = Table(
    "evidence",
    metadata,
    key(),
    ticket_key(),
    word("kind"),
    text("uri"),
    text("description"),
    text("added_by"),
    instant("created_at"),
    one_of("kind", EvidenceKind),
)

linked_runbooks = Table(
    "linked_runbooks",
    metadata,
    key(),
    ticket_key(),
    text("runbook", index=True),
    text("linked_by"),
    instant("created_at"),
)

surveys = Table(
    "surveys",
    metadata,
    key(),
    ticket_key(),
    Column("csat", Integer(), nullable=False),
    Column("nps", Integer()),
    Column("is_complaint", Boolean(), nullable=False),
    text("comment"),
    instant("created_at"),
    CheckConstraint("csat BETWEEN 1 AND 5", name="csat"),
)

feedback_signals = Table(
    "feedback_signals",
    metadata,
    key(),
    ticket_key(),
    word("backlog"),
    text("summary"),
    instant("created_at"),
    one_of("backlog", Backlog),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", Text(), ForeignKey("envelopes.id", ondelete="CASCADE"), primary_key=True),
    ticket_key(),
    word("side"),
    text("component", index=True),
    text("bug", required=False),
    json_column("impact", required=False),
    instant("created_at"),
    one_of("side", Side),
)

lesson_reviews = Table(
    "lesson_reviews",
    metadata,
    key(),
    ticket_key(),
    word("verdict", index=True),
    text("title", required=False),
    text("text"),
    text("reviewed_by"),
    instant("reviewed_at"),
    one_of("verdict", Verdict),
)
