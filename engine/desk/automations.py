"""What the desk does by itself when something happens or time passes: rules, reminders, closing; each once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

import polars as pl
from more_itertools import chunked, map_reduce
from pydantic import BaseModel

from engine import alert_matrix, lifecycle, reminders, rules
from engine.contracts import Agent, AllocationDecision, AssignmentGroup, Event, Kind, Outcome, Status, Team, Ticket
from engine.desk.cases import closing_signals
from engine.desk.notification_routing import KEYS_AT_ONCE, NotificationRouting
from engine.desk.nudges import Nudges
from engine.notifications import News
from engine.shared.errors import Conflict
from engine.storage.outbox import Destination


class RuleDecision(NamedTuple):
    """What rules do about one ticket, to be kept as one."""

    ticket: Ticket
    events: list[Event]
    records: list[BaseModel]
    acts: list[rules.Fired]
    news: list[tuple[News, list[str]]]


class ReminderDecision(NamedTuple):
    """A reminder as it was set or rang, to be kept as one with its event and whom it reaches."""

    ticket: Ticket
    events: list[Event]
    records: list[BaseModel]
    reminder: reminders.Reminder


class Automations(Nudges):
    """Run by the sweep. Tickets are read before what was done about them: who was faster has moved them on since, and
    what they did is left as it is."""

    def rules_that_never_act(self) -> dict[str, str]:
        """Rules that can't act on this desk, by name, and why."""
        here = self.here()
        found = {rule.name: here.why_never(rule) for rule in self.policies.rules.rules}
        return {name: why for name, why in found.items() if why}

    def apply_rules(
        self, facts: Sequence[rules.Fact], *, at: datetime, destination: Destination | None = None
    ) -> list[rules.Fired]:
        """Ask the rules that can act about facts, each once; returns what they did. A ticket that moves on meanwhile is
        left to the next sweep. Where a group is to be told to another system, `destination` is it."""
        by_ticket: dict[str, list[rules.Fact]] = {}
        for fact in facts:
            by_ticket.setdefault(fact.ticket_id, []).append(fact)
        tickets, here = self.store.tickets(ids=by_ticket), self.here()
        usable = [rule for rule in self.policies.rules.rules if here.why_never(rule) is None]
        asking = _Asking(usable, here, self._among("rule_firings", by_ticket), at)
        decisions = [asking.about(ticket, by_ticket[ticket.id]) for ticket in tickets]
        self.store.put([record for one in decisions if not one.acts for record in one.records])
        acting = self._with_notices([one for one in decisions if one.acts], at)
        done = self.store.note(acting, at=at, destination=destination) if acting else []
        return [act for decision in done for act in decision.acts]

    def _with_notices(self, decisions: Sequence[RuleDecision], at: datetime) -> list[RuleDecision]:
        routing = NotificationRouting(self.store, self.policies.notifications, at=at)
        news = [one for decision in decisions for one in decision.news]
        rows = map_reduce(routing.queued(news), lambda row: row.ticket_id)
        return [one._replace(records=[*one.records, *rows.get(one.ticket.id, [])]) for one in decisions]

    def set_reminders(self, ticket_ids: Iterable[str], *, at: datetime) -> list[reminders.Reminder]:
        """Set the reminders that these tickets call for, each once."""
        tickets, policy = self.store.tickets(ids=ticket_ids), self.policies.reminders
        return self._set([(t, one) for t in tickets for one in reminders.automatic(t, at=at, policy=policy)], at)

    def remind_of_clients(
        self, tickets: pl.DataFrame, *, at: datetime, elapsed: alert_matrix.Elapsed = alert_matrix.wall_clock
    ) -> list[reminders.Reminder]:
        """Remind owners of the customers that they have waited for as long as the alert matrix says, once a wait."""
        due = alert_matrix.clients_to_remind(tickets, at=at, preset=self.policies.nudges, elapsed=elapsed)
        tickets_now = self.store.tickets(ids=due) if due else []
        return self._set([(t, reminders.of_client(t, at=at)) for t in tickets_now if t.owner_id], at)

    def _set(self, called_for: Sequence[tuple[Ticket, reminders.Reminder]], at: datetime) -> list[reminders.Reminder]:
        known = self._among("reminders", {ticket.id for ticket, _ in called_for})
        decisions = [
            ReminderDecision(ticket, [reminders.created_event(reminder)], [reminder], reminder)
            for ticket, reminder in called_for
            if reminder.id not in known
        ]
        return [done.reminder for done in self.store.note(decisions, at=at)] if decisions else []

    def ring_reminders(self, *, at: datetime) -> list[reminders.Reminder]:
        """Tell agents of the reminders whose instant has come; returns those."""
        frame = self.store.frame("reminders", where={"status": reminders.WAITING})
        due = frame.filter(reminders.due_expr(at)).sort("trigger_at", "id").select("id", "ticket_id")
        if due.is_empty():
            return []
        tickets = {ticket.id: ticket for ticket in self.store.tickets(ids=due["ticket_id"])}
        read = [self.store.get(reminders.Reminder, key) for key in due["id"]]
        ringing = [one for one in read if one.status in reminders.WAITING and one.due_at <= at]
        routing = NotificationRouting(self.store, self.policies.notifications, at=at)
        decisions = [self._ring(one, tickets[one.ticket_id], routing, at) for one in ringing]
        return [done.reminder for done in self.store.note(decisions, at=at)] if decisions else []

    def _ring(
        self, reminder: reminders.Reminder, ticket: Ticket, routing: NotificationRouting, at: datetime
    ) -> ReminderDecision:
        rung, events = reminders.trigger(reminder, at=at)
        fact = f"{rung.id}@{rung.due_at.isoformat()}"
        news = News(id=fact, event_type="reminder", ticket_id=rung.ticket_id, payload={"message": rung.message})
        return ReminderDecision(ticket, events, [rung, *routing.queued([(news, [rung.agent_id])])], rung)

    def close_resolved(self, ticket_ids: Iterable[str], *, at: datetime) -> list[Ticket]:
        """Close those of the tickets that have stayed resolved for as long as the lifecycle says (seed S4-03)."""
        preset = self.policies.lifecycle
        due = lifecycle.due_for_closing(self.store.tickets(ids=ticket_ids), at=at, preset=preset)
        reason = f"resolved for {preset.auto_close_days} days"
        changes = [self.moved(t, Status.CLOSED, by="system", at=at, reason=reason) for t in due if not t.escalated]
        return [ticket for ticket, events in changes if self._close(ticket, events, at=at)]

    def _close(self, ticket: Ticket, events: list[Event], *, at: datetime) -> bool:
        """Keep it, and what it tells the backlogs, unless somebody was faster: then the next sweep looks again."""
        try:
            self.keep(ticket, events, *closing_signals(self.store, ticket, {}, at=at), at=at)
        except Conflict:
            return False
        return True

    def here(self) -> rules.Here:
        """Who and what rules can reach."""
        return rules.Here(self.store.all(AssignmentGroup), self.store.all(Agent), self.store.all(Team))

    def _among(self, table: str, tickets: Iterable[str]) -> set[str]:
        """The keys of what a table has on these tickets."""
        parts = chunked(tickets, KEYS_AT_ONCE)
        return {key for some in parts for key in self.store.frame(table, ["id"], where={"ticket_id": some})["id"]}


class _Asking(NamedTuple):
    """The rules that can act, whom they reach, which facts they were asked about before, and when they are asked."""

    usable: Sequence[rules.Rule]
    here: rules.Here
    known: set[str]
    at: datetime

    def about(self, ticket: Ticket, facts: Iterable[rules.Fact]) -> RuleDecision:
        """What the rules do about a ticket's facts; the first assignment counts."""
        decision = RuleDecision(ticket, [], [], [], [])
        for fact in facts:
            keys = [] if fact.event == rules.Trigger.AGE_EXCEEDED else [fact.key()]
            by_key: dict[str, list[rules.Rule]] = {key: [] for key in keys}
            for rule in self.usable:
                if rule.trigger.event == fact.event:
                    by_key.setdefault(fact.key(rule), []).append(rule)
            for key, some in by_key.items():
                if key not in self.known:
                    self._ask(decision, fact, key, some)
        return decision

    def _ask(self, decision: RuleDecision, fact: rules.Fact, key: str, some: Sequence[rules.Rule]) -> None:
        ticket = decision.ticket
        held = rules.fire(some, event=fact.event, facts=rules.facts_of(fact, ticket, at=self.at))
        acts = []
        for act in held:
            if _may_act(act, fact, decision, self.here):
                acts.append(act)
                self._act(decision, fact, key, act)
        if acts or fact.event != rules.Trigger.AGE_EXCEEDED:
            names = tuple(act.rule for act in acts)
            firing = rules.RuleFiring(id=key, ticket_id=ticket.id, event=fact.event, rules=names, at=self.at)
            decision.records.append(firing)

    def _act(self, decision: RuleDecision, fact: rules.Fact, key: str, act: rules.Fired) -> None:
        ticket, name = decision.ticket, f"{act.rule}/{key}"
        group = self.here.group(act.to)
        if act.type == "notify":
            payload = {"message": act.message or act.rule}
            is_overdue = fact.event == rules.Trigger.AGE_EXCEEDED
            kind = "envelope_overdue" if is_overdue else "rule"
            news = News(id=name, event_type=kind, ticket_id=ticket.id, payload=payload)
            decision.news.append((news, self.here.people(act.to)))
        elif group is not None:
            decision.records.append(_assignment(act, ticket, group, self.at))
        data = {"fact": key, "type": act.type, "to": act.to}
        event = Event(ticket_id=ticket.id, kind=Kind.RULE, at=self.at, value=act.rule, data=data, id=name)
        decision.events.append(event)
        decision.acts.append(act)


def _may_act(act: rules.Fired, fact: rules.Fact, decision: RuleDecision, here: rules.Here) -> bool:
    """Nobody hears of history; an assignment is for an open ticket that nobody has, and that is not there yet."""
    if act.type == "notify":
        return fact.is_news
    ticket, group = decision.ticket, here.group(act.to)
    is_free = ticket.is_open and ticket.owner_id is None and ticket.assignee_id is None
    is_first = not any(isinstance(record, AllocationDecision) for record in decision.records)
    return is_free and is_first and group is not None and group.group_id != ticket.group_id


def _assignment(act: rules.Fired, ticket: Ticket, group: AssignmentGroup, at: datetime) -> AllocationDecision:
    return AllocationDecision(
        ticket_id=ticket.id,
        decided_at=at,
        outcome=Outcome.ALLOCATED,
        group_id=group.group_id,
        group_name=group.name,
        rationale=f"The desk's rule {act.rule}.",
        score=1.0,
        policy="rules",
    )
