"""An agent's day: what to do next, the board, reminders."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import polars as pl
from pydantic import FiniteFloat

from engine import kanban, priority, reminders
from engine.contracts import OPEN_STATUSES, AssignmentGroup, SlaEffect, Ticket
from engine.desk.use_case import UseCase, key_of, not_blank
from engine.envelopes import EnvelopeStatus
from engine.flags import active
from engine.ownership import names_of
from engine.shared.errors import BadInput, NotAllowed

NO_CLOCKS: Mapping[str, priority.TimeLeft] = MappingProxyType({})


class Workspace(UseCase):
    """`left` is, by ticket, what its SLA clocks have left; a ticket without is scored without a deadline."""

    def my_queue(
        self,
        *,
        by: str,
        at: datetime,
        left: Mapping[str, priority.TimeLeft] = NO_CLOCKS,
    ) -> list[priority.QueueItem]:
        """Open tickets that one owns or that are assigned to one, the most urgent first."""
        return self.work_queue(at=at, agent=by, left=left)

    def work_queue(
        self,
        *,
        at: datetime,
        agent: str | None = None,
        group: str | None = None,
        left: Mapping[str, priority.TimeLeft] = NO_CLOCKS,
    ) -> list[priority.QueueItem]:
        """Open tickets of an agent, of a group or of the whole desk, the most urgent first."""
        held_by = names_of(self.agent(agent)) if agent else None
        tickets = self.store.tickets(statuses=OPEN_STATUSES, holder=held_by)
        chosen = [ticket for ticket in tickets if group is None or ticket.group_id == group]
        scored = [(ticket, self._score(ticket, at, left.get(ticket.id))) for ticket in chosen]
        limit = priority.AGENT_QUEUE if agent else priority.TEAM_QUEUE
        return priority.work_queue(scored, preset=self.policies.priority, limit=limit)

    def _score(self, ticket: Ticket, at: datetime, left: priority.TimeLeft | None) -> priority.PriorityScore:
        """The score of a ticket from its flags, envelopes and history."""
        envelopes = self.envelopes_of(ticket) if ticket.escalated else []
        pending = [at - e.created_at for e in envelopes if e.status == EnvelopeStatus.PENDING]
        return priority.score(
            ticket,
            at=at,
            preset=self.policies.priority,
            sla_seconds_left=left and left.seconds,
            sla_share_left=left and left.share,
            flags=active(self.flags_of(ticket)),
            has_active_envelope=any(e.status == EnvelopeStatus.ACTIVE for e in envelopes),
            longest_pending_envelope=max(pending, default=None),
            is_reopened=self._is_reopened(ticket),
        )

    def move_card(
        self, view_id: str, *, ticket: str, to: str, by: str, at: datetime, reason: str | None = None
    ) -> kanban.Moved:
        """Move a ticket to another column of a view's board, as its owner, to another priority with a reason; a full
        column warns or refuses."""
        view = self.view(view_id, by=by)
        card, at = self.load(ticket, at)
        if view.column_field == kanban.ColumnField.TEAM and to != kanban.NONE:
            self.store.get(AssignmentGroup, to)
        cards = self._cards_in(view, to) if to in view.wip_limits else 0
        preset = self.policies.lifecycle
        moved, events = kanban.move_card(
            view, card, to=to, by=by, at=at, preset=preset, cards_there=cards, reason=reason
        )
        return moved.model_copy(update={"ticket": self.keep(moved.ticket, events, at=at)})

    def save_view(
        self,
        *,
        name: str,
        by: str,
        team: str | None = None,
        columns: kanban.ColumnField = kanban.ColumnField.STATUS,
        lanes: kanban.ColumnField | None = None,
        filters: Mapping[str, str] | None = None,
        limits: Mapping[str, int] | None = None,
        limits_are: kanban.WipMode = kanban.WipMode.SOFT,
        sort_by: kanban.SortBy = kanban.SortBy.PRIORITY_SCORE,
    ) -> kanban.KanbanView:
        """Keep a view of the board under its name: one's own, or that of a team one is in."""
        agent = self.active_agent(by)
        not_blank("name", name)
        if name.splitlines() != [name]:
            raise BadInput(f"the name of a view is one line; {name!r} has a line break in it")
        if team is not None and team not in agent.teams:
            raise NotAllowed(f"A view of {team} is kept by one of the team, which {agent.name} is not.")
        view = kanban.KanbanView(
            id=f"{team or agent.id}/{name}",
            name=name,
            owner_id=None if team else agent.id,
            team_id=team,
            column_field=columns,
            swimlane_field=lanes,
            filters=dict(filters or {}),
            wip_limits=dict(limits or {}),
            wip_mode=limits_are,
            sort_by=sort_by,
        )
        kanban.check_filters(view)
        self.store.put([view])
        return view

    def views(self, *, by: str) -> list[kanban.KanbanView]:
        """Views of the board that one may open: the usual ones, one's own, and those of one's teams."""
        agent = self.agent(by)
        usual = kanban.usual_views(agent, self.store.all(AssignmentGroup))
        return [*usual, *(view for view in self.store.all(kanban.KanbanView) if kanban.is_for(view, agent))]

    def view(self, view_id: str, *, by: str) -> kanban.KanbanView:
        """A view by its key. Raises NotFound, and NotAllowed for one of others."""
        for view in kanban.usual_views(self.agent(by), self.store.all(AssignmentGroup)):
            if view.id == view_id:
                return view
        view = self.store.get(kanban.KanbanView, view_id)
        if not kanban.is_for(view, self.agent(by)):
            raise NotAllowed(f"The view {view.name!r} is of {view.owner_id or view.team_id}; keep one of your own.")
        return view

    def remind(
        self,
        ticket_id: str,
        *,
        by: str,
        trigger_at: datetime,
        message: str,
        at: datetime,
        type: reminders.ReminderType = reminders.ReminderType.CUSTOM,
        recurring: reminders.Recurring | None = None,
    ) -> reminders.Reminder:
        """Set oneself a reminder of a ticket, once or again and again."""
        ticket, at = self.load(ticket_id, at)
        not_blank("message", message)
        reminder = reminders.Reminder(
            id=key_of(ticket, "reminder"),
            ticket_id=ticket.id,
            agent_id=self.active_agent(by).id,
            type=type,
            trigger_at=trigger_at,
            message=message,
            recurring=recurring,
            created_at=at,
        )
        self.keep(ticket, [reminders.created_event(reminder)], reminder, at=at)
        return reminder

    def snooze(self, reminder_id: str, *, minutes: int, by: str, at: datetime) -> reminders.Reminder:
        """Put a reminder of one's own off for some minutes."""
        reminder, ticket, at = self.load_with(reminders.Reminder, reminder_id, at)
        snoozed, events = reminders.snooze(reminder, minutes=minutes, by=by, at=at)
        self.keep(ticket, events, snoozed, at=at)
        return snoozed

    def complete_reminder(self, reminder_id: str, *, by: str, at: datetime) -> reminders.Reminder:
        """Tick a reminder of one's own off; a recurring one comes again at its next turn."""
        reminder, ticket, at = self.load_with(reminders.Reminder, reminder_id, at)
        done, events = reminders.complete(reminder, by=by, at=at)
        self.keep(ticket, events, done, at=at)
        return done

    def due_reminders(self, *, by: str, at: datetime, ahead_hours: FiniteFloat = 24) -> reminders.DueList:
        """One's reminders that are overdue, and those of the hours ahead."""
        mine = self.store.all(reminders.Reminder, agent_id=by)
        return reminders.due_list(mine, agent_id=by, at=at, ahead=timedelta(hours=ahead_hours))

    def _cards_in(self, view: kanban.KanbanView, column: str) -> int:
        field = kanban.COLUMN_OF[view.column_field]
        where: dict[str, Collection[str] | None] = {"status": kanban.statuses(view)}
        if field != "status":
            where[field] = None if column == kanban.NONE else (column,)
        rows = self.store.frame("tickets", sorted({"status", field, *view.filters}), where=where)
        return kanban.fits(view, rows).filter(pl.col(field).fill_null(kanban.NONE) == column).height

    def _is_reopened(self, ticket: Ticket) -> bool:
        if self.policies.priority.reopened == 1.0:
            return False
        return any(event.sla_effect == SlaEffect.REOPEN for event in self.store.history(ticket.id))
