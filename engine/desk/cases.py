"""What hangs on a ticket: resources, incidents, evidence, runbooks, and what was asked of engineering and product."""

from collections.abc import Collection, Mapping
from datetime import datetime

from pydantic import BaseModel

from engine import cases, escalations, reminders
from engine.contracts import Company, Event, Ticket
from engine.desk.escalation import Escalation
from engine.desk.use_case import key_of, not_blank
from engine.envelopes import Envelope
from engine.shared.errors import BadInput, NotAllowed
from engine.storage.ports import Store
from engine.timeline import TimelineEntry


def closing_signals(
    store: Store, ticket: Ticket, lessons: Mapping[cases.Backlog, str], *, at: datetime
) -> list[cases.FeedbackSignal]:
    """What closing a ticket tells the backlogs: what people wrote, else what it was part of. An incident is
    reliability's, an escalation to product is product's."""
    incidents = [
        store.get(cases.Incident, one.incident_id) for one in store.all(cases.LinkedIncident, ticket_id=ticket.id)
    ]
    to_product = store.all(escalations.Escalation, ticket_id=ticket.id, side=escalations.Side.PRODUCT)
    implied = {
        cases.Backlog.RELIABILITY: "; ".join(f"part of incident {one.id}: {one.title}" for one in incidents),
        cases.Backlog.PRODUCT: "; ".join(f"escalated to product for {one.component}" for one in to_product),
    }
    return cases.signals(ticket, {**implied, **lessons}, at=at)


class CaseFile(Escalation):
    """Each is added once, by whom the ticket concerns, and stands in its history."""

    def add_resource(
        self,
        ticket_id: str,
        *,
        resource: str,
        by: str,
        at: datetime,
        region: str | None = None,
        version: str | None = None,
        health: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> cases.AffectedResource:
        """Note a service or resource that a ticket is about, as it is now."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        not_blank("resource", resource)
        affected = cases.AffectedResource(
            id=key_of(ticket, "resource"),
            ticket_id=ticket.id,
            resource=resource.strip(),
            region=region,
            version=version,
            health=health,
            config_snapshot=dict(settings or {}),
            created_at=at,
        )
        self._add(ticket, affected, cases.added(ticket, "resource", affected.resource, key=affected.id, by=by, at=at))
        return affected

    def open_incident(
        self,
        ticket_id: str,
        *,
        by: str,
        at: datetime,
        title: str | None = None,
        commander: str | None = None,
        channel: str | None = None,
    ) -> cases.Incident:
        """Open an incident from a ticket, with the severity of its priority; other tickets may be linked to it."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        if title is not None:
            not_blank("title", title)
        if commander is not None:
            self.active_agent(commander)
        incident = cases.Incident(
            id=key_of(ticket, "incident"),
            title=title or ticket.subject or ticket.reference,
            severity=self.policies.cases.severities[ticket.priority],
            commander=commander,
            channel=channel,
            opened_at=at,
        )
        self._link(ticket, incident, incident, by=by, at=at)
        return incident

    def link_incident(self, ticket_id: str, *, incident: str, by: str, at: datetime) -> cases.LinkedIncident:
        """Say that a ticket belongs to an incident; a ticket may belong to several, an incident have many tickets."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        return self._link(ticket, self.store.get(cases.Incident, incident), by=by, at=at)

    def close_incident(
        self, incident_id: str, *, by: str, at: datetime, actions: tuple[str, ...] = ()
    ) -> cases.Incident:
        """Close an incident with what is to keep it from happening again; its tickets go on by themselves."""
        self.active_agent(by)
        incident = self.store.get(cases.Incident, incident_id)
        if incident.status == "closed":
            raise NotAllowed(f"{incident.id} is closed already.")
        closed = incident.model_copy(update={"status": "closed", "corrective_actions": actions})
        *links, last = self.store.all(cases.LinkedIncident, incident_id=incident.id)
        for link in (*links, last):
            ticket, then = self.load(link.ticket_id, at)
            event = cases.added(ticket, "incident closed", incident.id, key=link.id, by=by, at=then)
            self.keep(ticket, [event], *([closed] if link is last else []), at=then)
        return closed

    def incidents(self) -> list[cases.Incident]:
        """Open incidents, the newest first."""
        return sorted(self.store.all(cases.Incident, status="open"), key=lambda one: one.opened_at, reverse=True)

    def attach_evidence(
        self, ticket_id: str, *, kind: cases.EvidenceKind, uri: str, by: str, at: datetime, description: str = ""
    ) -> cases.Evidence:
        """Say where something lies that proves or explains; the address is kept in one place and never opened."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        evidence = cases.Evidence(
            id=key_of(ticket, "evidence"),
            ticket_id=ticket.id,
            kind=kind,
            uri=cases.check_address(uri, self.policies.cases),
            description=description,
            added_by=by,
            created_at=at,
        )
        self._add(ticket, evidence, cases.added(ticket, "evidence", kind, key=evidence.id, by=by, at=at))
        return evidence

    def link_runbook(self, ticket_id: str, *, runbook: str, by: str, at: datetime) -> cases.LinkedRunbook:
        """Say which runbook was used on a ticket."""
        ticket, at = self.load_concerning(ticket_id, by, at)
        not_blank("runbook", runbook)
        name = runbook.strip()
        link = cases.LinkedRunbook(
            id=f"{ticket.id}/{name}", ticket_id=ticket.id, runbook=name, linked_by=by, created_at=at
        )
        self._add_once(ticket, link, cases.added(ticket, "runbook", name, key=link.id, by=by, at=at))
        return link

    def escalate(
        self,
        ticket_id: str,
        *,
        side: escalations.Side,
        reason: str,
        by: str,
        at: datetime,
        component: str | None = None,
        bug: str | None = None,
        similar: Collection[str] = (),
    ) -> escalations.Escalation:
        """Ask the team that owns a component, in engineering or product; the ticket's product is its component unless
        another is named. Product hears how many tickets are alike, what revenue they touch and who is a detractor."""
        ticket, at = self.load(ticket_id, at)
        named = component or ticket.product
        if named is None:
            raise BadInput(f"component: {ticket.reference} has no confirmed product; name the component.")
        policy = self.policies.escalations
        team = escalations.owning_team(named, side, policy)
        opened = self._opened(ticket, by=by, reason=reason, at=at, assigned_to=None, team_id=team)
        made = escalations.Escalation(
            id=opened.envelope.id,
            ticket_id=ticket.id,
            side=side,
            component=named,
            bug=bug,
            impact=self._impact({ticket.id, *similar}) if side == escalations.Side.PRODUCT else None,
            created_at=at,
        )
        event = cases.added(ticket, "escalation", f"{side}: {named}", key=made.id, by=by, at=at)
        self.keep(opened.ticket, [*opened.events, event], opened.envelope, made, at=at)
        return made

    def waiting_escalations(self, *, at: datetime, overdue: bool = False) -> list[escalations.Waiting]:
        """Open escalations with when their team last said how it stands, those overdue first."""
        found = [self._waiting(one, at) for one in self.store.all(escalations.Escalation)]
        open_ones = [one for one in found if one is not None and (one.is_overdue or not overdue)]
        return sorted(open_ones, key=lambda one: (not one.is_overdue, one.next_update_at or one.last_update_at))

    def remind_of_updates(self, *, at: datetime) -> list[reminders.Reminder]:
        """Remind owners of escalations whose team is silent, once for each update that is due."""
        made = []
        for one in self.waiting_escalations(at=at, overdue=True):
            reminder = escalations.reminder(one, at=at)
            if reminder and not self.store.all(reminders.Reminder, id=reminder.id):
                self.keep(self.store.ticket(one.escalation.ticket_id), [], reminder, at=at)
                made.append(reminder)
        return made

    def _waiting(self, escalation: escalations.Escalation, at: datetime) -> escalations.Waiting | None:
        envelope = self.store.get(Envelope, escalation.id)
        if not envelope.is_open:
            return None
        ticket = self.store.ticket(escalation.ticket_id)
        thread = self.store.all(TimelineEntry, envelope_id=envelope.id)
        return escalations.waiting(escalation, ticket, envelope, thread, at=at, policy=self.policies.escalations)

    def _impact(self, keys: Collection[str]) -> escalations.Impact:
        tickets = self.store.tickets(ids=keys)
        surveys = self.store.all(cases.Survey)
        return escalations.impact(tickets, self.store.all(Company), surveys, policy=self.policies.escalations)

    def _link(
        self, ticket: Ticket, incident: cases.Incident, *records: BaseModel, by: str, at: datetime
    ) -> cases.LinkedIncident:
        link = cases.LinkedIncident(
            id=f"{ticket.id}/{incident.id}", ticket_id=ticket.id, incident_id=incident.id, linked_by=by, created_at=at
        )
        event = cases.added(ticket, "incident", incident.id, key=link.id, by=by, at=at)
        self._add_once(ticket, link, event, *records)
        return link

    def _add_once(self, ticket: Ticket, record: BaseModel, event: Event, *records: BaseModel) -> None:
        if self.store.all(type(record), id=record.id):  # type: ignore[attr-defined]
            raise NotAllowed(f"{ticket.reference} has {event.data['what']} {event.value} already.")
        self._add(ticket, record, event, *records)

    def _add(self, ticket: Ticket, record: BaseModel, event: Event, *records: BaseModel) -> None:
        self.keep(ticket.model_copy(update={"updated_at": event.at}), [event], record, *records, at=event.at)
