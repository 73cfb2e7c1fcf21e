"""Who hears of what, where and when: each agent's preferences, quiet hours and patience are kept."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field

from engine.contracts import Agent, Frozen, Instant
from engine.shared import policy_file
from engine.shared.errors import BadInput


class Channel(StrEnum):
    EMAIL = "email"
    TEAMS = "teams"
    IN_APP = "in_app"
    PUSH = "push"
    DIGEST = "digest"


class Timing(StrEnum):
    IMMEDIATE = "immediate"
    HOURLY_DIGEST = "hourly_digest"
    DAILY_DIGEST = "daily_digest"


class QuietHours(Frozen):
    """Wall-clock hours in the agent's time zone, the end not included; an end before the start is past midnight."""

    start: time
    end: time

    def holds(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class NotificationPreference(Frozen):
    """What an agent wants for one kind of news. `id` is `agent/event_type`."""

    id: str
    agent_id: str
    event_type: str
    channel: Channel = Channel.TEAMS
    timing: Timing = Timing.IMMEDIATE
    quiet_hours: QuietHours | None = None


class QueuedNotification(Frozen):
    """A row of the notification queue: sent once `scheduled_for` has come, together with its batch."""

    id: str
    agent_id: str
    event_type: str
    ticket_id: str | None = None
    channel: Channel
    payload: dict[str, Any] = Field(default_factory=dict)
    created_at: Instant
    scheduled_for: Instant
    sent_at: Instant | None = None
    batch_id: str | None = None


class Silence(Frozen):
    """While an agent is working on it: no news of the ticket to this agent until then. `id` is `agent/ticket`."""

    id: str
    agent_id: str
    ticket_id: str
    until: Instant


class NotificationPolicy(Frozen):
    default_channel: Channel = Channel.TEAMS
    batch_minutes: int = Field(default=5, ge=0)
    pause_per_ticket_minutes: int = Field(default=30, ge=0)
    silence_minutes: int = Field(default=60, ge=1)
    daily_digest_at: time = time(8)
    urgent: frozenset[str] = frozenset({"sla_breach"})
    ladder: tuple[Channel, ...] = (Channel.EMAIL, Channel.TEAMS, Channel.PUSH)


class News(Frozen):
    """Something an agent should hear. `id` names the fact, so that telling it twice queues it once."""

    id: str
    event_type: str
    ticket_id: str | None = None
    payload: dict[str, Any] = Field(default_factory=dict)


class Routed(NamedTuple):
    """The queue row, or None with the reason why this agent is not told."""

    notification: QueuedNotification | None
    reason: str


def load(path: str | Path) -> NotificationPolicy:
    return policy_file.read(path, NotificationPolicy)


def route(
    news: News,
    *,
    to: Agent,
    at: datetime,
    policy: NotificationPolicy,
    preference: NotificationPreference | None = None,
    queue: Sequence[QueuedNotification] = (),
    silences: Iterable[Silence] = (),
) -> Routed:
    """Where and when an agent hears the news, if at all; `queue` holds the agent's recent rows, sent or not.

    Within a few minutes notices go out as one batch; a ticket is not told twice within half an hour unless urgent;
    quiet hours move a notice to their end.
    """
    mine = [row for row in queue if row.agent_id == to.id]
    if reason := _why_not(news, to, at=at, policy=policy, mine=mine, silences=silences):
        return Routed(None, reason)
    wish = preference or NotificationPreference(
        id=f"{to.id}/{news.event_type}", agent_id=to.id, event_type=news.event_type, channel=policy.default_channel
    )
    is_urgent = news.event_type in policy.urgent
    channel = _one_up(wish.channel, policy.ladder) if is_urgent else wish.channel
    zone = _zone(to)
    moment = at if is_urgent else _planned(wish, at, zone, policy)
    moment = _after_quiet(moment, wish.quiet_hours, zone)
    batch = None if is_urgent else _open_batch(mine, channel, wish.timing, at, moment)
    scheduled = batch.scheduled_for if batch else moment
    row = QueuedNotification(
        id=f"{news.id}/{to.id}",
        agent_id=to.id,
        event_type=news.event_type,
        ticket_id=news.ticket_id,
        channel=channel,
        payload=news.payload,
        created_at=at,
        scheduled_for=scheduled,
        batch_id=batch.batch_id if batch else f"{to.id}/{channel}/{scheduled.isoformat()}",
    )
    return Routed(row, "queued")


def silence(*, agent_id: str, ticket_id: str, at: datetime, policy: NotificationPolicy) -> Silence:
    """An agent works on it: the ticket stays quiet for this agent for a while."""
    until = at + timedelta(minutes=policy.silence_minutes)
    return Silence(id=f"{agent_id}/{ticket_id}", agent_id=agent_id, ticket_id=ticket_id, until=until)


def due_batches(queue: Iterable[QueuedNotification], *, at: datetime) -> list[list[QueuedNotification]]:
    """Unsent rows whose instant has come, as the batches that go out as one message each, oldest first."""
    due = [row for row in queue if row.sent_at is None and row.scheduled_for <= at]
    due.sort(key=lambda row: (row.scheduled_for, row.batch_id or row.id, row.created_at, row.id))
    return [list(rows) for _, rows in groupby(due, key=lambda row: (row.scheduled_for, row.batch_id or row.id))]


def sent(batch: Iterable[QueuedNotification], *, at: datetime) -> list[QueuedNotification]:
    return [row.model_copy(update={"sent_at": at}) for row in batch]


def _why_not(
    news: News,
    to: Agent,
    *,
    at: datetime,
    policy: NotificationPolicy,
    mine: Sequence[QueuedNotification],
    silences: Iterable[Silence],
) -> str | None:
    if not to.is_active:
        return f"{to.name} is not active"
    if any(row.id == f"{news.id}/{to.id}" for row in mine):
        return "queued already"
    if any(s.agent_id == to.id and s.ticket_id == news.ticket_id and s.until > at for s in silences):
        return f"{to.name} is working on it"
    since = at - timedelta(minutes=policy.pause_per_ticket_minutes)
    is_repeat = any(row.ticket_id == news.ticket_id and row.created_at > since for row in mine)
    if news.ticket_id is not None and is_repeat and news.event_type not in policy.urgent:
        return f"told of {news.ticket_id} within {policy.pause_per_ticket_minutes} minutes"
    return None


def _zone(agent: Agent) -> ZoneInfo:
    try:
        return ZoneInfo(agent.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"{agent.name}: {agent.timezone!r} is no time zone; give one such as Europe/Paris.") from None


def _planned(wish: NotificationPreference, at: datetime, zone: ZoneInfo, policy: NotificationPolicy) -> datetime:
    if wish.timing == Timing.DAILY_DIGEST:
        return _next(policy.daily_digest_at, at, zone)
    if wish.timing == Timing.HOURLY_DIGEST or wish.channel == Channel.DIGEST:
        return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return at + timedelta(minutes=policy.batch_minutes)


def _open_batch(
    mine: Sequence[QueuedNotification], channel: Channel, timing: Timing, at: datetime, moment: datetime
) -> QueuedNotification | None:
    """An unsent row of the same channel that goes out earlier than this one would: it takes this one along."""
    if timing != Timing.IMMEDIATE or channel == Channel.DIGEST:
        return None
    waiting = [r for r in mine if r.sent_at is None and r.channel == channel and at < r.scheduled_for <= moment]
    return min(waiting, key=lambda row: row.scheduled_for, default=None)


def _after_quiet(moment: datetime, quiet: QuietHours | None, zone: ZoneInfo) -> datetime:
    if quiet is None or not quiet.holds(moment.astimezone(zone).time()):
        return moment
    return _next(quiet.end, moment, zone)


def _next(wall: time, after: datetime, zone: ZoneInfo) -> datetime:
    """The next instant after this one at which the clocks of the zone show that time, in the zone of `after`."""
    today = after.astimezone(zone).date()
    days = (today + timedelta(days=n) for n in range(3))
    moments = (datetime.combine(day, wall, zone).astimezone(after.tzinfo) for day in days)
    return next(moment for moment in moments if moment > after)


def _one_up(channel: Channel, ladder: Sequence[Channel]) -> Channel:
    """The next louder channel; one that is not on the ladder takes the last step."""
    place = ladder.index(channel) + 1 if channel in ladder else len(ladder)
    return ladder[min(place, len(ladder) - 1)]
