"""Which records are kept, in which table and under which key; a new kind of record is one line here and its table.

Lists that deserve their own table (an agent's teams and skills) are named in `lists`; other nested values are JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from engine import (
    access,
    alert_matrix,
    cases,
    envelopes,
    escalations,
    flags,
    grant_review,
    kanban,
    lessons,
    notices,
    notifications,
    priority,
    reminders,
    resolutions,
    rules,
    tasks,
    timeline,
)
from engine.contracts import Agent, AssignmentGroup, Company, Contact, EmpowermentConfig, Team
from engine.shared.errors import BadInput


class Side(NamedTuple):
    """A list field kept row by row in a table of its own: the column that names the record, and the value's."""

    table: str
    parent: str
    column: str


class RecordMapping(NamedTuple):
    """Where a kind of record lives. `parents` are the fields that name another kept thing, by its table.

    Of a sealed kind, what a record holds stands in the event that wrote it, but for the `unsealed` fields.
    """

    kind: type[BaseModel]
    table: str
    key: str = "id"
    parents: Mapping[str, str] = {}
    lists: Mapping[str, Side] = {}
    is_sealed: bool = False
    unsealed: frozenset[str] = frozenset()


_TICKET = {"ticket_id": "tickets"}
_THREAD = {"ticket_id": "tickets", "envelope_id": "envelopes"}
_GRANT = {"ticket_id": "tickets", "resolution_id": "resolutions"}
_OF_AGENT = {
    "teams": Side("team_members", "agent_id", "team_id"),
    "skills": Side("agent_skills", "agent_id", "skill"),
}
_ON_ITS_WAY = frozenset({"scheduled_for", "sent_at", "batch_id", "notice_id", "read_at"})

# Parents before children: records of one call are written in this order.
MAPPINGS = (
    RecordMapping(Company, "companies"),
    RecordMapping(Contact, "contacts"),
    RecordMapping(Team, "teams"),
    RecordMapping(Agent, "agents", lists=_OF_AGENT),
    RecordMapping(EmpowermentConfig, "empowerment_configs", key="team_id"),
    RecordMapping(AssignmentGroup, "assignment_groups", key="group_id"),
    RecordMapping(notifications.NotificationPreference, "notification_preferences"),
    RecordMapping(
        notifications.QueuedNotification, "notification_queue", parents=_TICKET, is_sealed=True, unsealed=_ON_ITS_WAY
    ),
    RecordMapping(notifications.Silence, "silences", parents=_TICKET),
    RecordMapping(notices.Notice, "notices", is_sealed=True, unsealed=_ON_ITS_WAY),
    RecordMapping(kanban.KanbanView, "kanban_views"),
    RecordMapping(envelopes.Envelope, "envelopes", parents=_TICKET),
    RecordMapping(tasks.Task, "tasks", parents=_THREAD),
    RecordMapping(timeline.TimelineEntry, "timeline_entries", parents=_THREAD),
    RecordMapping(flags.CaseFlag, "case_flags", parents=_TICKET),
    RecordMapping(resolutions.Resolution, "resolutions", parents=_TICKET, is_sealed=True),
    RecordMapping(grant_review.GrantReviewItem, "calibration_items", parents=_GRANT, is_sealed=True),
    RecordMapping(
        grant_review.SecondOpinion,
        "second_opinions",
        parents={**_GRANT, "item_id": "calibration_items"},
        is_sealed=True,
    ),
    RecordMapping(grant_review.Lesson, "lessons", parents=_GRANT, is_sealed=True),
    RecordMapping(priority.PriorityScore, "priority_scores", parents=_TICKET),
    RecordMapping(reminders.Reminder, "reminders", parents=_TICKET),
    RecordMapping(rules.RuleFiring, "rule_firings", parents=_TICKET),
    RecordMapping(alert_matrix.Nudge, "alerts", parents=_TICKET),
    RecordMapping(cases.Incident, "incidents", is_sealed=True),
    RecordMapping(
        cases.LinkedIncident, "linked_incidents", parents={**_TICKET, "incident_id": "incidents"}, is_sealed=True
    ),
    RecordMapping(cases.AffectedResource, "affected_resources", parents=_TICKET, is_sealed=True),
    RecordMapping(cases.Evidence, "evidence", parents=_TICKET, is_sealed=True),
    RecordMapping(cases.LinkedRunbook, "linked_runbooks", parents=_TICKET, is_sealed=True),
    RecordMapping(cases.Survey, "surveys", parents=_TICKET, is_sealed=True),
    RecordMapping(cases.FeedbackSignal, "feedback_signals", parents=_TICKET, is_sealed=True),
    RecordMapping(escalations.Escalation, "escalations", parents={**_TICKET, "id": "envelopes"}, is_sealed=True),
    RecordMapping(lessons.LessonReview, "lesson_reviews", parents=_TICKET, is_sealed=True),
    RecordMapping(access.User, "users", is_sealed=True),
    RecordMapping(access.ApiKey, "api_keys", is_sealed=True),
    RecordMapping(access.View, "views"),
)
_BY_KIND = {mapping.kind: mapping for mapping in MAPPINGS}


def mapping_of(kind: type[BaseModel]) -> RecordMapping:
    """Where this kind lives. Raises BadInput for one that has no table."""
    if kind not in _BY_KIND:
        raise BadInput(
            f"{kind.__name__} is not a kept record; there are {', '.join(k.kind.__name__ for k in MAPPINGS)}."
        )
    return _BY_KIND[kind]


def check_fields(mapping: RecordMapping, names: Mapping[str, Any]) -> None:
    """Raises BadInput for a filter on a field that the kind does not have."""
    if unknown := sorted(set(names) - set(mapping.kind.model_fields)):
        fields = ", ".join(mapping.kind.model_fields)
        raise BadInput(f"{mapping.kind.__name__} has no field {', '.join(unknown)}; it has {fields}.")


def parents_first(records: Sequence[BaseModel]) -> list[BaseModel]:
    """Records in an order in which each finds what it refers to; equal kinds keep theirs."""
    order = {mapping.kind: place for place, mapping in enumerate(MAPPINGS)}
    return sorted(records, key=lambda record: order[mapping_of(type(record)).kind])
