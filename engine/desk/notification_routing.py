"""Who hears of what, for one piece of news or for thousands of tickets at once; what is known is read once."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import polars as pl
from more_itertools import chunked

from engine.alert_matrix import Placed, Recipient, people
from engine.contracts import Agent, AssignmentGroup, Team
from engine.notifications import (
    EVERY_EVENT,
    News,
    NotificationPolicy,
    NotificationPreference,
    QueuedNotification,
    Silence,
    route,
)
from engine.storage.ports import Store

KEYS_AT_ONCE = 10_000
FEW = 20
"""For so few tickets their rows are looked up; for more, those of the agents are read whole."""


class _Earlier(NamedTuple):
    """As much of a row of the queue as later news depend on."""

    id: str | None
    agent_id: str
    ticket_id: str | None
    channel: str
    scheduled_for: datetime


class NotificationRouting:
    """Routes news by people's wishes, by the queue as it was when first asked and by what it routed since; nothing is
    written. `beside` are rows of the same decision that are not written either."""

    def __init__(
        self, store: Store, policy: NotificationPolicy, *, at: datetime, beside: Sequence[QueuedNotification] = ()
    ) -> None:
        self._store, self._policy, self._at = store, policy, at
        self._agents: dict[str, Agent | None] = {}
        self._preferences: dict[tuple[str, str], NotificationPreference] = {}
        self._silences: dict[str, list[Silence]] = {}
        self._queue = _Queue()
        for row in beside:
            self._queue.add(_earlier(row))
        self._read: set[tuple[str, str | None]] = set()

    @cached_property
    def _teams(self) -> dict[str, Team]:
        return {team.id: team for team in self._store.all(Team)}

    @cached_property
    def _team_of_group(self) -> dict[str, str | None]:
        return {group.group_id: group.team_id for group in self._store.all(AssignmentGroup)}

    def recipients(self, names: Iterable[str], ticket: Placed) -> list[str]:
        return people([Recipient(name) for name in names], ticket=ticket, team=self.team_of(ticket))

    def team_of(self, ticket: Placed) -> Team | None:
        """The team of the group that has the ticket, else the owner's first team; None if neither says."""
        owner = self._agent(ticket.owner_id) if ticket.owner_id else None
        named = [self._team_of_group.get(ticket.group_id or ""), *(owner.teams if owner else ())]
        return next((self._teams[name] for name in named if name in self._teams), None)

    def queued(self, news: Sequence[tuple[News, Sequence[str]]]) -> list[QueuedNotification]:
        """Queue rows for those agents who are to hear each news, by their own preferences; none that is queued."""
        named = [(one, agent) for one, keys in news for key in dict.fromkeys(keys) if (agent := self._agent(key))]
        if not named:
            return []
        known = self._queued_before([f"{one.id}/{agent.id}" for one, agent in named])
        fresh = [(one, agent) for one, agent in named if f"{one.id}/{agent.id}" not in known]
        self._look_up({(agent.id, one.ticket_id) for one, agent in fresh})
        rows = []
        for one, agent in fresh:
            row = None if f"{one.id}/{agent.id}" in known else self._routed(one, agent)
            if row is not None:
                self._queue.add(_earlier(row))
                known.add(row.id)
                rows.append(row)
        return rows

    def _agent(self, agent_id: str) -> Agent | None:
        if agent_id not in self._agents:
            self._agents[agent_id] = next(iter(self._store.all(Agent, id=agent_id)), None)
        return self._agents[agent_id]

    def _queued_before(self, ids: Sequence[str]) -> set[str]:
        parts = chunked(ids, KEYS_AT_ONCE)
        found = [self._store.frame("notification_queue", ["id"], where={"id": part})["id"] for part in parts]
        return {key for part in found for key in part} | self._queue.ids

    def _look_up(self, places: set[tuple[str, str | None]]) -> None:
        """Read what these agents wish, where they want silence, and of what they hear or heard a short while ago."""
        new_agents = {agent for agent, _ in places} - self._silences.keys()
        for agent_id in new_agents:
            silences = self._store.all(Silence, agent_id=agent_id)
            self._silences[agent_id] = [silence for silence in silences if silence.until > self._at]
            for wish in reversed(self._store.all(NotificationPreference, agent_id=agent_id)):
                self._preferences[agent_id, wish.event_type] = wish
        if new_agents:
            columns = ["agent_id", "channel", "scheduled_for"]
            to_come = self._frame(columns, where={"agent_id": new_agents}, since=self._at)
            for agent_id, channel, moment in to_come.unique(maintain_order=True).iter_rows():
                self._queue.add(_Earlier(None, agent_id, None, channel, moment))
        new_places = {place for place in places if place[1] is not None} - self._read
        if new_places:
            self._read_recent(new_places)
        self._read |= new_places

    def _read_recent(self, places: set[tuple[str, str | None]]) -> None:
        agents, tickets = {agent for agent, _ in places}, {ticket for _, ticket in places if ticket is not None}
        where = {"agent_id": agents} | ({"ticket_id": tickets} if len(tickets) <= FEW else {})
        since = self._at - timedelta(minutes=self._policy.pause_per_ticket_minutes)
        for row in self._frame(_Earlier._fields, where=where, since=since).iter_rows():
            self._queue.add(_Earlier._make(row))

    def _frame(self, columns: Sequence[str], *, where: Mapping[str, Collection[str]], since: datetime) -> pl.DataFrame:
        return self._store.frame("notification_queue", columns, where=where, after={"scheduled_for": since})

    def _routed(self, news: News, agent: Agent) -> QueuedNotification | None:
        wishes = (self._preferences.get((agent.id, kind)) for kind in (news.event_type, EVERY_EVENT))
        return route(
            news,
            to=agent,
            at=self._at,
            policy=self._policy,
            preference=next((wish for wish in wishes if wish), None),
            queue=self._queue.about(agent.id, news.ticket_id),
            silences=[one for one in self._silences[agent.id] if one.ticket_id == news.ticket_id],
        ).notification


class _Queue:
    """Rows by whom they are for and what they are about; of each batch that goes out later one."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._about: dict[tuple[str, str | None], list[_Earlier]] = {}
        self._to_come: dict[str, dict[tuple[str, datetime], _Earlier]] = {}

    def add(self, row: _Earlier) -> None:
        if row.id is not None:
            if row.id in self.ids:
                return
            self.ids.add(row.id)
        if row.ticket_id is not None:
            self._about.setdefault((row.agent_id, row.ticket_id), []).append(row)
        self._to_come.setdefault(row.agent_id, {}).setdefault((row.channel, row.scheduled_for), row)

    def about(self, agent_id: str, ticket_id: str | None) -> list[_Earlier]:
        return [*self._about.get((agent_id, ticket_id), []), *self._to_come.get(agent_id, {}).values()]


def _earlier(row: QueuedNotification) -> _Earlier:
    return _Earlier._make(getattr(row, name) for name in _Earlier._fields)
