"""What people hear of a decision at the desk, made of its events and records: one function for each kind of event."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar

from pydantic import BaseModel

from engine.alert_matrix import Recipient, people
from engine.contracts import Agent, Event, Kind, Team, Ticket
from engine.envelopes import Envelope
from engine.notifications import News
from engine.resolutions import ApprovalStatus, EmpowermentTier, Resolution
from engine.storage.ports import Store
from engine.tasks import TaskStatus
from engine.timeline import EntryType, TimelineEntry, Visibility

MENTION = re.compile(r"(?<![\w@.])@([\w.-]*\w)")
MOST_MENTIONS = 20
"""A note that names more people speaks to the first of them."""
EXCERPT = 160

Record = TypeVar("Record", Envelope, Resolution)


class Decision(NamedTuple):
    """A ticket as it was decided, and what is written with it."""

    ticket: Ticket
    records: Sequence[BaseModel]
    store: Store

    def name(self, agent_id: str | None) -> str | None:
        """What a reader knows an agent by; whoever is none, such as a job, goes by the key."""
        return next((agent.name for agent in self.store.all(Agent, id=agent_id)), agent_id)

    def line(self, agent_id: str | None, did: str) -> str:
        return f"{self.ticket.reference}: {self.name(agent_id)} {did}"


class Announcement(NamedTuple):
    event_type: str
    text: str
    agent_ids: Sequence[str | None]


def news_of(
    ticket: Ticket, events: Sequence[Event], records: Sequence[BaseModel], store: Store
) -> list[tuple[News, list[str]]]:
    """Each piece of news with the agents who hear of it; nobody hears of what they did themselves."""
    decision, found = Decision(ticket, records, store), []
    for event in events:
        if event.kind in ANNOUNCEMENTS and (made := ANNOUNCEMENTS[event.kind](event, decision)):
            key = f"{ticket.id}/{made.event_type}-{ticket.version + 1}/{event.value}"
            found.append((_news(key, ticket, made), _others(made.agent_ids, event.actor)))
    for note in records:
        if isinstance(note, TimelineEntry) and note.type == EntryType.NOTE and (made := mention(note, decision)):
            found.append((_news(f"{note.id}/mentioned", ticket, made), _others(made.agent_ids, note.author_id)))
    return [(news, agent_ids) for news, agent_ids in found if agent_ids]


def assignment(event: Event, decision: Decision) -> Announcement:
    text = f"{decision.ticket.reference} was assigned to you by {decision.name(event.actor)}"
    return Announcement("assigned", text, [event.value])


def task(event: Event, decision: Decision) -> Announcement | None:
    """A task is news when it is given; how it goes on is on the ticket."""
    if event.data["status"] != TaskStatus.TO_DO:
        return None
    text = decision.line(event.actor, f"gave you the task {event.data['title']}")
    return Announcement("assigned", text, [event.data["assigned_to"]])


def transfer(event: Event, decision: Decision) -> Announcement:
    """For the new owner and the one before."""
    before = event.data.get("from")
    way = f"from {decision.name(before)} to {decision.name(event.value)}"
    text = f"{decision.ticket.reference} went {way} ({event.reason})"
    return Announcement("transferred", text, [event.value, before])


def envelope_opened(event: Event, decision: Decision) -> Announcement:
    """For the expert, or for everybody in the team; for its manager if nobody is."""
    envelope = _record(event, decision, Envelope)
    text = decision.line(event.actor, f"asks for help: {_excerpt(envelope.reason)}")
    return Announcement("envelope_opened", text, _experts(envelope, decision.store))


def envelope_accepted(event: Event, decision: Decision) -> Announcement:
    envelope = _record(event, decision, Envelope)
    text = decision.line(event.actor, f"accepted your envelope: {_excerpt(envelope.reason)}")
    return Announcement("envelope_accepted", text, [envelope.requested_by, decision.ticket.owner_id])


def envelope_completed(event: Event, decision: Decision) -> Announcement:
    """For the owner, who asked, and the expert, or the team that was waited for."""
    envelope = _record(event, decision, Envelope)
    outcome = "took back the envelope" if envelope.is_cancelled else "completed the envelope"
    text = decision.line(event.actor, f"{outcome}: {_excerpt(envelope.summary or event.reason or '')}")
    experts = _experts(envelope, decision.store)
    return Announcement("envelope_completed", text, [envelope.requested_by, decision.ticket.owner_id, *experts])


def approval_request(event: Event, decision: Decision) -> Announcement | None:
    """For the lead or the manager who may decide it; above a lead's own grant for the manager."""
    resolution = _record(event, decision, Resolution)
    if resolution.approval_status != ApprovalStatus.PENDING:
        return None
    team = next(iter(decision.store.all(Team, id=resolution.team_id)), None)
    is_leads = resolution.tier == EmpowermentTier.TEAM_LEAD
    first = people([Recipient.SUPERVISOR if is_leads else Recipient.GROUP_MANAGER], ticket=decision.ticket, team=team)
    able = _others(first, event.actor) or people([Recipient.GROUP_MANAGER], ticket=decision.ticket, team=team)
    text = decision.line(event.actor, f"asks for your approval of {_grant(resolution)}")
    return Announcement("approval_asked", text, able)


def approval(event: Event, decision: Decision) -> Announcement:
    """For who asked for it and the owner."""
    resolution = _record(event, decision, Resolution)
    reason = f" ({_excerpt(event.reason)})" if event.reason else ""
    text = decision.line(event.actor, f"{resolution.approval_status} {_grant(resolution)}{reason}")
    return Announcement("approval_given", text, [resolution.agent_id, decision.ticket.owner_id])


def mention(note: TimelineEntry, decision: Decision) -> Announcement | None:
    """For those whom a note names, `@AGT-07`; what an envelope's thread says stays there."""
    names = list(dict.fromkeys(MENTION.findall(note.content)))[:MOST_MENTIONS]
    found = [agent.id for name in names for agent in decision.store.all(Agent, id=name)]
    is_open = note.envelope_id is None and note.visibility != Visibility.ENVELOPE_ONLY
    excerpt = f": {_excerpt(note.content)}" if is_open else " of an envelope"
    text = decision.line(note.author_id, f"mentioned you in a note{excerpt}")
    return Announcement("mentioned", text, found) if found else None


ANNOUNCEMENTS: Mapping[Kind, Callable[[Event, Decision], Announcement | None]] = {
    Kind.ASSIGNEE: assignment,
    Kind.TASK: task,
    Kind.TRANSFERRED: transfer,
    Kind.ENVELOPE_OPENED: envelope_opened,
    Kind.ENVELOPE_ACCEPTED: envelope_accepted,
    Kind.ENVELOPE_COMPLETED: envelope_completed,
    Kind.RESOLUTION: approval_request,
    Kind.APPROVAL: approval,
}


def _news(key: str, ticket: Ticket, made: Announcement) -> News:
    return News(id=key, event_type=made.event_type, ticket_id=ticket.id, payload={"message": made.text})


def _others(agent_ids: Sequence[str | None], actor: str) -> list[str]:
    return [agent_id for agent_id in dict.fromkeys(agent_ids) if agent_id and agent_id != actor]


def _experts(envelope: Envelope, store: Store) -> list[str]:
    if envelope.assigned_to is not None:
        return [envelope.assigned_to]
    members = [agent.id for agent in store.all(Agent, is_active=True) if envelope.team_id in agent.teams]
    managers = [team.manager_id for team in store.all(Team, id=envelope.team_id) if team.manager_id]
    return members or managers


def _record(event: Event, decision: Decision, kind: type[Record]) -> Record:
    """The record that the event is about, as it is written with it."""
    found = (record for record in decision.records if isinstance(record, kind) and record.id == event.value)
    return next(found, None) or decision.store.get(kind, str(event.value))


def _grant(resolution: Resolution) -> str:
    amount = f" of {resolution.amount.normalize():f} {resolution.currency}" if resolution.amount else ""
    return f"the {resolution.type.replace('_', ' ')}{amount}"


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= EXCERPT else f"{words[: EXCERPT - 1]}…"
