"""Tickets, deliveries and one record of every kind, to put into stores."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

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
from engine.contracts import (
    Agent,
    AllocationDecision,
    Alternative,
    AssignmentGroup,
    Company,
    Contact,
    Delivery,
    EmpowermentConfig,
    Event,
    GroupMetrics,
    Kind,
    Location,
    Outcome,
    Rejected,
    Scores,
    StandardTicket,
    Team,
)

MONDAY = datetime(2026, 3, 2, 9, 0, 0, 123456, tzinfo=UTC)
HOUR = timedelta(hours=1)
LATER = MONDAY + 8 * HOUR
ANA, BEN = "agent:ana", "agent:ben"


def ticket(number: int = 1, **fields: Any) -> StandardTicket:
    given = {
        "ticket_id": f"INC{number}",
        "source": "servicenow",
        "title": "VPN drops",
        "description": "since “Monday” ☎",
        "created_at": MONDAY,
        "updated_at": MONDAY,
    }
    return StandardTicket.model_validate(given | fields)


def created(number: int = 1, **data: str) -> Event:
    values = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"} | data
    key = f"servicenow:INC{number}"
    return Event(ticket_id=key, kind=Kind.CREATED, at=MONDAY, actor="servicenow", data=values, id=f"{key}/born")


def event(number: int = 1, kind: Kind = Kind.MESSAGE, hours: float = 1, **fields: Any) -> Event:
    return Event(ticket_id=f"servicenow:INC{number}", kind=kind, at=MONDAY + hours * HOUR, **fields)


def delivery(*tickets: StandardTicket, events: tuple[Event, ...] = ()) -> Delivery:
    return Delivery(tickets=tickets or (ticket(),), events=events)


REJECTED = Rejected(
    source="files", origin="march.csv", row=7, reason="created_at is missing", content={"id": "9", "created_at": ""}
)

VECTOR = Scores(
    availability=1, bandwidth=0.7, velocity=0.88, performance=0.932, proximity=0.4, cultural_fit=0.8, timezone=1,
    composite=0.877,
)  # fmt: skip


def decision(number: int = 1, group: str | None = "g-net", outcome: Outcome = Outcome.ALLOCATED) -> AllocationDecision:
    return AllocationDecision(
        ticket_id=f"servicenow:INC{number}",
        decided_at=LATER,
        outcome=outcome,
        group_id=group,
        group_name=group and "Network",
        scores=VECTOR if group else None,
        rationale="most free capacity",
        score=0.877 if group else 0.0,
        alternatives=(Alternative(group_id="g-app", group_name="Apps", excluded="no skill"),),
    )


_KEY = "servicenow:INC1"
IMPACT = escalations.Impact(tickets=3, customers=2, arr_at_risk_eur=Decimal("99.5"), arr_unknown=1, nps_hits=1)
RECORDS: tuple[BaseModel, ...] = (
    Company(id="acme", name="Ácme", entitlements=("sso", "24x7"), segment="retail", annual_revenue_eur=Decimal("9.25")),
    Contact(id="c1", email="c@acme.test", name="Cy", company_id="acme", vip=True),
    Team(id="net", name="Network", supervisor_id=BEN),
    Agent(
        id=ANA, email="a@desk.test", name="Ana", teams=("net", "app"), skills=("vpn", "dns"), languages=("pt", "en"),
        empowerment_limit=Decimal("80.25"),
    ),
    EmpowermentConfig(team_id="net", tier1_limit=Decimal("99.9999")),
    AssignmentGroup(
        group_id="g-net", name="Network", max_bandwidth=10, capabilities=("network",),
        location=Location(lat=40.7, lng=-74.0, timezone="America/New_York"),
        metrics=GroupMetrics(avg_resolution_time_hours=3.5, cultural_competencies=("pt",)),
    ),
    notifications.NotificationPreference(
        id=f"{ANA}/sla_breach", agent_id=ANA, event_type="sla_breach",
        quiet_hours=notifications.QuietHours(start=time(22), end=time(7, 30)),
    ),
    notifications.QueuedNotification(
        id="n1", agent_id=ANA, event_type="sla_breach", ticket_id=_KEY, channel=notifications.Channel.PUSH,
        payload={"at": MONDAY, "left": (1, 2)}, created_at=MONDAY, scheduled_for=LATER,
    ),
    notifications.Silence(id=f"{ANA}/{_KEY}", agent_id=ANA, ticket_id=_KEY, until=LATER),
    kanban.KanbanView(id="k1", name="Board", filters={"team": ["net"]}, wip_limits={"in_progress": 3}),
    envelopes.Envelope(
        id="e1", ticket_id=_KEY, requested_by=ANA, team_id="net", reason="BGP", created_at=MONDAY, response_due_at=LATER
    ),
    tasks.Task(id="t1", ticket_id=_KEY, envelope_id="e1", title="Trace", created_by=ANA, created_at=MONDAY),
    timeline.TimelineEntry(
        id="l1", ticket_id=_KEY, type=timeline.EntryType.NOTE, author_id=ANA, content="naïve", created_at=MONDAY
    ),
    flags.CaseFlag(
        id="f1", ticket_id=_KEY, type=flags.FlagType.LEGAL, added_by=ANA, reason="letter", created_at=MONDAY
    ),
    resolutions.Resolution(
        id="r1", ticket_id=_KEY, agent_id=ANA, what_went_wrong=resolutions.WentWrong.OUTAGE,
        why_eligible=resolutions.Eligibility.GOODWILL, type=resolutions.ResolutionType.CREDIT, amount=Decimal("100.01"),
        tier=resolutions.EmpowermentTier.TEAM_LEAD, created_at=MONDAY,
    ),
    grant_review.GrantReviewItem(
        id="r1/c", resolution_id="r1", ticket_id=_KEY, reason=grant_review.Reason.FLAGGED, created_at=MONDAY
    ),
    grant_review.SecondOpinion(
        id="r1/c/second", item_id="r1/c", resolution_id="r1", ticket_id=_KEY, outcome=grant_review.ReviewOutcome.UPHELD,
        given_by=ANA, given_at=LATER,
    ),
    grant_review.Lesson(id="r1/l", resolution_id="r1", ticket_id=_KEY, text="Credit early.", created_at=MONDAY),
    priority.PriorityScore(
        id=_KEY, ticket_id=_KEY, base=40, multipliers={"sla": 2.0, "vip": 1.5}, score=120.0, preset="itil-next",
        calculated_at=MONDAY,
    ),
    reminders.Reminder(
        id="m1", ticket_id=_KEY, agent_id=ANA, trigger_at=LATER, message="call", created_at=MONDAY,
        recurring=reminders.Recurring(frequency=reminders.Frequency.WEEKLY, end_date=LATER),
    ),
    rules.RuleFiring(
        id="ticket.created/r1", ticket_id=_KEY, event=rules.Trigger.TICKET_CREATED, rules=("up",), at=MONDAY
    ),
    alert_matrix.Nudge(
        id="a1", ticket_id=_KEY, condition=alert_matrix.Condition.NOT_UPDATED, level=2, triggered_at=MONDAY,
        recipients=(alert_matrix.Recipient.TECH, alert_matrix.Recipient.SUPERVISOR),
    ),
    cases.Incident(id="i1", title="BGP leak", severity="SEV1", corrective_actions=("filter",), opened_at=MONDAY),
    cases.LinkedIncident(id=f"{_KEY}/i1", ticket_id=_KEY, incident_id="i1", linked_by=ANA, created_at=MONDAY),
    cases.AffectedResource(
        id="x1", ticket_id=_KEY, resource="edge-1", config_snapshot={"mtu": 1400}, created_at=MONDAY
    ),
    cases.Evidence(
        id="v1", ticket_id=_KEY, kind=cases.EvidenceKind.LOG, uri="file:///x.log", added_by=ANA, created_at=MONDAY
    ),
    cases.LinkedRunbook(id="b1", ticket_id=_KEY, runbook="vpn.md", linked_by=ANA, created_at=MONDAY),
    cases.Survey(id=_KEY, ticket_id=_KEY, csat=2, is_complaint=True, created_at=MONDAY),
    notices.Notice(
        id=f"{ANA}/1", agent_id=ANA, channel="email", destination="notice:email", subject="1 notice",
        text="INC-1\nnaïve", news=1, created_at=MONDAY, sent_at=LATER,
    ),
    cases.FeedbackSignal(
        id=f"{_KEY}/docs", ticket_id=_KEY, backlog=cases.Backlog.DOCS, summary="gap", created_at=MONDAY
    ),
    escalations.Escalation(
        id="e1", ticket_id=_KEY, side=escalations.Side.PRODUCT, component="VPN", impact=IMPACT, created_at=MONDAY
    ),
    lessons.LessonReview(
        id="l1", ticket_id=_KEY, verdict=lessons.Verdict.ACCEPTED, text="x", reviewed_by=ANA, reviewed_at=LATER
    ),
    access.User(id=ANA, name="Ana", email="a@desk.test", roles=(access.UserRole.AGENT, access.UserRole.EXPERT)),
    access.ApiKey(
        id="0a1b2c3d4e5f", digest="0" * 64, user_id=ANA, created_at=MONDAY, created_by="adm", revoked_at=LATER,
        revoked_by="adm",
    ),
    access.View(id="v1", user_id=ANA, at=MONDAY, door="queue", ticket_id="servicenow:INC1"),
)  # fmt: skip
