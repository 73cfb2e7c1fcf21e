"""What the desk does by itself when time passes: remind, escalate, close; asking twice does nothing twice."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import polars as pl
from pydantic import BaseModel

from engine import envelopes, lifecycle, reminders, rules
from engine.contracts import OPEN_STATUSES, Agent, AssignmentGroup, Event, Kind, Status, Ticket
from engine.desk.nudges import Nudges
from engine.notifications import News
from engine.shared.errors import Conflict


class Automations(Nudges):
    """Run by the schedule; each ticket is a transaction of its own, so that one conflict stops no other."""

    def arrived(self, ticket_ids: Iterable[str], *, at: datetime) -> list[rules.Fired]:
        """Apply the rules on creation to new tickets, and flag who came back too often; returns what fired."""
        new = self.store.tickets(ids=ticket_ids)
        fired = [act for ticket in new for act in self._apply(rules.Trigger.TICKET_CREATED, ticket, at=at)]
        often = self._frequent_requesters()
        for ticket in new:
            if ticket.requester_id in often:
                self.flag_repeat_contact(ticket.id, at=at)
        return fired

    def set_reminders(
        self, *, at: datetime, seconds_left: Mapping[str, float] | None = None
    ) -> list[reminders.Reminder]:
        """Set the reminders that open tickets call for, each once, and trigger those whose instant has come."""
        known = {reminder.id for reminder in self.store.all(reminders.Reminder)}
        envelopes_by_ticket = self._open_envelopes()
        for ticket in self.store.tickets(statuses=OPEN_STATUSES):
            called_for = reminders.automatic(
                ticket,
                at=at,
                policy=self.policies.reminders,
                sla_seconds_left=(seconds_left or {}).get(ticket.id),
                envelopes=envelopes_by_ticket.get(ticket.id, []),
            )
            new = [reminder for reminder in called_for if reminder.id not in known]
            self._try(ticket, [reminders.created_event(reminder) for reminder in new], *new, at=at)
        return self._trigger_due(at)

    def escalate_overdue(self, *, at: datetime) -> list[rules.Fired]:
        """Apply the rules on envelopes that have waited too long (seed S1-26); returns what fired."""
        pending = self.store.all(envelopes.Envelope, status=envelopes.EnvelopeStatus.PENDING)
        fired: list[rules.Fired] = []
        for envelope in pending:
            ticket = self.store.ticket(envelope.ticket_id)
            fired += self._apply(rules.Trigger.AGE_EXCEEDED, ticket, at=at, envelope=envelope)
        return fired

    def close_resolved(self, *, at: datetime) -> list[Ticket]:
        """Close what has stayed resolved for as long as the lifecycle says (seed S4-03)."""
        preset = self.policies.lifecycle
        resolved = self.store.tickets(statuses=[Status.RESOLVED])
        due = lifecycle.due_for_closing(resolved, at=at, preset=preset)
        reason = f"resolved for {preset.auto_close_days} days"
        changes = [self.moved(t, Status.CLOSED, by="system", at=at, reason=reason) for t in due if not t.escalated]
        return [ticket for ticket, events in changes if self._try(ticket, events, at=at)]

    def _try(self, ticket: Ticket, events: list[Event], *records: BaseModel, at: datetime) -> bool:
        """Keep it unless somebody was faster with this ticket: then the next sweep looks again."""
        try:
            self.keep(ticket, events, *records, at=at)
        except Conflict:
            return False
        return True

    def _trigger_due(self, at: datetime) -> list[reminders.Reminder]:
        waiting = {reminders.ReminderStatus.PENDING, reminders.ReminderStatus.SNOOZED}
        due = [r for status in waiting for r in self.store.all(reminders.Reminder, status=status) if r.due_at <= at]
        triggered = []
        for reminder in sorted(due, key=lambda r: (r.due_at, r.id)):
            rung, events = reminders.trigger(reminder, at=at)
            payload = {"message": rung.message}
            fact = f"{rung.id}@{rung.due_at.isoformat()}"
            news = News(id=fact, event_type="reminder", ticket_id=rung.ticket_id, payload=payload)
            notices = self.queued(news, [rung.agent_id], at=at)
            if self._try(self.store.ticket(rung.ticket_id), events, rung, *notices, at=at):
                triggered.append(rung)
        return triggered

    def _apply(
        self, event: rules.Trigger, ticket: Ticket, *, at: datetime, envelope: envelopes.Envelope | None = None
    ) -> list[rules.Fired]:
        """What the rules ask for, done in one transaction. Only the first assignment counts."""
        facts = rules.escalation_facts(envelope, ticket, at=at) if envelope else rules.ticket_facts(ticket)
        about = envelope.id if envelope else ticket.id
        events, notices, effective = list[Event](), list[BaseModel](), list[rules.Fired]()
        for act in rules.fire(self.policies.rules.rules, event=event, facts=facts):
            if act.type == "notify":
                rows = self._notices_by_rule(act, ticket, about, at)
                notices += rows
                effective += [act] if rows else []
            elif not events and (group := self._group_named(act.to)) not in {None, ticket.group_id}:
                events.append(Event(ticket_id=ticket.id, kind=Kind.GROUP, at=at, value=group, reason=act.rule))
                ticket = ticket.model_copy(update={"group_id": group})
                effective.append(act)
        return effective if self._try(ticket, events, *notices, at=at) else []

    def _notices_by_rule(self, act: rules.Fired, ticket: Ticket, about: str, at: datetime) -> list[BaseModel]:
        """A team without members is stood in for by the manager of the ticket's own team."""
        kind, name = act.to.split(":", 1)
        members = [a.id for a in self.store.all(Agent, is_active=True) if name in a.teams] if kind == "team" else [name]
        payload = {"message": act.message or act.rule}
        news = News(id=f"{act.rule}/{about}", event_type="rule", ticket_id=ticket.id, payload=payload)
        return [*self.queued(news, members or self.recipients(["group_manager"], ticket), at=at)]

    def _group_named(self, to: str) -> str | None:
        """The group with this id, else the first group of the team; None if there is neither."""
        name = to.split(":", 1)[1]
        groups = [*self.store.all(AssignmentGroup, group_id=name), *self.store.all(AssignmentGroup, team_id=name)]
        return groups[0].group_id if groups else None

    def _open_envelopes(self) -> dict[str, list[envelopes.Envelope]]:
        found: dict[str, list[envelopes.Envelope]] = {}
        for envelope in self.store.all(envelopes.Envelope, status=envelopes.EnvelopeStatus.PENDING):
            found.setdefault(envelope.ticket_id, []).append(envelope)
        return found

    def _frequent_requesters(self) -> set[str]:
        """Requesters with more than one ticket: the only ones worth a closer look when a new one comes in."""
        counts = self.store.frame("tickets").drop_nulls("requester_id").group_by("requester_id").len()
        return set(counts.filter(pl.col("len") > 1)["requester_id"])
