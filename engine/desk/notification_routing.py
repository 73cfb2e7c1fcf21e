"""Who hears of what, for thousands of tickets at once: people, preferences and queue are read once."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import polars as pl
from more_itertools import chunked

from engine.alert_matrix import Placed, Recipient, people
from engine.contracts import Agent, AssignmentGroup, Team
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

KEYS_AT_ONCE = 10_000


class _Place(NamedTuple):
    agent_id: str
    ticket_id: str | None


class NotificationRouting:
    """Answers as the desk's `recipients` and `queued` do, without asking the store again for every ticket.

    It knows the queue as it was when first asked and what it queued since; nothing is written.
    """

    def __init__(self, store: Store, policy: NotificationPolicy, *, at: datetime) -> None:
        self._store, self._policy, self._at = store, policy, at
        self._agents = {agent.id: agent for agent in store.all(Agent)}
        self._teams = {team.id: team for team in store.all(Team)}
        self._team_of_group = {group.group_id: group.team_id for group in store.all(AssignmentGroup)}

    @cached_property
    def _preferences(self) -> dict[tuple[str, str], NotificationPreference]:
        found = reversed(self._store.all(NotificationPreference))
        return {(preference.agent_id, preference.event_type): preference for preference in found}

    @cached_property
    def _silences(self) -> dict[_Place, list[Silence]]:
        found: dict[_Place, list[Silence]] = {}
        for silence in self._store.all(Silence):
            found.setdefault(_Place(silence.agent_id, silence.ticket_id), []).append(silence)
        return found

    @cached_property
    def _queue(self) -> "_Queue":
        """Rows that decide about new ones: made a short while ago, or going out later as a batch that is open."""
        columns = [name for name in QueuedNotification.model_fields if name != "payload"]
        since = self._at - timedelta(minutes=self._policy.pause_per_ticket_minutes)
        recent = self._store.frame("notification_queue", columns, after={"created_at": since})
        waiting = self._store.frame(
            "notification_queue", columns, where={"sent_at": None}, after={"scheduled_for": self._at}
        )
        queue = _Queue()
        for row in pl.concat([recent, waiting]).unique("id").sort("id").iter_rows(named=True):
            queue.add(QueuedNotification.model_validate(row))
        return queue

    def recipients(self, names: Iterable[str], ticket: Placed) -> list[str]:
        return people([Recipient(name) for name in names], ticket=ticket, team=self.team_of(ticket))

    def team_of(self, ticket: Placed) -> Team | None:
        """The team of the group that has the ticket, else the owner's first team; None if neither says."""
        owner = self._agents.get(ticket.owner_id or "")
        named = [self._team_of_group.get(ticket.group_id or ""), *(owner.teams if owner else ())]
        return next((self._teams[name] for name in named if name in self._teams), None)

    def queued(self, news: Sequence[tuple[News, Sequence[str]]]) -> list[QueuedNotification]:
        """Queue rows for those agents who are to hear each news, by their own preferences; none that is queued."""
        pairs = [(one, self._agents[key]) for one, keys in news for key in dict.fromkeys(keys) if key in self._agents]
        known = self._queued_before([f"{one.id}/{agent.id}" for one, agent in pairs])
        rows = []
        for one, agent in pairs:
            row = None if f"{one.id}/{agent.id}" in known else self._routed(one, agent)
            if row is not None:
                self._queue.add(row)
                known.add(row.id)
                rows.append(row)
        return rows

    def _queued_before(self, ids: Sequence[str]) -> set[str]:
        parts = chunked(ids, KEYS_AT_ONCE)
        found = [self._store.frame("notification_queue", ["id"], where={"id": part})["id"] for part in parts]
        return {key for part in found for key in part} | self._queue.ids

    def _routed(self, news: News, agent: Agent) -> QueuedNotification | None:
        place = _Place(agent.id, news.ticket_id)
        return route(
            news,
            to=agent,
            at=self._at,
            policy=self._policy,
            preference=self._preferences.get((agent.id, news.event_type)),
            queue=self._queue.about(place),
            silences=self._silences.get(place, []),
        ).notification


class _Queue:
    """Rows by whom they are for and what they are about; of each batch that goes out later one."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._about: dict[_Place, list[QueuedNotification]] = {}
        self._open: dict[str, dict[tuple[Channel, datetime], QueuedNotification]] = {}

    def add(self, row: QueuedNotification) -> None:
        self.ids.add(row.id)
        self._about.setdefault(_Place(row.agent_id, row.ticket_id), []).append(row)
        if row.sent_at is None:
            self._open.setdefault(row.agent_id, {}).setdefault((row.channel, row.scheduled_for), row)

    def about(self, place: _Place) -> list[QueuedNotification]:
        return [*self._about.get(place, []), *self._open.get(place.agent_id, {}).values()]
