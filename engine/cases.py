"""What belongs to a case beside its ticket: incidents, resources, evidence, the survey, lessons for backlogs."""

import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, model_validator

from engine.contracts import Event, Frozen, Instant, Kind, Priority, Ticket
from engine.shared import policy_file
from engine.shared.errors import BadInput

LONGEST_ADDRESS = 2000


class Incident(Frozen):
    """An internal incident that several cases may share (seed S4-01)."""

    id: str
    title: str
    severity: str | None = None
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


class CasePolicy(Frozen):
    """An incident's severity by its ticket's priority, and which addresses of evidence are kept."""

    severities: dict[Priority, str]
    evidence_schemes: frozenset[str]
    secret_parameters: frozenset[str]

    @model_validator(mode="after")
    def _every_priority(self) -> "CasePolicy":
        if missing := sorted(set(Priority) - set(self.severities)):
            raise ValueError(f"severities has no row for {', '.join(missing)}")
        return self


def load(path: str | Path) -> CasePolicy:
    return policy_file.read(path, CasePolicy)


def check_address(uri: str, policy: CasePolicy) -> str:
    """The address of evidence, without blanks around it. Raises BadInput, which never repeats it: for another scheme,
    no place, and for one that carries a key to what lies there."""
    uri = uri.strip()
    try:
        parts = urlsplit(uri)
    except ValueError:
        raise BadInput("uri: that is no address") from None
    if parts.scheme not in policy.evidence_schemes or not parts.netloc:
        raise BadInput(f"uri: write an address that begins with {', '.join(sorted(policy.evidence_schemes))}, and ://")
    if len(uri) > LONGEST_ADDRESS or not uri.isprintable() or " " in uri:
        raise BadInput(f"uri: an address has up to {LONGEST_ADDRESS:,} readable characters and no blanks")
    names = {name for text in (parts.query, parts.fragment) for name, _ in parse_qsl(text, keep_blank_values=True)}
    if "@" in parts.netloc or any(_is_secret(name, policy) for name in names):
        raise BadInput("uri: it carries a password or a key; give the address without it")
    return uri


def _is_secret(name: str, policy: CasePolicy) -> bool:
    """Whether a word of the name is a secret's: `X-Amz-Signature`, `access_token`, `apiKey`."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).lower())
    return any(word.endswith(secret) for word in words for secret in policy.secret_parameters)


def added(ticket: Ticket, what: str, value: str, *, key: str, by: str, at: datetime) -> Event:
    """The history of something that was tied to a ticket: what it is, and the key of its record."""
    return Event(ticket_id=ticket.id, kind=Kind.LINKED, at=at, value=value, actor=by, data={"what": what, "key": key})


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
