"""What belongs to a case: help, work, talk, flags, grants and their reviews."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
MONEY = sa.Numeric(18, 4).with_variant(sa.Text(), "sqlite")

TABLES = (
    "case_flags",
    "envelopes",
    "priority_scores",
    "reminders",
    "resolutions",
    "calibration_items",
    "lessons",
    "tasks",
    "timeline_entries",
)


def upgrade() -> None:
    op.create_table(
        "case_flags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("added_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("cleared_at", INSTANT),
        sa.Column("cleared_by", sa.Text()),
        _one_of("case_flags", "type", "physical_damage social_media vip legal repeat_contact"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_case_flags_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_case_flags"),
    )
    op.create_index("ix_case_flags_ticket_id", "case_flags", ["ticket_id"])
    op.create_index("ix_case_flags_type", "case_flags", ["type"])
    op.create_table(
        "envelopes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.Text()),
        sa.Column("team_id", sa.Text()),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text()),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("response_due_at", INSTANT, nullable=False),
        sa.Column("accepted_at", INSTANT),
        sa.Column("completed_at", INSTANT),
        _one_of("envelopes", "status", "pending active completed"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_envelopes_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_envelopes"),
    )
    op.create_index("ix_envelopes_assigned_to", "envelopes", ["assigned_to"])
    op.create_index("ix_envelopes_status", "envelopes", ["status"])
    op.create_index("ix_envelopes_team_id", "envelopes", ["team_id"])
    op.create_index("ix_envelopes_ticket_id", "envelopes", ["ticket_id"])
    op.create_table(
        "priority_scores",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("base", sa.Float(), nullable=False),
        sa.Column("multipliers", sa.JSON(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("preset", sa.Text(), nullable=False),
        sa.Column("calculated_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_priority_scores_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_priority_scores"),
    )
    op.create_index("ix_priority_scores_score", "priority_scores", ["score"])
    op.create_index("ix_priority_scores_ticket_id", "priority_scores", ["ticket_id"])
    op.create_table(
        "reminders",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("trigger_at", INSTANT, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("snooze_until", INSTANT),
        sa.Column("recurring", sa.JSON()),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("reminders", "status", "pending triggered snoozed completed"),
        _one_of("reminders", "type", "follow_up check_in custom sla_warning"),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_reminders_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_reminders"),
    )
    op.create_index("ix_reminders_agent_id", "reminders", ["agent_id"])
    op.create_index("ix_reminders_status", "reminders", ["status"])
    op.create_index("ix_reminders_ticket_id", "reminders", ["ticket_id"])
    op.create_index("ix_reminders_trigger_at", "reminders", ["trigger_at"])
    op.create_table(
        "resolutions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("team_id", sa.Text()),
        sa.Column("what_went_wrong", sa.String(50), nullable=False),
        sa.Column("what_went_wrong_text", sa.Text(), nullable=False),
        sa.Column("why_eligible", sa.String(50), nullable=False),
        sa.Column("why_eligible_text", sa.Text(), nullable=False),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("amount", MONEY),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tier", sa.String(50), nullable=False),
        sa.Column("approval_status", sa.String(50), nullable=False),
        sa.Column("approved_by", sa.Text()),
        sa.Column("approved_at", INSTANT),
        sa.Column("calibration_status", sa.String(50), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("resolutions", "approval_status", "not_required pending approved rejected"),
        _one_of("resolutions", "calibration_status", "not_required pending upheld revised coaching_needed"),
        _one_of("resolutions", "tier", "agent team_lead manager"),
        _one_of("resolutions", "type", "refund full_refund credit replacement repair information workaround no_action"),
        _one_of(
            "resolutions",
            "what_went_wrong",
            "defect outage delay billing_error data_loss wrong_information service_failure other",
        ),
        _one_of(
            "resolutions",
            "why_eligible",
            "contract sla_breach warranty goodwill legal_obligation policy_exception other",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_resolutions_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_resolutions"),
    )
    op.create_index("ix_resolutions_agent_id", "resolutions", ["agent_id"])
    op.create_index("ix_resolutions_approval_status", "resolutions", ["approval_status"])
    op.create_index("ix_resolutions_calibration_status", "resolutions", ["calibration_status"])
    op.create_index("ix_resolutions_created_at", "resolutions", ["created_at"])
    op.create_index("ix_resolutions_team_id", "resolutions", ["team_id"])
    op.create_index("ix_resolutions_ticket_id", "resolutions", ["ticket_id"])
    op.create_table(
        "calibration_items",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("resolution_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(50), nullable=False),
        sa.Column("detail", sa.Text()),
        sa.Column("review_status", sa.String(50), nullable=False),
        sa.Column("outcome", sa.String(50)),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text()),
        sa.Column("reviewed_at", INSTANT),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of("calibration_items", "outcome", "upheld revised coaching_needed"),
        _one_of("calibration_items", "reason", "tier3 flagged complaint random_sample"),
        _one_of("calibration_items", "review_status", "pending reviewed"),
        sa.ForeignKeyConstraint(
            ["resolution_id"],
            ["resolutions.id"],
            name="fk_calibration_items_resolution_id_resolutions",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_calibration_items_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_calibration_items"),
    )
    op.create_index("ix_calibration_items_resolution_id", "calibration_items", ["resolution_id"])
    op.create_index("ix_calibration_items_review_status", "calibration_items", ["review_status"])
    op.create_index("ix_calibration_items_ticket_id", "calibration_items", ["ticket_id"])
    op.create_table(
        "lessons",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("resolution_id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["resolution_id"], ["resolutions.id"], name="fk_lessons_resolution_id_resolutions", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_lessons_ticket_id_tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_lessons"),
    )
    op.create_index("ix_lessons_resolution_id", "lessons", ["resolution_id"])
    op.create_index("ix_lessons_ticket_id", "lessons", ["ticket_id"])
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("envelope_id", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("assigned_to", sa.Text()),
        sa.Column("status", sa.String(50), nullable=False),
        sa.Column("due_date", INSTANT),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("completed_at", INSTANT),
        _one_of("tasks", "status", "todo in_progress done cancelled"),
        sa.ForeignKeyConstraint(
            ["envelope_id"], ["envelopes.id"], name="fk_tasks_envelope_id_envelopes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name="fk_tasks_ticket_id_tickets", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_tasks"),
    )
    op.create_index("ix_tasks_assigned_to", "tasks", ["assigned_to"])
    op.create_index("ix_tasks_envelope_id", "tasks", ["envelope_id"])
    op.create_index("ix_tasks_status", "tasks", ["status"])
    op.create_index("ix_tasks_ticket_id", "tasks", ["ticket_id"])
    op.create_table(
        "timeline_entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("ticket_id", sa.Text(), nullable=False),
        sa.Column("envelope_id", sa.Text()),
        sa.Column("type", sa.String(50), nullable=False),
        sa.Column("visibility", sa.String(50), nullable=False),
        sa.Column("author_id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        _one_of(
            "timeline_entries",
            "type",
            "email_inbound email_outbound note system envelope_created "
            "envelope_completed task_created task_completed status_change resolution",
        ),
        _one_of("timeline_entries", "visibility", "public internal envelope_only"),
        sa.ForeignKeyConstraint(
            ["envelope_id"], ["envelopes.id"], name="fk_timeline_entries_envelope_id_envelopes", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name="fk_timeline_entries_ticket_id_tickets", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_timeline_entries"),
    )
    op.create_index("ix_timeline_entries_created_at", "timeline_entries", ["created_at"])
    op.create_index("ix_timeline_entries_envelope_id", "timeline_entries", ["envelope_id"])
    op.create_index("ix_timeline_entries_ticket_id", "timeline_entries", ["ticket_id"])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)


def _one_of(table: str, column: str, words: str) -> sa.CheckConstraint:
    allowed = ", ".join(f"'{word}'" for word in words.split())
    return sa.CheckConstraint(f"{column} IN ({allowed})", name=f"ck_{table}_{column}")
