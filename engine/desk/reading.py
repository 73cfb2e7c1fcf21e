"""What the desk shows of a ticket, and to whom."""

from engine import access, timeline
from engine.access import Right, User
from engine.contracts import Agent, RecordedEvent, Ticket
from engine.desk.use_case import UseCase
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

    def _glimpse(self, ticket: Ticket, reader: User) -> Glimpse:
        envelopes = self.envelopes_of(ticket)
        agents = self.store.all(Agent, id=reader.id) if envelopes else []
        teams = [team for agent in agents for team in agent.teams]
        reads_internal = access.has(reader, Right.READ_INTERNAL, self.policies.access)
        return timeline.glimpse(reader.id, ticket, envelopes, teams=teams, reads_internal=reads_internal)
