"""Who hears of what, for thousands of tickets at once: people, wishes and queue are read once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import polars as pl

from engine.alert_matrix import Recipient, people
from engine.contracts import Agent, AssignmentGroup, Team, Ticket
from engine.notifications import (
    Channel,
    News,
    NotificationPolicy,
    NotificationPreference,
    QueuedNotification,
    Silence,
    route,
)
from engine.storage.ports import Store


class _Place(NamedTuple):
    agent_id: str
    ticket_id: str | None


class NotificationRouting:
    """Answers as the desk's `recipients` and `queued` do, without asking the store again for every ticket.

    It knows the queue as it was at `at` and what it queued since; nothing is written.
    """

    def __init__(self, store: Store, policy: NotificationPolicy, *, at: datetime) -> None:
        self._policy, self._at = policy, at
        self._agents = {agent.id: agent for agent in store.all(Agent)}
        self._teams = {team.id: team for team in store.all(Team)}
        self._team_of_group = {group.group_id: group.team_id for group in store.all(AssignmentGroup)}
        wishes = reversed(store.all(NotificationPreference))
        self._wishes = {(wish.agent_id, wish.event_type): wish for wish in wishes}
        self._silences: dict[_Place, list[Silence]] = {}
        for silence in store.all(Silence):
            self._silences.setdefault(_Place(silence.agent_id, silence.ticket_id), []).append(silence)
        self._told: dict[_Place, list[QueuedNotification]] = {}
        self._waiting: dict[str, dict[tuple[Channel, datetime], QueuedNotification]] = {}
        queue = store.frame(
            "notification_queue", [name for name in QueuedNotification.model_fields if name != "payload"]
        )
        self._known = set(queue["id"])
        for row in queue.filter(self._matters()).iter_rows(named=True):
            self._note(QueuedNotification.model_validate(row))

    def recipients(self, names: Iterable[str], ticket: Ticket) -> list[str]:
        return people([Recipient(name) for name in names], ticket=ticket, team=self.team_of(ticket))

    def team_of(self, ticket: Ticket) -> Team | None:
        """The team of the group that has the ticket, else the owner's first team; None if neither says."""
        owner = self._agents.get(ticket.owner_id or "")
        named = [self._team_of_group.get(ticket.group_id or ""), *(owner.teams if owner else ())]
        return next((self._teams[name] for name in named if name in self._teams), None)

    def queued(self, news: News, agent_ids: Iterable[str]) -> list[QueuedNotification]:
        """Queue rows for those of the agents who are to hear the news, by their own preferences."""
        rows = [self._routed(news, self._agents[key]) for key in dict.fromkeys(agent_ids) if key in self._agents]
        return [row for row in rows if row is not None]

    def _routed(self, news: News, agent: Agent) -> QueuedNotification | None:
        if f"{news.id}/{agent.id}" in self._known:
            return None
        place = _Place(agent.id, news.ticket_id)
        row = route(
            news,
            to=agent,
            at=self._at,
            policy=self._policy,
            preference=self._wishes.get((agent.id, news.event_type)),
            queue=[*self._told.get(place, []), *self._waiting.get(agent.id, {}).values()],
            silences=self._silences.get(place, []),
        ).notification
        if row is not None:
            self._known.add(row.id)
            self._note(row)
        return row

    def _note(self, row: QueuedNotification) -> None:
        self._told.setdefault(_Place(row.agent_id, row.ticket_id), []).append(row)
        if row.sent_at is None:
            self._waiting.setdefault(row.agent_id, {}).setdefault((row.channel, row.scheduled_for), row)

    def _matters(self) -> pl.Expr:
        """Rows that decide about new ones: told a short while ago, or going out later as a batch that is open."""
        recent = pl.col("created_at") > self._at - timedelta(minutes=self._policy.pause_per_ticket_minutes)
        return recent | (pl.col("sent_at").is_null() & (pl.col("scheduled_for") > self._at))
