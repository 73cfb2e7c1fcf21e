"""What every use case needs: the ticket as it is now, who asks, and one transaction for what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from pydantic import BaseModel

from engine import lifecycle, notifications, ownership, timeline
from engine.alert_matrix import Nudge, Recipient, people
from engine.contracts import Agent, AssignmentGroup, Event, Status, Team, Ticket
from engine.desk.news import news_of
from engine.desk.notification_routing import NotificationRouting
from engine.desk.policies import Policies
from engine.envelopes import Envelope, EnvelopeStatus
from engine.flags import CaseFlag
from engine.grant_review import GrantReviewItem
from engine.reminders import Reminder
from engine.resolutions import Resolution
from engine.shared.errors import BadInput, NotAllowed
from engine.storage.ports import Store
from engine.tasks import Task

CLOCK_SKEW = timedelta(minutes=5)

Record = TypeVar("Record", Envelope, Task, CaseFlag, Resolution, GrantReviewItem, Reminder, Nudge)


class UseCase:
    """Where a use case starts and ends. Nothing is retried: Conflict means load again and decide again."""

    def __init__(self, store: Store, policies: Policies) -> None:
        self.store = store
        self.policies = policies

    def load(self, ticket_id: str, at: datetime) -> tuple[Ticket, datetime]:
        """The ticket, and the instant of the action: never before the ticket's last change.

        Clocks of two machines differ by moments; an action dated before what it follows would replay in another order.
        """
        ticket = self.store.ticket(ticket_id)
        is_skewed = timedelta() < ticket.updated_at - at <= CLOCK_SKEW
        return ticket, ticket.updated_at if is_skewed else at

    def load_concerning(self, ticket_id: str, by: str, at: datetime) -> tuple[Ticket, datetime]:
        """As `load`, for its owner, an active expert, a manager, or anyone of its team. Raises NotAllowed."""
        ticket, at = self.load(ticket_id, at)
        agent, team = self.active_agent(by), self.team_of(ticket)
        experts = {one.assigned_to for one in self.envelopes_of(ticket) if one.status == EnvelopeStatus.ACTIVE}
        if team and agent.id not in {ticket.owner_id, *experts} and not ownership.is_of_team(agent, team):
            raise NotAllowed(f"{ticket.reference} is for {team.name}; {agent.name} is none of them nor its expert.")
        return ticket, at

    def load_with(self, kind: type[Record], key: str, at: datetime) -> tuple[Record, Ticket, datetime]:
        """A record and its ticket; the record is read after the ticket, whose version then guards it too."""
        ticket, at = self.load(self.store.get(kind, key).ticket_id, at)
        return self.store.get(kind, key), ticket, at

    def agent(self, agent_id: str) -> Agent:
        return self.store.get(Agent, agent_id)

    def active_agent(self, agent_id: str) -> Agent:
        """Raises NotFound for nobody, NotAllowed for one who is not active."""
        found = self.agent(agent_id)
        if not found.is_active:
            raise NotAllowed(f"{found.name} ({found.id}) is not active.")
        return found

    def agents(self) -> dict[str, Agent]:
        return {agent.id: agent for agent in self.store.all(Agent)}

    def envelopes_of(self, ticket: Ticket) -> list[Envelope]:
        return self.store.all(Envelope, ticket_id=ticket.id)

    def flags_of(self, ticket: Ticket) -> list[CaseFlag]:
        return self.store.all(CaseFlag, ticket_id=ticket.id)

    def team_of(self, ticket: Ticket) -> Team | None:
        """The team of the group that has the ticket, else the owner's first team; None if neither says."""
        named: list[str] = []
        if ticket.group_id is not None:
            groups = self.store.all(AssignmentGroup, group_id=ticket.group_id)
            named += [group.team_id for group in groups if group.team_id]
        if ticket.owner_id is not None:
            named += [team for owner in self.store.all(Agent, id=ticket.owner_id) for team in owner.teams]
        teams = [team for name in named for team in self.store.all(Team, id=name)]
        return teams[0] if teams else None

    def keep(self, ticket: Ticket, events: Sequence[Event], *records: BaseModel, at: datetime) -> Ticket:
        """Ticket, events, records and what people are to hear of it in one transaction; a decision that changed nothing
        is not written."""
        if not events and not records:
            return ticket
        queued = [record for record in records if isinstance(record, notifications.QueuedNotification)]
        routing = NotificationRouting(self.store, self.policies.notifications, at=at, beside=queued)
        rows = routing.queued(news_of(ticket, events, records, self.store))
        return self.store.save(ticket, events, at=at, records=[*records, *rows]).ticket

    def moved(
        self,
        ticket: Ticket,
        to: Status,
        *,
        by: str,
        at: datetime,
        reason: str | None,
        data: Mapping[str, str] | None = None,
    ) -> lifecycle.Change:
        preset = self.policies.lifecycle
        return lifecycle.transition(ticket, to=to, by=by, at=at, preset=preset, reason=reason, data=data)

    def queued(
        self,
        news: notifications.News,
        agent_ids: Iterable[str],
        *,
        at: datetime,
        beside: Sequence[notifications.QueuedNotification] = (),
    ) -> list[notifications.QueuedNotification]:
        """Queue rows for those of the agents who are to hear the news, by their own preferences.

        Nothing is written yet; `beside` are rows of the same decision that are not written either.
        """
        routing = NotificationRouting(self.store, self.policies.notifications, at=at, beside=beside)
        return routing.queued([(news, list(agent_ids))])

    def recipients(self, names: Iterable[str], ticket: Ticket) -> list[str]:
        return people([Recipient(name) for name in names], ticket=ticket, team=self.team_of(ticket))


def not_blank(name: str, text: str) -> None:
    if not text.strip():
        raise BadInput(f"{name} is blank; write what it is.")


def key_of(ticket: Ticket, what: str) -> str:
    """A key for a new record: made of the ticket and its next version, which only one writer can reach."""
    return f"{ticket.id}/{what}-{ticket.version + 1}"


def entry(
    ticket: Ticket,
    kind: timeline.EntryType,
    *,
    by: str,
    text: str,
    at: datetime,
    visibility: timeline.Visibility = timeline.Visibility.INTERNAL,
    envelope_id: str | None = None,
) -> timeline.TimelineEntry:
    return timeline.TimelineEntry(
        id=key_of(ticket, "entry"),
        ticket_id=ticket.id,
        envelope_id=envelope_id,
        type=kind,
        visibility=visibility,
        author_id=by,
        content=text,
        created_at=at,
    )
