"""Who hears of what, where and when: each agent's preferences, quiet hours and patience are kept."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Protocol, Self, TypeAlias
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from engine.access import UserRole
from engine.contracts import Agent, Frozen, Instant
from engine.shared import policy_file
from engine.shared.errors import BadInput

NEWS = timedelta(days=1)
"""What is older when the desk first sees it is history: loading an archive wakes nobody."""
EVERY_EVENT = "*"
"""The event type of a wish that holds for whatever has no wish of its own."""


class Channel(StrEnum):
    """The channels that the desk itself speaks of; a desk may name more."""

    EMAIL = "email"
    TEAMS = "teams"
    IN_APP = "in_app"
    PUSH = "push"
    DIGEST = "digest"
    SLACK = "slack"


ChannelName: TypeAlias = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")]


class Timing(StrEnum):
    IMMEDIATE = "immediate"
    HOURLY_DIGEST = "hourly_digest"
    DAILY_DIGEST = "daily_digest"


def _without_zone(moment: time) -> time:
    if moment.tzinfo is not None:
        raise ValueError("a wall-clock time has no zone: write 18:00; it is meant in the agent's own")
    return moment


WallClock: TypeAlias = Annotated[time, AfterValidator(_without_zone)]


class QuietHours(Frozen):
    """Wall-clock hours in the agent's time zone, the end not included; an end before the start is past midnight.

    A breach, as whatever else the policy calls urgent, comes through unless the agent does not want it to.
    """

    start: WallClock
    end: WallClock
    urgent_comes_through: bool = True

    def holds(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


class NotificationPreference(Frozen):
    """What an agent wants for one kind of news, or for `*`. `id` is `agent/event_type`."""

    id: str
    agent_id: str
    event_type: str
    channel: ChannelName = Channel.TEAMS
    timing: Timing = Timing.IMMEDIATE
    quiet_hours: QuietHours | None = None


class QueuedNotification(Frozen):
    """A row of the notification queue: once `scheduled_for` has come it goes with its batch into one notice.

    `notice_id` names that notice from then on; `sent_at` is when its channel took it.
    """

    id: str
    agent_id: str
    event_type: str
    ticket_id: str | None = None
    channel: ChannelName
    payload: dict[str, Any] = Field(default_factory=dict)
    created_at: Instant
    scheduled_for: Instant
    sent_at: Instant | None = None
    batch_id: str | None = None
    notice_id: str | None = None


class Earlier(Protocol):
    """What of an earlier row decides about later news."""

    @property
    def id(self) -> str | None: ...
    @property
    def agent_id(self) -> str: ...
    @property
    def ticket_id(self) -> str | None: ...
    @property
    def channel(self) -> str: ...
    @property
    def scheduled_for(self) -> datetime: ...


class Silence(Frozen):
    """While an agent is working on it: no news of the ticket to this agent until then. `id` is `agent/ticket`."""

    id: str
    agent_id: str
    ticket_id: str
    until: Instant


class WeeklyReportPolicy(Frozen):
    """Who is sent the weekly report, if their role may export at all, and by which channel."""

    roles: frozenset[UserRole] = frozenset({UserRole.MANAGER, UserRole.SUPERVISOR})
    channel: ChannelName = Channel.EMAIL


class NotificationPolicy(Frozen):
    """`events` says what each type of news means; urgent ones wait for nothing and go one channel up the ladder."""

    events: dict[str, str] = Field(default_factory=dict)
    default_channel: ChannelName = Channel.TEAMS
    batch_minutes: int = Field(default=5, ge=0)
    pause_per_ticket_minutes: int = Field(default=30, ge=0)
    silence_minutes: int = Field(default=60, ge=1)
    daily_digest_at: time = time(8)
    urgent: frozenset[str] = frozenset({"sla_breach"})
    ladder: tuple[ChannelName, ...] = (Channel.EMAIL, Channel.TEAMS, Channel.PUSH)
    first_few: int = Field(default=5, ge=1)
    weekly_report: WeeklyReportPolicy = WeeklyReportPolicy()

    @model_validator(mode="after")
    def _known_events(self) -> Self:
        if self.events and (unknown := sorted(self.urgent - set(self.events))):
            raise ValueError(f"urgent: {', '.join(unknown)} is not among the events")
        return self


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
    queue: Iterable[Earlier] = (),
    silences: Iterable[Silence] = (),
) -> Routed:
    """Where and when an agent hears the news, if at all; `queue` holds the agent's recent rows and those to come.

    Within a few minutes notices go out as one batch. Of a ticket an agent hears once in half an hour: what comes
    meanwhile is one message at the end of that pause, or of the hour of silence while the agent works on it. Quiet
    hours move a notice to their end. Nothing of this holds up urgent news.
    """
    key, mine = f"{news.id}/{to.id}", [row for row in queue if row.agent_id == to.id]
    if not to.is_active:
        return Routed(None, f"{to.name} is not active")
    if any(row.id == key for row in mine):
        return Routed(None, "queued already")
    wish = preference or NotificationPreference(
        id=f"{to.id}/{news.event_type}", agent_id=to.id, event_type=news.event_type, channel=policy.default_channel
    )
    if news.event_type in policy.urgent:
        channel, moment = _one_up(wish.channel, policy.ladder), at
        if wish.quiet_hours and not wish.quiet_hours.urgent_comes_through:
            moment = _after_quiet(at, wish.quiet_hours, _zone(to))
    else:
        until = max((s.until for s in silences if (s.agent_id, s.ticket_id) == (to.id, news.ticket_id)), default=at)
        channel, moment = wish.channel, _calm(news, wish, mine, max(at, until), at=at, zone=_zone(to), policy=policy)
    row = QueuedNotification(
        id=key,
        agent_id=to.id,
        event_type=news.event_type,
        ticket_id=news.ticket_id,
        channel=channel,
        payload=news.payload,
        created_at=at,
        scheduled_for=moment,
        batch_id=f"{to.id}/{channel}/{moment.isoformat()}",
    )
    return Routed(row, "queued")


def silence(*, agent_id: str, ticket_id: str, at: datetime, policy: NotificationPolicy) -> Silence:
    """An agent works on it: the ticket stays quiet for this agent for a while."""
    until = at + timedelta(minutes=policy.silence_minutes)
    return Silence(id=f"{agent_id}/{ticket_id}", agent_id=agent_id, ticket_id=ticket_id, until=until)


def due_batches(
    queue: Iterable[QueuedNotification],
    *,
    at: datetime,
    urgent: frozenset[str] = frozenset(),
    silences: Iterable[Silence] = (),
    destination: Callable[[QueuedNotification], str] = lambda row: row.channel,
) -> list[list[QueuedNotification]]:
    """What is in no notice yet and whose instant has come, an agent and destination a batch: each is one message.

    What is about a ticket that its agent works on now waits, unless it is urgent.
    """
    silent = {(silence.agent_id, silence.ticket_id) for silence in silences if silence.until > at}
    batches: dict[tuple[str, str], list[QueuedNotification]] = {}
    for row in sorted(queue, key=lambda row: (row.scheduled_for, row.created_at, row.id)):
        is_silent = (row.agent_id, row.ticket_id) in silent and row.event_type not in urgent
        if row.sent_at is None and row.notice_id is None and row.scheduled_for <= at and not is_silent:
            batches.setdefault((row.agent_id, destination(row)), []).append(row)
    return list(batches.values())


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


def _calm(
    news: News,
    wish: NotificationPreference,
    mine: Sequence[Earlier],
    earliest: datetime,
    *,
    at: datetime,
    zone: ZoneInfo,
    policy: NotificationPolicy,
) -> datetime:
    """When news that can wait go out, not before `earliest`."""
    moment = _after_quiet(max(_planned(wish, at, zone, policy), earliest), wish.quiet_hours, zone)
    if wish.timing != Timing.IMMEDIATE or wish.channel == Channel.DIGEST:
        return moment
    to_come = [row for row in mine if row.channel == wish.channel and row.scheduled_for > at]
    of_ticket = [row for row in mine if row.ticket_id == news.ticket_id is not None]
    joined = [row for row in to_come if row.ticket_id == news.ticket_id is not None]
    if (found := _first_between(joined, earliest, moment)) is not None:
        return found
    pause = timedelta(minutes=policy.pause_per_ticket_minutes)
    rests_until = max((row.scheduled_for + pause for row in of_ticket if row.scheduled_for <= moment), default=at)
    if rests_until > moment:
        moment = _after_quiet(rests_until, wish.quiet_hours, zone)
    return _first_between(to_come, max(earliest, rests_until), moment) or moment


def _first_between(rows: Iterable[Earlier], earliest: datetime, latest: datetime) -> datetime | None:
    """When the next message goes out that can take news along."""
    return min((row.scheduled_for for row in rows if earliest <= row.scheduled_for <= latest), default=None)


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


def _one_up(channel: str, ladder: Sequence[str]) -> str:
    """The next louder channel; one that is not on the ladder takes the last step."""
    place = ladder.index(channel) + 1 if channel in ladder else len(ladder)
    return ladder[min(place, len(ladder) - 1)]
