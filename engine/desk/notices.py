"""What an agent hears, how, and when not: the inbox, wishes by type of news, an hour of quiet."""

from collections.abc import Sequence
from datetime import datetime

from engine import notifications
from engine.desk.use_case import UseCase
from engine.notices import Notice
from engine.notifications import (
    EVERY_EVENT,
    ChannelName,
    NotificationPreference,
    QueuedNotification,
    QuietHours,
    Timing,
    WallClock,
)
from engine.shared.errors import BadInput, NotFound


class Notices(UseCase):
    """Everybody reads their own and sets their own wishes."""

    def working_on(self, ticket_id: str, *, by: str, at: datetime) -> notifications.Silence:
        """No news of this ticket to this agent for a while; what comes meanwhile is told after it."""
        ticket = self.store.ticket(ticket_id)
        policy = self.policies.notifications
        quiet = notifications.silence(agent_id=self.agent(by).id, ticket_id=ticket.id, at=at, policy=policy)
        self.store.put([quiet])
        return quiet

    def inbox(self, *, by: str, unread: bool = False) -> list[Notice]:
        """The agent's notices by whatever channel, the newest first."""
        mine = self.store.all(Notice, agent_id=self.agent(by).id, **({"read_at": None} if unread else {}))
        return sorted(mine, key=lambda notice: (notice.created_at, notice.id), reverse=True)

    def news_in(self, notice_id: str, *, by: str) -> list[QueuedNotification]:
        """Every piece of news that a notice of the agent's sums up, in order."""
        self._own(notice_id, by)
        rows = self.store.all(QueuedNotification, notice_id=notice_id)
        return sorted(rows, key=lambda row: (row.created_at, row.id))

    def waiting_news(self, *, by: str) -> list[QueuedNotification]:
        """News to the agent that are in no notice yet, those first that come out first."""
        rows = self.store.all(QueuedNotification, agent_id=self.agent(by).id, notice_id=None, sent_at=None)
        return sorted(rows, key=lambda row: (row.scheduled_for, row.created_at, row.id))

    def silences(self, *, by: str, at: datetime) -> list[notifications.Silence]:
        """Tickets of which the agent hears nothing now, for the agent works on them; the first to end comes first."""
        mine = self.store.all(notifications.Silence, agent_id=self.agent(by).id)
        return sorted((one for one in mine if one.until > at), key=lambda one: (one.until, one.ticket_id))

    def mark_read(self, *, by: str, at: datetime, notice_ids: Sequence[str] | None = None) -> list[Notice]:
        """Mark notices as read, all of the agent's if none is named; returns those that were not before."""
        chosen = self.inbox(by=by, unread=True) if notice_ids is None else [self._own(key, by) for key in notice_ids]
        read = [notice.model_copy(update={"read_at": at}) for notice in chosen if notice.read_at is None]
        self.store.put(read)
        return read

    def preferences(self, *, by: str) -> list[NotificationPreference]:
        """What the agent wishes, by type of news; `*` is for all others."""
        return self.store.all(NotificationPreference, agent_id=self.agent(by).id)

    def prefer(
        self,
        *,
        by: str,
        event_type: str = EVERY_EVENT,
        channel: ChannelName | None = None,
        timing: Timing | None = None,
        quiet_from: WallClock | None = None,
        quiet_to: WallClock | None = None,
        urgent_comes_through: bool = True,
        no_quiet_hours: bool = False,
    ) -> NotificationPreference:
        """Wish for a channel, a timing, quiet hours in one's own time zone, for one type of news or for `*`.

        What is not given stays as it was. Urgent news come through quiet hours unless that is not wanted.
        """
        agent, policy = self.agent(by), self.policies.notifications
        if event_type not in {EVERY_EVENT, *policy.events}:
            raise BadInput(f"there is no news of type {event_type!r}; there is *, {', '.join(policy.events)}")
        if (quiet_from is None) != (quiet_to is None):
            raise BadInput("quiet hours have a beginning and an end: give both")
        wishes = {wish.event_type: wish for wish in self.preferences(by=by)}
        before = wishes.get(event_type) or wishes.get(EVERY_EVENT)
        quiet = None if no_quiet_hours else (before and before.quiet_hours)
        if quiet_from is not None and quiet_to is not None:
            quiet = QuietHours(start=quiet_from, end=quiet_to, urgent_comes_through=urgent_comes_through)
        wish = NotificationPreference(
            id=f"{agent.id}/{event_type}",
            agent_id=agent.id,
            event_type=event_type,
            channel=channel or (before.channel if before else policy.default_channel),
            timing=timing or (before.timing if before else Timing.IMMEDIATE),
            quiet_hours=quiet,
        )
        self.store.put([wish])
        return wish

    def _own(self, notice_id: str, by: str) -> Notice:
        """Raises NotFound for a notice that is not the agent's."""
        notice = self.store.get(Notice, notice_id)
        if notice.agent_id != by:
            raise NotFound(f"{by} has no notice {notice_id}; `helmdesk desk inbox --by {by}` lists them")
        return notice
