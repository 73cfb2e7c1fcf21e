"""Working on a ticket: accept it, answer, move it on, resolve, close, reopen."""

from collections.abc import Mapping
from datetime import datetime

from engine import cases, envelopes, lifecycle, ownership, timeline
from engine.contracts import Event, Kind, Role, Status, Ticket, TicketOutcome
from engine.desk.flags import Flags
from engine.desk.use_case import entry
from engine.shared.errors import BadInput, NotAllowed
from engine.timeline import EntryType, TimelineEntry, Visibility


class Tickets(Flags):
    """What an owner does, and what the customer says."""

    def accept(self, ticket_id: str, *, by: str, at: datetime) -> Ticket:
        ticket, at = self.load(ticket_id, at)
        load = ownership.open_load(self.store.tickets(owner_id=by))
        return self.keep(
            *ownership.accept(ticket, by=self.agent(by), load=load, at=at, preset=self.policies.lifecycle), at=at
        )

    def transfer(
        self,
        ticket_id: str,
        *,
        to: str,
        reason: ownership.TransferReason,
        authorised_by: str,
        at: datetime,
        leave_days: int | None = None,
    ) -> Ticket:
        ticket, at = self.load(ticket_id, at)
        changed = ownership.transfer(
            ticket,
            to=self.agent(to),
            reason=reason,
            authorised_by=self.agent(authorised_by),
            at=at,
            policy=self.policies.ownership,
            leave_days=leave_days,
        )
        return self.keep(*changed, at=at)

    def release(self, ticket_id: str, *, by: str, at: datetime) -> Ticket:
        ticket, at = self.load(ticket_id, at)
        return self.keep(*ownership.release(ticket, by=by, at=at), at=at)

    def change_status(self, ticket_id: str, *, to: Status, by: str, at: datetime, reason: str | None = None) -> Ticket:
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="change its status")
        return self.keep(*self.moved(ticket, to, by=by, at=at, reason=reason), at=at)

    def resolve(self, ticket_id: str, *, by: str, summary: str, at: datetime) -> Ticket:
        """The owner resolves; the customer reads the summary."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="resolve it")
        answer = entry(ticket, EntryType.RESOLUTION, by=by, text=summary, at=at, visibility=Visibility.PUBLIC)
        return self.keep(*self.moved(ticket, Status.RESOLVED, by=by, at=at, reason=summary), answer, at=at)

    def close(
        self,
        ticket_id: str,
        *,
        by: str,
        at: datetime,
        survey: cases.Survey | None = None,
        lessons: Mapping[cases.Backlog, str] | None = None,
    ) -> Ticket:
        """Close with the customer's survey, and tell the backlogs what this case taught (seeds S4-03, S4-10)."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="close it")
        if survey is not None and survey.ticket_id != ticket.id:
            raise BadInput(f"The survey is about {survey.ticket_id}, not about {ticket.id}.")
        records = [*([survey] if survey else []), *cases.signals(ticket, lessons or {}, at=at)]
        return self.keep(*self.moved(ticket, Status.CLOSED, by=by, at=at, reason=None), *records, at=at)

    def reopen(self, ticket_id: str, *, by: str, reason: str, at: datetime) -> Ticket:
        """Back to work under the same owner, with a new SLA window and the whole history."""
        ticket, at = self.load(ticket_id, at)
        if ticket.is_open:
            raise NotAllowed(f"{ticket.reference} is {ticket.status}; only a resolved or closed ticket is reopened.")
        if ticket.owner_id is not None:
            ownership.guard(ticket, by=by, doing="reopen it")
        return self.keep(*self.moved(ticket, self.policies.lifecycle.reopen_to, by=by, at=at, reason=reason), at=at)

    def end_as(self, ticket_id: str, outcome: TicketOutcome, *, by: str, at: datetime) -> Ticket:
        """A person says how it ended, or will have once it ends; the source may say otherwise later."""
        ticket, at = self.load(ticket_id, at)
        event = Event(ticket_id=ticket.id, kind=Kind.OUTCOME, at=at, value=outcome, actor=by)
        return self.keep(ticket.model_copy(update={"outcome": outcome, "updated_at": at}), [event], at=at)

    def reply(self, ticket_id: str, *, by: str, text: str, at: datetime) -> Ticket:
        """The owner writes to the customer; the first time ends the first-response clock."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="reply to the customer")
        sent = entry(ticket, EntryType.EMAIL_OUTBOUND, by=by, text=text, at=at, visibility=Visibility.PUBLIC)
        return self.keep(*lifecycle.respond(ticket, by=by, at=at), sent, at=at)

    def receive(self, ticket_id: str, *, author: str, text: str, at: datetime) -> Ticket:
        """The customer wrote: a ticket that waited for it goes back to work, and coming back too often is flagged."""
        ticket, at = self.load(ticket_id, at)
        got = entry(ticket, EntryType.EMAIL_INBOUND, by=author, text=text, at=at, visibility=Visibility.PUBLIC)
        message = Event(ticket_id=ticket.id, kind=Kind.MESSAGE, at=at, actor=author)
        changed, events = ticket.model_copy(update={"updated_at": at}), [message]
        is_waiting = ticket.status == Status.WAITING_CUSTOMER
        if is_waiting and self.policies.lifecycle.allows(ticket.status, Status.IN_PROGRESS):
            changed, moves = self.moved(changed, Status.IN_PROGRESS, by=author, at=at, reason="the customer replied")
            events += moves
        self.keep(changed, events, got, at=at)
        self.flag_repeat_contact(ticket.id, at=at)
        return self.store.ticket(ticket.id)

    def note(self, ticket_id: str, *, by: str, text: str, at: datetime, envelope_id: str | None = None) -> Ticket:
        """A note for colleagues: in the main thread by the owner or a supervisor, in an envelope by its people."""
        ticket, at = self.load(ticket_id, at)
        if envelope_id is not None:
            envelopes.guard_thread(ticket, self.store.get(envelopes.Envelope, envelope_id), by=by)
        elif self.agent(by).role == Role.AGENT:
            ownership.guard(ticket, by=by, doing="add a note")
        comment = entry(ticket, EntryType.NOTE, by=by, text=text, at=at, envelope_id=envelope_id)
        event = Event(ticket_id=ticket.id, kind=Kind.MESSAGE, at=at, actor=by, data={"entry": comment.id})
        return self.keep(ticket.model_copy(update={"updated_at": at}), [event], comment, at=at)

    def read_timeline(self, ticket_id: str, *, reader: str | None) -> list[TimelineEntry]:
        """What a reader may see, in order of time; None is the customer."""
        ticket = self.store.ticket(ticket_id)
        comments = self.store.all(TimelineEntry, ticket_id=ticket.id)
        entries = sorted(
            [*comments, *timeline.entries(self.store.history(ticket.id))], key=lambda e: (e.created_at, e.id)
        )
        if reader is None:
            return timeline.for_customer(entries)
        return timeline.for_agent(entries, agent_id=reader, ticket=ticket, envelopes=self.envelopes_of(ticket))
