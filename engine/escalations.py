"""An escalation asks the team that builds a component, by an envelope, and that team says regularly how it stands."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import Field

from engine.cases import Survey
from engine.contracts import Company, Frozen, Instant, Priority, Ticket
from engine.envelopes import Envelope
from engine.reminders import Reminder, ReminderType
from engine.shared import policy_file
from engine.shared.errors import BadInput
from engine.timeline import TimelineEntry


class Side(StrEnum):
    ENGINEERING = "engineering"
    PRODUCT = "product"


class EscalationPolicy(Frozen):
    """The owning team of each component, how often it says how it stands, and up to which answer a customer is a
    detractor."""

    components: dict[str, dict[Side, str]]
    update_hours: dict[Priority, Annotated[float, Field(gt=0)]]
    detractor_at_most: int = Field(default=6, ge=0, le=10)


class Impact(Frozen):
    """What a product escalation weighs: the tickets that are like this one, itself included, and their customers.

    `arr_at_risk_eur` is a year's revenue of those customers that say theirs, None if none does; `arr_unknown` counts
    the others. `nps_hits` are answers of detractors on these tickets.
    """

    tickets: int
    customers: int
    arr_at_risk_eur: Decimal | None
    arr_unknown: int
    nps_hits: int

    @property
    def in_words(self) -> str:
        revenue = "" if self.arr_at_risk_eur is None else f", {self.arr_at_risk_eur:,.0f} EUR a year at risk"
        unknown = f" (of {self.arr_unknown} not known)" if self.arr_unknown else ""
        return f"tickets {self.tickets}, customers {self.customers}{revenue}{unknown}, detractors {self.nps_hits}"


class Escalation(Frozen):
    """An envelope to engineering or product; `id` is the envelope's. `bug` is its key in the team's own tracker."""

    id: str
    ticket_id: str
    side: Side
    component: str
    bug: str | None = None
    impact: Impact | None = None
    created_at: Instant


class Waiting(Frozen):
    """An open escalation: when the owning team last said something, and by when it has to again; None: no cadence."""

    escalation: Escalation
    reference: str
    priority: Priority
    owner_id: str | None
    team_id: str | None
    last_update_at: Instant
    next_update_at: Instant | None
    is_overdue: bool

    @property
    def whom(self) -> str:
        return f"{self.escalation.side} ({self.team_id})"


def load(path: str | Path) -> EscalationPolicy:
    return policy_file.read(path, EscalationPolicy)


def owning_team(component: str, side: Side, policy: EscalationPolicy) -> str:
    """Raises BadInput for a component that the map does not have, or that has no team on this side."""
    team = policy.components.get(component, {}).get(side)
    if team is None:
        known = ", ".join(name for name, teams in policy.components.items() if side in teams)
        raise BadInput(f"component: escalations.yaml names no {side} team for {component!r}; there are {known}.")
    return team


def impact(
    similar: Iterable[Ticket], companies: Iterable[Company], surveys: Iterable[Survey], *, policy: EscalationPolicy
) -> Impact:
    """What these tickets weigh together; each customer counts once."""
    tickets = {ticket.id: ticket for ticket in similar}
    names = {ticket.company_id for ticket in tickets.values()} - {None}
    revenues = [one.annual_revenue_eur for one in companies if one.id in names and one.annual_revenue_eur is not None]
    bad = [one for one in surveys if one.ticket_id in tickets and one.nps is not None]
    return Impact(
        tickets=len(tickets),
        customers=len(names),
        arr_at_risk_eur=sum(revenues, Decimal()) if revenues else None,
        arr_unknown=len(names) - len(revenues),
        nps_hits=sum(one.nps is not None and one.nps <= policy.detractor_at_most for one in bad),
    )


def waiting(
    escalation: Escalation,
    ticket: Ticket,
    envelope: Envelope,
    comments: Iterable[TimelineEntry],
    *,
    at: datetime,
    policy: EscalationPolicy,
) -> Waiting:
    """How long ago the owning team spoke: in the envelope's thread, whoever is not the ticket's owner; accepting it is
    a first word. The cadence is that of the priority in force now."""
    words = [one.created_at for one in comments if one.envelope_id == envelope.id and one.author_id != ticket.owner_id]
    last = max([envelope.accepted_at or envelope.created_at, *words])
    hours = policy.update_hours.get(ticket.priority)
    due = last + timedelta(hours=hours) if hours else None
    return Waiting(
        escalation=escalation,
        reference=ticket.reference,
        priority=ticket.priority,
        owner_id=ticket.owner_id,
        team_id=envelope.team_id,
        last_update_at=last,
        next_update_at=due,
        is_overdue=due is not None and due <= at,
    )


def reminder(late: Waiting, *, at: datetime) -> Reminder | None:
    """Brings an overdue update back to the ticket's owner; its id names the update, so that there is one of each."""
    if late.owner_id is None or late.next_update_at is None or not late.is_overdue:
        return None
    return Reminder(
        id=f"{late.escalation.ticket_id}/auto/update/{late.escalation.id}/{late.next_update_at:%Y%m%dT%H%M%S}",
        ticket_id=late.escalation.ticket_id,
        agent_id=late.owner_id,
        type=ReminderType.FOLLOW_UP,
        trigger_at=at,
        message=f"{late.reference}: {late.whom} has been silent since {late.last_update_at:%Y-%m-%d %H:%MZ}.",
        created_at=at,
    )
