"""Getting help without giving the ticket away: envelopes and tasks."""

from datetime import datetime

from engine import envelopes, tasks
from engine.desk.use_case import UseCase, key_of


class Escalation(UseCase):
    """Experts join and tasks are shared out; the owner stays."""

    def open_envelope(
        self,
        ticket_id: str,
        *,
        by: str,
        reason: str,
        at: datetime,
        assigned_to: str | None = None,
        team_id: str | None = None,
    ) -> envelopes.Envelope:
        ticket, at = self.load(ticket_id, at)
        opened = envelopes.open_for(
            ticket,
            key=key_of(ticket, "envelope"),
            by=by,
            reason=reason,
            at=at,
            policy=self.policies.envelopes,
            preset=self.policies.lifecycle,
            others=self.envelopes_of(ticket),
            assigned_to=assigned_to,
            team_id=team_id,
        )
        return self._keep_step(opened, at)

    def accept_envelope(self, envelope_id: str, *, by: str, at: datetime) -> envelopes.Envelope:
        envelope, ticket, at = self.load_with(envelopes.Envelope, envelope_id, at)
        return self._keep_step(envelopes.accept(ticket, envelope, by=self.agent(by), at=at), at)

    def complete_envelope(self, envelope_id: str, *, by: str, summary: str, at: datetime) -> envelopes.Envelope:
        envelope, ticket, at = self.load_with(envelopes.Envelope, envelope_id, at)
        done = envelopes.complete(
            ticket,
            envelope,
            by=by,
            summary=summary,
            at=at,
            preset=self.policies.lifecycle,
            others=self.envelopes_of(ticket),
        )
        return self._keep_step(done, at)

    def cancel_envelope(self, envelope_id: str, *, by: str, reason: str, at: datetime) -> envelopes.Envelope:
        envelope, ticket, at = self.load_with(envelopes.Envelope, envelope_id, at)
        done = envelopes.cancel(
            ticket,
            envelope,
            by=by,
            reason=reason,
            at=at,
            preset=self.policies.lifecycle,
            others=self.envelopes_of(ticket),
        )
        return self._keep_step(done, at)

    def add_task(
        self,
        ticket_id: str,
        *,
        title: str,
        by: str,
        at: datetime,
        assigned_to: str | None = None,
        description: str = "",
        due_date: datetime | None = None,
        envelope_id: str | None = None,
    ) -> tasks.Task:
        """A piece of work for an agent, given by the owner or, inside an envelope, by its expert."""
        ticket, at = self.load(ticket_id, at)
        task = tasks.Task(
            id=key_of(ticket, "task"),
            ticket_id=ticket.id,
            envelope_id=envelope_id,
            title=title,
            description=description,
            assigned_to=assigned_to,
            due_date=due_date,
            created_by=by,
            created_at=at,
        )
        envelope = self.store.get(envelopes.Envelope, envelope_id) if envelope_id else None
        added, events = tasks.add(task, ticket=ticket, envelope=envelope)
        self.keep(ticket.model_copy(update={"updated_at": at}), events, added, at=at)
        return added

    def move_task(self, task_id: str, *, to: tasks.TaskStatus, by: str, at: datetime) -> tasks.Task:
        task, ticket, at = self.load_with(tasks.Task, task_id, at)
        moved, events = tasks.move(task, to=to, by=by, at=at)
        self.keep(ticket.model_copy(update={"updated_at": at}), events, moved, at=at)
        return moved

    def expert_view(self, ticket_id: str, *, agent_id: str) -> envelopes.ExpertView:
        """The ticket to read and the envelopes to work in (seed S2-04)."""
        ticket = self.store.ticket(ticket_id)
        return envelopes.expert_view(ticket, self.envelopes_of(ticket), agent=self.agent(agent_id))

    def _keep_step(self, step: envelopes.Enveloped, at: datetime) -> envelopes.Envelope:
        self.keep(step.ticket, step.events, step.envelope, at=at)
        return step.envelope
