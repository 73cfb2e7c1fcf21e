"""Which records are kept, in which table and under which key; a new kind of record is one line here and its table.

Lists that deserve their own table (an agent's teams and skills) are named in `lists`; other nested values are JSON.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel

from engine import (
    alert_matrix,
    cases,
    envelopes,
    flags,
    grant_review,
    kanban,
    notifications,
    priority,
    reminders,
    resolutions,
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


class Kept(NamedTuple):
    """Where a kind of record lives. `parents` are the fields that name another kept thing, by its table."""

    kind: type[BaseModel]
    table: str
    key: str = "id"
    parents: Mapping[str, str] = {}
    lists: Mapping[str, Side] = {}


_TICKET = {"ticket_id": "tickets"}
_THREAD = {"ticket_id": "tickets", "envelope_id": "envelopes"}
_GRANT = {"ticket_id": "tickets", "resolution_id": "resolutions"}
_OF_AGENT = {
    "teams": Side("team_members", "agent_id", "team_id"),
    "skills": Side("agent_skills", "agent_id", "skill"),
}

# Parents before children: records of one call are written in this order.
KEPT = (
    Kept(Company, "companies"),
    Kept(Contact, "contacts"),
    Kept(Team, "teams"),
    Kept(Agent, "agents", lists=_OF_AGENT),
    Kept(EmpowermentConfig, "empowerment_configs", key="team_id"),
    Kept(AssignmentGroup, "assignment_groups", key="group_id"),
    Kept(notifications.NotificationPreference, "notification_preferences"),
    Kept(notifications.QueuedNotification, "notification_queue", parents=_TICKET),
    Kept(notifications.Silence, "silences", parents=_TICKET),
    Kept(kanban.KanbanView, "kanban_views"),
    Kept(envelopes.Envelope, "envelopes", parents=_TICKET),
    Kept(tasks.Task, "tasks", parents=_THREAD),
    Kept(timeline.TimelineEntry, "timeline_entries", parents=_THREAD),
    Kept(flags.CaseFlag, "case_flags", parents=_TICKET),
    Kept(resolutions.Resolution, "resolutions", parents=_TICKET),
    Kept(grant_review.CalibrationItem, "calibration_items", parents=_GRANT),
    Kept(grant_review.Lesson, "lessons", parents=_GRANT),
    Kept(priority.PriorityScore, "priority_scores", parents=_TICKET),
    Kept(reminders.Reminder, "reminders", parents=_TICKET),
    Kept(alert_matrix.Alert, "alerts", parents=_TICKET),
    Kept(cases.Incident, "incidents"),
    Kept(cases.LinkedIncident, "linked_incidents", parents={**_TICKET, "incident_id": "incidents"}),
    Kept(cases.AffectedResource, "affected_resources", parents=_TICKET),
    Kept(cases.Evidence, "evidence", parents=_TICKET),
    Kept(cases.LinkedRunbook, "linked_runbooks", parents=_TICKET),
    Kept(cases.Survey, "surveys", parents=_TICKET),
    Kept(cases.FeedbackSignal, "feedback_signals", parents=_TICKET),
)
_BY_KIND = {kept.kind: kept for kept in KEPT}


def kept_as(kind: type[BaseModel]) -> Kept:
    """Where this kind lives. Raises BadInput for one that has no table."""
    if kind not in _BY_KIND:
        raise BadInput(f"{kind.__name__} is not a kept record; there are {', '.join(k.kind.__name__ for k in KEPT)}.")
    return _BY_KIND[kind]


def check_fields(kept: Kept, names: Mapping[str, Any]) -> None:
    """Raises BadInput for a filter on a field that the kind does not have."""
    if unknown := sorted(set(names) - set(kept.kind.model_fields)):
        fields = ", ".join(kept.kind.model_fields)
        raise BadInput(f"{kept.kind.__name__} has no field {', '.join(unknown)}; it has {fields}.")


def parents_first(records: Sequence[BaseModel]) -> list[BaseModel]:
    """Records in an order in which each finds what it refers to; equal kinds keep theirs."""
    order = {kept.kind: place for place, kept in enumerate(KEPT)}
    return sorted(records, key=lambda record: order[kept_as(type(record)).kind])
