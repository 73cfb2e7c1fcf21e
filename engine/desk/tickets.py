"""Working on a ticket: take it down, accept it, answer, move it on, resolve, close, reopen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from engine import cases, envelopes, lifecycle, ownership
from engine.contracts import (
    OPEN_STATUSES,
    Agent,
    AssignmentGroup,
    Company,
    Contact,
    Event,
    Kind,
    Priority,
    Role,
    StandardTicket,
    Status,
    Ticket,
    TicketOutcome,
    TicketType,
)
from engine.customers import completed, customers
from engine.desk.cases import closing_signals
from engine.desk.flags import Flags
from engine.desk.use_case import entry, not_blank
from engine.resolutions import WentWrong
from engine.shared.errors import BadInput, NotAllowed, NotFound
from engine.timeline import EntryType, Visibility

SOURCE = "desk"
"""Of tickets that are taken down here."""


class Tickets(Flags):
    """What an owner does, what a lead approves, and what the customer says."""

    def create(
        self,
        *,
        title: Annotated[str, Field(max_length=500)],
        by: str,
        at: datetime,
        description: str = "",
        type: TicketType = TicketType.INCIDENT,
        priority: Priority = Priority.MEDIUM,
        requester: str | None = None,
        company: str | None = None,
        category: str = "other",
        channel: str = "phone",
        group: str | None = None,
    ) -> Ticket:
        """Take a ticket down at the desk, as the next INC of its year."""
        agent = self.active_agent(by)
        not_blank("title", title)
        if group is not None:
            self.store.get(AssignmentGroup, group)
        ticket = StandardTicket(
            source=SOURCE,
            ticket_id="next",
            title=title,
            description=description,
            type=type,
            priority=priority,
            requester=requester,
            company=company,
            category=category,
            channel=channel,
            group=group,
            created_at=at,
            external_metadata={"taken_by": agent.id},
        )
        known = customers(self.store.all(Contact), self.store.all(Company))
        return self.store.create(completed(ticket, known), at=at)

    def accept(self, ticket_id: str, *, by: str, at: datetime) -> Ticket:
        """Own an open ticket, for good: replying, resolving and grants are its owner's."""
        ticket, at = self.load(ticket_id, at)
        return self.keep(*self._accepted(ticket, by, at), at=at)

    def assign(
        self, ticket_id: str, *, by: str, at: datetime, to: str | None = None, group: str | None = None
    ) -> Ticket:
        """Give an open ticket without owner to an agent, a group or both, as a lead of its team or a manager.

        Owner is who then accepts it; until then it counts as work of the one it is assigned to.
        """
        ticket, at = self.load(ticket_id, at)
        lead = self.active_agent(by)
        if not self._is_lead(ticket, lead):
            raise NotAllowed(f"{lead.name} may not assign {ticket.reference}: that is for a lead of its team.")
        if to is None and group is None:
            raise BadInput(f"Say to whom {ticket.reference} goes: an agent, a group or both.")
        if group is not None:
            self.store.get(AssignmentGroup, group)
        agent = self.agent(to) if to else None
        load = self._load_of(agent, ticket) if agent else 0
        return self.keep(*ownership.assign(ticket, to=agent, group=group, load=load, by=by, at=at), at=at)

    def transfer(self, ticket_id: str, *, to: str, reason: ownership.TransferReason, by: str, at: datetime) -> Ticket:
        """Hand a ticket to another owner, as a manager, where its owner left or is on a long leave."""
        ticket, at = self.load(ticket_id, at)
        changed = ownership.transfer(
            ticket,
            owner=self.agents().get(ticket.owner_id or ""),
            to=self.agent(to),
            reason=reason,
            by=self.agent(by),
            at=at,
            policy=self.policies.ownership,
        )
        return self.keep(*changed, at=at)

    def orphans(self, *, at: datetime) -> list[ownership.LeftBehind]:
        """Open tickets whose owner left or is on a long leave, with the transfer that hands them on."""
        tickets = self.store.tickets(statuses=OPEN_STATUSES)
        return ownership.left_behind(tickets, self.agents(), at=at, policy=self.policies.ownership)

    def differences(self) -> list[ownership.Difference]:
        """Open tickets that their source has assigned to somebody else than their owner."""
        return ownership.differences(self.store.tickets(statuses=OPEN_STATUSES), self.store.all(Agent))

    def release(self, ticket_id: str, *, by: str, at: datetime) -> Ticket:
        """Lay a finished ticket aside; one that is reopened comes back to its owner."""
        ticket, at = self.load(ticket_id, at)
        return self.keep(*ownership.release(ticket, by=by, at=at), at=at)

    def change_status(self, ticket_id: str, *, to: Status, by: str, at: datetime, reason: str | None = None) -> Ticket:
        """Move a ticket to a status that no command of its own leads to, as its owner."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="change its status")
        changed = lifecycle.move(ticket, to=to, by=by, at=at, preset=self.policies.lifecycle, reason=reason)
        return self.keep(*changed, at=at)

    def reprioritise(self, ticket_id: str, *, to: Priority, reason: str, by: str, at: datetime) -> Ticket:
        """Give a ticket another priority, as its owner or a lead; its clocks take the new target."""
        ticket, at = self.load(ticket_id, at)
        self._owner_or_lead(ticket, by, "change its priority")
        not_blank("reason", reason)
        if to == ticket.priority:
            raise NotAllowed(f"{ticket.reference} has priority {to} already.")
        return self.keep(*lifecycle.reprioritise(ticket, to=to, by=by, at=at, reason=reason), at=at)

    def agree_due(self, ticket_id: str, *, reason: str, by: str, at: datetime, due: datetime | None = None) -> Ticket:
        """Agree another end with the customer, as owner or a lead; without one the policy's target holds again."""
        ticket, at = self.load(ticket_id, at)
        self._owner_or_lead(ticket, by, "move its agreed end")
        not_blank("reason", reason)
        return self.keep(*lifecycle.agree_due(ticket, due=due, by=by, at=at, reason=reason), at=at)

    def pause(self, ticket_id: str, *, reason: str, by: str, at: datetime) -> Ticket:
        """Approve a pause of a ticket's clocks, as a lead of its team or a manager who does not own it."""
        ticket, at = self.load(ticket_id, at)
        self._lead_beside_owner(ticket, by, "approve a pause")
        not_blank("reason", reason)
        history = self.store.history(ticket.id)
        return self.keep(*lifecycle.pause(ticket, history, by=by, at=at, reason=reason), at=at)

    def resume(self, ticket_id: str, *, by: str, at: datetime, reason: str | None = None) -> Ticket:
        """End an approved pause, as owner or a lead; a reply of the customer does not."""
        ticket, at = self.load(ticket_id, at)
        self._owner_or_lead(ticket, by, "end its pause")
        history = self.store.history(ticket.id)
        return self.keep(*lifecycle.resume(ticket, history, by=by, at=at, reason=reason), at=at)

    def resolve(
        self,
        ticket_id: str,
        *,
        by: str,
        summary: str,
        at: datetime,
        what_went_wrong: WentWrong | None = None,
    ) -> Ticket:
        """Resolve a ticket as its owner; the customer reads the summary, the desk what went wrong."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="resolve it")
        not_blank("summary", summary)
        answer = entry(ticket, EntryType.RESOLUTION, by=by, text=summary, at=at, visibility=Visibility.PUBLIC)
        wrong = {"what_went_wrong": what_went_wrong.value} if what_went_wrong else {}
        moved = self.moved(ticket, Status.RESOLVED, by=by, at=at, reason=summary, data=wrong)
        return self.keep(*moved, answer, at=at)

    def close(
        self,
        ticket_id: str,
        *,
        by: str,
        at: datetime,
        survey: cases.Answers | None = None,
        lessons: Mapping[cases.Backlog, str] | None = None,
    ) -> Ticket:
        """Close a ticket with the customer's survey, and tell the backlogs what this case taught."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="close it")
        answered = [cases.survey(ticket, survey, at=at)] if survey else []
        records = [*answered, *closing_signals(self.store, ticket, lessons or {}, at=at)]
        return self.keep(*self.moved(ticket, Status.CLOSED, by=by, at=at, reason=None), *records, at=at)

    def reopen(self, ticket_id: str, *, by: str, reason: str, at: datetime) -> Ticket:
        """Take a finished ticket back to work, with a new SLA window and the whole history.

        Its owner reopens it; one without owner is its team's, and who reopens it owns it.
        """
        ticket, at = self.load(ticket_id, at)
        if ticket.is_open:
            raise NotAllowed(f"{ticket.reference} is {ticket.status}; only a resolved or closed ticket is reopened.")
        not_blank("reason", reason)
        if ticket.owner_id is not None:
            ownership.guard(ticket, by=by, doing="reopen it")
        else:
            self._of_its_team(ticket, by)
        moved, events = self.moved(ticket, self.policies.lifecycle.reopen_to, by=by, at=at, reason=reason)
        if moved.owner_id is None:
            moved, accepted = self._accepted(moved, by, at)
            events = [*events, *accepted]
        return self.keep(moved, events, at=at)

    def end_as(self, ticket_id: str, outcome: TicketOutcome, *, by: str, at: datetime) -> Ticket:
        """A person says how it ended, or will have once it ends; the source may say otherwise later."""
        ticket, at = self.load(ticket_id, at)
        event = Event(ticket_id=ticket.id, kind=Kind.OUTCOME, at=at, value=outcome, actor=by)
        return self.keep(ticket.model_copy(update={"outcome": outcome, "updated_at": at}), [event], at=at)

    def reply(self, ticket_id: str, *, by: str, text: str, at: datetime) -> Ticket:
        """Write to the customer as the owner; the first time ends the first-response clock."""
        ticket, at = self.load(ticket_id, at)
        ownership.guard(ticket, by=by, doing="reply to the customer")
        not_blank("text", text)
        sent = entry(ticket, EntryType.EMAIL_OUTBOUND, by=by, text=text, at=at, visibility=Visibility.PUBLIC)
        return self.keep(*lifecycle.respond(ticket, by=by, at=at), sent, at=at)

    def receive(
        self, ticket_id: str, *, text: str, at: datetime, author: str | None = None, by: str | None = None
    ) -> Ticket:
        """Keep what the customer wrote: a ticket that waited for it goes back to work.

        The author is the requester, unless another contact wrote; the history names who took it down, too. Coming back
        too often is flagged.
        """
        ticket, at = self.load(ticket_id, at)
        not_blank("text", text)
        author = self._customer(ticket, author)
        got = entry(ticket, EntryType.EMAIL_INBOUND, by=author, text=text, at=at, visibility=Visibility.PUBLIC)
        taken = {"taken_by": self.active_agent(by).id} if by else {}
        message = Event(ticket_id=ticket.id, kind=Kind.CUSTOMER_MESSAGE, at=at, actor=author, data=taken)
        changed, events = ticket.model_copy(update={"updated_at": at}), [message]
        is_waiting = ticket.status == Status.WAITING_CUSTOMER
        if is_waiting and self.policies.lifecycle.allows(ticket.status, Status.IN_PROGRESS):
            changed, moves = self.moved(changed, Status.IN_PROGRESS, by=author, at=at, reason="the customer replied")
            events += moves
        self.keep(changed, events, got, at=at)
        self.flag_repeat_contact(ticket.id, at=at)
        return self.store.ticket(ticket.id)

    def note(self, ticket_id: str, *, by: str, text: str, at: datetime, envelope_id: str | None = None) -> Ticket:
        """Write a note for colleagues: in the main thread by the owner or a lead, in an envelope by its people,
        who alone read it."""
        ticket, at = self.load(ticket_id, at)
        author = self.active_agent(by)
        not_blank("text", text)
        if envelope_id is not None:
            envelopes.guard_thread(ticket, self.store.get(envelopes.Envelope, envelope_id), by=by)
        elif author.role == Role.AGENT:
            ownership.guard(ticket, by=by, doing="add a note")
        shown_to = Visibility.ENVELOPE_ONLY if envelope_id else Visibility.INTERNAL
        comment = entry(ticket, EntryType.NOTE, by=by, text=text, at=at, visibility=shown_to, envelope_id=envelope_id)
        event = Event(ticket_id=ticket.id, kind=Kind.MESSAGE, at=at, actor=by, data={"entry": comment.id})
        return self.keep(ticket.model_copy(update={"updated_at": at}), [event], comment, at=at)

    def _accepted(self, ticket: Ticket, by: str, at: datetime) -> lifecycle.Change:
        agent = self.agent(by)
        load = self._load_of(agent, ticket)
        return ownership.accept(ticket, by=agent, load=load, at=at, preset=self.policies.lifecycle)

    def _load_of(self, agent: Agent, ticket: Ticket) -> int:
        """Open tickets of the agent but for this one."""
        held = self.store.tickets(statuses=OPEN_STATUSES, holder=ownership.names_of(agent))
        return ownership.open_load([one for one in held if one.id != ticket.id])

    def leads(self, ticket_id: str, *, reader: str) -> bool:
        """Whether the reader is an agent who decides on a ticket as its lead: a manager, or a lead of its team."""
        found = self.store.all(Agent, id=reader, is_active=True)
        return bool(found) and self._is_lead(self.store.ticket(ticket_id), found[0])

    def _is_lead(self, ticket: Ticket, agent: Agent) -> bool:
        """A manager, or a lead of the ticket's team; of a ticket without team any lead."""
        return agent.role in {Role.MANAGER, Role.TEAM_LEAD} and ownership.is_of_team(agent, self.team_of(ticket))

    def _owner_or_lead(self, ticket: Ticket, by: str, doing: str) -> None:
        agent = self.active_agent(by)
        if agent.id != ticket.owner_id and not self._is_lead(ticket, agent):
            raise NotAllowed(f"{agent.name} may not {doing}: that is for the owner of {ticket.reference} or a lead.")

    def _lead_beside_owner(self, ticket: Ticket, by: str, doing: str) -> None:
        agent = self.active_agent(by)
        if agent.id == ticket.owner_id or not self._is_lead(ticket, agent):
            whose = "owns it" if agent.id == ticket.owner_id else "is no lead of its team"
            raise NotAllowed(f"{agent.name} can't {doing} of {ticket.reference} and {whose}; ask another lead.")

    def _of_its_team(self, ticket: Ticket, by: str) -> None:
        agent, team = self.active_agent(by), self.team_of(ticket)
        if team is not None and not ownership.is_of_team(agent, team):
            raise NotAllowed(f"{ticket.reference} has no owner and is for {team.name}; one of them reopens it.")

    def _customer(self, ticket: Ticket, author: str | None) -> str:
        """Who wrote: the requester, or another contact by id or e-mail address."""
        author = author or ticket.requester_id
        if author is None:
            raise BadInput(f"{ticket.reference} names no requester: say who wrote, as `author`.")
        known = self.store.all(Contact, id=author) or self.store.all(Contact, email=author)
        if author != ticket.requester_id and not known:
            raise NotFound(f"There is no contact {author}, and it is not the requester of {ticket.reference}.")
        return author
