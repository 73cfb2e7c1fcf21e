"""An agent's day: what to do next, the board, reminders."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from engine import kanban, priority, reminders
from engine.contracts import OPEN_STATUSES, SlaEffect, Ticket
from engine.desk.use_case import UseCase, key_of
from engine.envelopes import EnvelopeStatus
from engine.flags import active
from engine.shared.errors import NotAllowed


class Workspace(UseCase):
    """`seconds_left` is, by ticket, what the SLA clocks have left; a ticket without is scored without a deadline."""

    def work_queue(
        self,
        *,
        at: datetime,
        owner_id: str | None = None,
        group_id: str | None = None,
        seconds_left: Mapping[str, float] | None = None,
        limit: int | None = None,
    ) -> list[priority.QueueItem]:
        """Open tickets of an agent or of a group (both None: of the whole desk), the most urgent first."""
        tickets = self.store.tickets(statuses=OPEN_STATUSES, owner_id=owner_id)
        chosen = [t for t in tickets if group_id is None or t.group_id == group_id]
        left = seconds_left or {}
        scored = [(ticket, self.score(ticket, at=at, seconds_left=left.get(ticket.id))) for ticket in chosen]
        most = limit or (priority.AGENT_QUEUE if owner_id else priority.TEAM_QUEUE)
        return priority.work_queue(scored, preset=self.policies.priority, limit=most)

    def score(self, ticket: Ticket, *, at: datetime, seconds_left: float | None = None) -> priority.PriorityScore:
        """The score of a ticket from its flags, envelopes and history."""
        envelopes = self.envelopes_of(ticket) if ticket.escalated else []
        pending = [at - e.created_at for e in envelopes if e.status == EnvelopeStatus.PENDING]
        return priority.score(
            ticket,
            at=at,
            preset=self.policies.priority,
            sla_seconds_left=seconds_left,
            flags=active(self.flags_of(ticket)),
            has_active_envelope=any(e.status == EnvelopeStatus.ACTIVE for e in envelopes),
            longest_pending_envelope=max(pending, default=None),
            is_reopened=self._is_reopened(ticket),
        )

    def board(
        self,
        view: kanban.KanbanView,
        *,
        at: datetime,
        seconds_left: Mapping[str, float] | None = None,
    ) -> kanban.Board:
        """The board of a view: all tickets that fit its filters, the open ones if it has no filter on the status."""
        tickets = self.store.tickets(statuses=None if "status" in view.filters else OPEN_STATUSES)
        shown = [ticket for ticket in tickets if kanban.fits(view, ticket)]
        left, scores = seconds_left or {}, {}
        if view.sort_by == kanban.SortBy.PRIORITY_SCORE:
            scores = {t.id: self.score(t, at=at, seconds_left=left.get(t.id)).score for t in shown}
        return kanban.board(view, shown, scores=scores, seconds_left=left, preset=self.policies.lifecycle)

    def move_card(self, view: kanban.KanbanView, ticket_id: str, *, to: str, by: str, at: datetime) -> kanban.Moved:
        ticket, at = self.load(ticket_id, at)
        cards = self._cards_in(view, to) if to in view.wip_limits else 0
        preset = self.policies.lifecycle
        moved = kanban.move_card(view, ticket, to=to, by=by, at=at, preset=preset, cards_there=cards)
        return moved._replace(ticket=self.keep(moved.ticket, moved.events, at=at))

    def save_view(self, view: kanban.KanbanView, *, by: str) -> kanban.KanbanView:
        """Keep a view: a personal one by its owner, a team's by one of the team."""
        is_theirs = view.owner_id == by if view.owner_id else view.team_id in self.agent(by).teams
        if not is_theirs:
            raise NotAllowed(f"The view {view.name!r} belongs to {view.owner_id or view.team_id}, not to {by}.")
        self.store.put([view])
        return view

    def remind(
        self,
        ticket_id: str,
        *,
        agent_id: str,
        trigger_at: datetime,
        message: str,
        at: datetime,
        type: reminders.ReminderType = reminders.ReminderType.CUSTOM,
        recurring: reminders.Recurring | None = None,
    ) -> reminders.Reminder:
        ticket, at = self.load(ticket_id, at)
        reminder = reminders.Reminder(
            id=key_of(ticket, "reminder"),
            ticket_id=ticket.id,
            agent_id=self.agent(agent_id).id,
            type=type,
            trigger_at=trigger_at,
            message=message,
            recurring=recurring,
            created_at=at,
        )
        self.keep(ticket, [reminders.created_event(reminder)], reminder, at=at)
        return reminder

    def snooze(self, reminder_id: str, *, minutes: int, by: str, at: datetime) -> reminders.Reminder:
        reminder, ticket, at = self.load_with(reminders.Reminder, reminder_id, at)
        snoozed, events = reminders.snooze(reminder, minutes=minutes, by=by, at=at)
        self.keep(ticket, events, snoozed, at=at)
        return snoozed

    def complete_reminder(self, reminder_id: str, *, by: str, at: datetime) -> reminders.Reminder:
        reminder, ticket, at = self.load_with(reminders.Reminder, reminder_id, at)
        done, events = reminders.complete(reminder, by=by, at=at)
        self.keep(ticket, events, done, at=at)
        return done

    def due_reminders(
        self, agent_id: str, *, at: datetime, ahead: timedelta = timedelta(hours=24)
    ) -> reminders.DueList:
        mine = self.store.all(reminders.Reminder, agent_id=agent_id)
        return reminders.due_list(mine, agent_id=agent_id, at=at, ahead=ahead)

    def _cards_in(self, view: kanban.KanbanView, column: str) -> int:
        tickets = self.store.tickets(statuses=None if "status" in view.filters else OPEN_STATUSES)
        return sum(kanban.column_of(t, view.column_field) == column and kanban.fits(view, t) for t in tickets)

    def _is_reopened(self, ticket: Ticket) -> bool:
        if self.policies.priority.reopened == 1.0:
            return False
        return any(event.sla_effect == SlaEffect.REOPEN for event in self.store.history(ticket.id))
