"""What belongs to a case beside its ticket: incidents, resources, evidence, the survey, lessons for backlogs."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import Field

from engine.contracts import Frozen, Instant, Ticket


class Incident(Frozen):
    """An internal incident that several cases may share (seed S4-01)."""

    id: str
    title: str
    status: str = "open"
    commander: str | None = None
    channel: str | None = None
    corrective_actions: tuple[str, ...] = ()
    opened_at: Instant


class LinkedIncident(Frozen):
    """A case belongs to an incident; many to many. `id` is `ticket/incident`."""

    id: str
    ticket_id: str
    incident_id: str
    linked_by: str
    created_at: Instant


class AffectedResource(Frozen):
    """A service or resource that the case is about, as it was when it was noted."""

    id: str
    ticket_id: str
    resource: str
    region: str | None = None
    version: str | None = None
    config_snapshot: dict[str, Any] = Field(default_factory=dict)
    health: str | None = None
    created_at: Instant


class EvidenceKind(StrEnum):
    LOG = "log"
    TRACE = "trace"
    CONFIG = "config"
    SCREENSHOT = "screenshot"
    DIAGNOSTICS = "diagnostics"
    DOCUMENT = "document"


class Evidence(Frozen):
    """Something that proves or explains; the file itself stays where `uri` says."""

    id: str
    ticket_id: str
    kind: EvidenceKind
    uri: str
    description: str = ""
    added_by: str
    created_at: Instant


class LinkedRunbook(Frozen):
    """A runbook that was used. `id` is `ticket/runbook`."""

    id: str
    ticket_id: str
    runbook: str
    linked_by: str
    created_at: Instant


class Answers(Frozen):
    """The customer's word at closing: satisfaction (CSAT), whether they would recommend us (NPS), a complaint."""

    csat: int = Field(ge=1, le=5)
    nps: int | None = Field(default=None, ge=0, le=10)
    is_complaint: bool = False
    comment: str = ""


class Survey(Answers):
    """The answers of a ticket's customer, whose key is the ticket's."""

    id: str
    ticket_id: str
    created_at: Instant


def survey(ticket: Ticket, answers: Answers, *, at: datetime) -> Survey:
    return Survey(id=ticket.id, ticket_id=ticket.id, created_at=at, **answers.model_dump())


class Backlog(StrEnum):
    RELIABILITY = "reliability"
    PRODUCT = "product"
    DOCS = "docs"


class FeedbackSignal(Frozen):
    """What a closed case tells a backlog (seed S4-10). `id` is `ticket/backlog`."""

    id: str
    ticket_id: str
    backlog: Backlog
    summary: str
    created_at: Instant


def signals(ticket: Ticket, lessons: Mapping[Backlog, str], *, at: datetime) -> list[FeedbackSignal]:
    """What closing a case tells the backlogs; blank lessons tell nothing."""
    return [
        FeedbackSignal(
            id=f"{ticket.id}/{backlog}", ticket_id=ticket.id, backlog=backlog, summary=summary.strip(), created_at=at
        )
        for backlog, summary in lessons.items()
        if summary.strip()
    ]
