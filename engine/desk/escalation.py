"""Getting help without giving the ticket away: envelopes and tasks."""

from datetime import datetime

from engine import envelopes, tasks
from engine.contracts import Agent, AssignmentGroup, Team, Ticket
from engine.desk.use_case import UseCase, key_of, not_blank
from engine.shared.errors import NotAllowed


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
        """Ask an expert, a team or a vendor for help inside a ticket, which stays its owner's."""
        ticket, at = self.load(ticket_id, at)
        opened = self._opened(ticket, by=by, reason=reason, at=at, assigned_to=assigned_to, team_id=team_id)
        return self._keep_step(opened, at)

    def accept_envelope(self, envelope_id: str, *, by: str, at: datetime) -> envelopes.Envelope:
        """Take an envelope, as the one who was asked or a member of the team that was."""
        envelope, ticket, at = self.load_with(envelopes.Envelope, envelope_id, at)
        return self._keep_step(envelopes.accept(ticket, envelope, by=self.agent(by), at=at), at)

    def complete_envelope(self, envelope_id: str, *, by: str, summary: str, at: datetime) -> envelopes.Envelope:
        """End an envelope with a summary for the owner; a vendor's is ended by the owner with its answer."""
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
        """Take a question back, as who asked it or the owner."""
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
        """Give a piece of work to an agent, as the owner or, inside an envelope, as its expert."""
        ticket, at = self.load(ticket_id, at)
        not_blank("title", title)
        if assigned_to is not None:
            self.active_agent(assigned_to)
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
        """Start, finish or cancel a task, as who has it or who gave it."""
        task, ticket, at = self.load_with(tasks.Task, task_id, at)
        moved, events = tasks.move(task, to=to, by=by, at=at)
        self.keep(ticket.model_copy(update={"updated_at": at}), events, moved, at=at)
        return moved

    def expert_view(self, ticket_id: str, *, by: str) -> envelopes.ExpertView:
        """A ticket to read and the envelopes on it that are one's own to work in (seed S2-04); its owner sees all."""
        ticket = self.store.ticket(ticket_id)
        return envelopes.expert_view(ticket, self.envelopes_of(ticket), agent=self.agent(by))

    def my_envelopes(self, *, by: str) -> list[envelopes.Envelope]:
        """Open envelopes that wait for one's answer or that one has asked, the first due first."""
        agent = self.agent(by)
        pending = self.store.all(envelopes.Envelope, status=envelopes.EnvelopeStatus.PENDING)
        active = self.store.all(envelopes.Envelope, status=envelopes.EnvelopeStatus.ACTIVE)
        mine = [one for one in [*pending, *active] if one.requested_by == agent.id or envelopes.concerns(one, agent)]
        return sorted(mine, key=lambda one: (one.response_due_at, one.id))

    def my_tasks(self, *, by: str, at: datetime) -> list[tasks.Task]:
        """Open tasks that one has or gave: the longest overdue first, those without a date last."""
        mine = [*self.store.all(tasks.Task, assigned_to=by), *self.store.all(tasks.Task, created_by=by)]
        waiting = {task.id: task for task in mine if task.status not in tasks.FINAL}.values()
        late = tasks.overdue(waiting, at=at)
        rest = [task for task in waiting if task not in late]
        return [*late, *sorted(rest, key=lambda task: (task.due_date is None, task.due_date or task.created_at))]

    def _opened(
        self, ticket: Ticket, *, by: str, reason: str, at: datetime, assigned_to: str | None, team_id: str | None
    ) -> envelopes.Enveloped:
        self.active_agent(by)
        return envelopes.open_for(
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
            is_vendor=self._answers(assigned_to, team_id, by),
        )

    def _answers(self, assigned_to: str | None, team_id: str | None, by: str) -> bool:
        """Whether it is a vendor that is asked. Raises NotFound for nobody, NotAllowed for one who can't answer."""
        if assigned_to is not None:
            self.active_agent(assigned_to)
        if team_id is None:
            return False
        named = [*self.store.all(AssignmentGroup, group_id=team_id), *self.store.all(AssignmentGroup, team_id=team_id)]
        if any(group.is_vendor for group in named):
            return True
        team = self.store.get(Team, team_id)
        if not any(team.id in agent.teams and agent.id != by for agent in self.store.all(Agent, is_active=True)):
            raise NotAllowed(f"Nobody is in {team.name} to answer; ask a person or another team.")
        return False

    def _keep_step(self, step: envelopes.Enveloped, at: datetime) -> envelopes.Envelope:
        self.keep(step.ticket, step.events, step.envelope, at=at)
        return step.envelope
