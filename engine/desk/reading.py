"""What the desk shows of a ticket, and to whom."""

from pydantic import BaseModel

from engine import access, cases, escalations, timeline
from engine.access import Right, User
from engine.alert_matrix import Nudge
from engine.contracts import Agent, RecordedEvent, Ticket
from engine.desk.use_case import UseCase
from engine.envelopes import Envelope
from engine.flags import CaseFlag
from engine.reminders import Reminder
from engine.resolutions import Resolution
from engine.tasks import Task
from engine.timeline import Glimpse, TimelineEntry


class Reading(UseCase):
    """Every use case here raises NotAllowed for a reader without the right to read."""

    def read_ticket(self, ticket_id: str, *, reader: User) -> Ticket:
        access.require(reader, Right.READ, self.policies.access, doing="reading a ticket")
        return self.store.ticket(ticket_id)

    def read_timeline(self, ticket_id: str, *, reader: User | None) -> list[TimelineEntry]:
        """What a reader may see, in order of time; None is the customer."""
        ticket = self.store.ticket(ticket_id) if reader is None else self.read_ticket(ticket_id, reader=reader)
        comments = self.store.all(TimelineEntry, ticket_id=ticket.id)
        entries = sorted(
            [*comments, *timeline.entries(self.store.history(ticket.id))], key=lambda e: (e.created_at, e.id)
        )
        if reader is None:
            return timeline.for_customer(entries)
        return timeline.for_reader(entries, self._glimpse(ticket, reader))

    def read_history(self, ticket_id: str, *, reader: User) -> list[RecordedEvent]:
        """What happened, as far as the reader may know it."""
        ticket = self.read_ticket(ticket_id, reader=reader)
        return timeline.events_for_reader(self.store.history(ticket.id), self._glimpse(ticket, reader))

    def read_case(self, ticket_id: str, *, reader: User) -> list[BaseModel]:
        """Resources, incidents, evidence, runbooks and escalations, for whom the ticket's internal entries are to read;
        nothing for others."""
        ticket = self.read_ticket(ticket_id, reader=reader)
        if not self._glimpse(ticket, reader).reads_internal:
            return []
        links = self.store.all(cases.LinkedIncident, ticket_id=ticket.id)
        return [
            *self.store.all(cases.AffectedResource, ticket_id=ticket.id),
            *(self.store.get(cases.Incident, link.incident_id) for link in links),
            *self.store.all(cases.Evidence, ticket_id=ticket.id),
            *self.store.all(cases.LinkedRunbook, ticket_id=ticket.id),
            *self.store.all(escalations.Escalation, ticket_id=ticket.id),
        ]

    def read_records(self, ticket_id: str, *, reader: User) -> list[BaseModel]:
        """Envelopes, tasks, flags, grants, surveys and nudges, for whom the ticket's internal entries are to read, and
        the reader's own tasks and reminders in any case."""
        ticket = self.read_ticket(ticket_id, reader=reader)
        mine: list[BaseModel] = [*self.store.all(Reminder, ticket_id=ticket.id, agent_id=reader.id)]
        every = self.store.all(Task, ticket_id=ticket.id)
        if not self._glimpse(ticket, reader).reads_internal:
            return [*mine, *(task for task in every if reader.id in {task.assigned_to, task.created_by})]
        kinds: tuple[type[BaseModel], ...] = (Envelope, CaseFlag, Resolution, cases.Survey, Nudge)
        return [*mine, *every, *(one for kind in kinds for one in self.store.all(kind, ticket_id=ticket.id))]

    def _glimpse(self, ticket: Ticket, reader: User) -> Glimpse:
        envelopes = self.envelopes_of(ticket)
        agents = self.store.all(Agent, id=reader.id) if envelopes else []
        teams = [team for agent in agents for team in agent.teams]
        reads_internal = access.has(reader, Right.READ_INTERNAL, self.policies.access)
        return timeline.glimpse(reader.id, ticket, envelopes, teams=teams, reads_internal=reads_internal)
