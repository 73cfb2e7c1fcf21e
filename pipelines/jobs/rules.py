"""How often rules would have acted on what happened so far, and which can never act here."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from pipelines.app.container import App
from pipelines.snapshot import Snapshot

if TYPE_CHECKING:
    from engine.rules import Rule, RulePolicy, Value

FIRST = 10
AT_CREATION = ("status", "group_id", "priority", "tier", "type")


class Past(NamedTuple):
    """A fact of the past: its ticket's reference, and what was known of it in each state that it went through."""

    reference: str
    states: "list[dict[str, Value | None]]"


class Trial(NamedTuple):
    """What became of a rule: how many facts of its event there were, on how many it would have acted, the first tickets
    of those, and why it can never act on this desk."""

    rule: str
    event: str
    action: str
    to: str
    facts: int
    fired: int
    tickets: list[str]
    why_never: str | None


class InForce(NamedTuple):
    """A rule of the desk, how often it acted, and why it can never act."""

    rule: str
    event: str
    action: str
    to: str
    acted: int
    why_never: str | None


def try_rules(app: App, policy: "RulePolicy") -> list[Trial]:
    """Ask the rules about everything that is stored: tickets as they were created, every flag, every envelope at the
    end of each wait. Nothing is changed, and nobody is told."""
    from engine.rules import Trigger

    history: dict[Trigger, list[Past]] = {
        Trigger.TICKET_CREATED: list(_creations(app)),
        Trigger.TICKET_FLAGGED: list(_flags(app)),
        Trigger.AGE_EXCEEDED: list(_envelopes(app)),
    }
    here = app.desk.here()
    return [_tried(rule, history[rule.trigger.event], here.why_never(rule)) for rule in policy.rules]


def rules_in_force(app: App) -> list[InForce]:
    """The desk's rules in the order they are asked."""
    import json

    fired = app.store.frame("rule_firings", ["rules"])["rules"]
    acted = [name for names in fired.filter(fired != "[]") for name in json.loads(names)]
    never = app.desk.rules_that_never_act()
    return [
        InForce(one.name, one.trigger.event, one.action.type, one.action.to, acted.count(one.name), never.get(one.name))
        for one in app.desk.policies.rules.rules
    ]


def _tried(rule: "Rule", history: Iterable[Past], why_never: str | None) -> Trial:
    from engine.rules import fire

    event, past = rule.trigger.event, list(history)
    on = [one.reference for one in past if any(fire([rule], event=event, facts=facts) for facts in one.states)]
    first = list(dict.fromkeys(on))[:FIRST]
    return Trial(rule.name, event.value, rule.action.type, rule.action.to, len(past), len(on), first, why_never)


def _creations(app: App) -> Iterator[Past]:
    """The oldest first; nobody owned them then."""
    from engine.rules import TICKET

    snapshot = Snapshot(app, app.now())
    born = snapshot.standings.filter(pl.col("place") == 0).select("ticket", *AT_CREATION)
    tickets = snapshot.tickets_now.drop(AT_CREATION).join(born, on="ticket").with_columns(id="ticket")
    tickets = tickets.with_columns(owner_id=pl.lit(None, pl.String)).sort("created_at", "ticket")
    for row in tickets.select(TICKET).iter_rows():
        facts = {f"ticket.{name}": value for name, value in zip(TICKET, row, strict=True)}
        yield Past(facts["ticket.reference"], [facts])


def _flags(app: App) -> Iterator[Past]:
    from engine.flags import CaseFlag
    from engine.rules import Fact, Trigger, facts_of

    flags = sorted(app.store.all(CaseFlag), key=lambda one: (one.created_at, one.id))
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids={one.ticket_id for one in flags})}
    for flag in flags:
        ticket = tickets[flag.ticket_id]
        fact = Fact(Trigger.TICKET_FLAGGED, ticket.id, flag)
        yield Past(ticket.reference, [facts_of(fact, ticket, at=flag.created_at)])


def _envelopes(app: App) -> Iterator[Past]:
    """Each as it was when its waiting for somebody ended, and when its waiting for an answer did."""
    from engine.envelopes import Envelope, EnvelopeStatus
    from engine.rules import escalation_facts

    envelopes = sorted(app.store.all(Envelope), key=lambda one: (one.created_at, one.id))
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids={one.ticket_id for one in envelopes})}
    for one in envelopes:
        ticket, end = tickets[one.ticket_id], one.completed_at or app.now()
        ends = {EnvelopeStatus.PENDING: one.accepted_at or end}
        ends |= {EnvelopeStatus.ACTIVE: end} if one.accepted_at else {}
        waits = [(one.model_copy(update={"status": status}), at) for status, at in ends.items()]
        yield Past(ticket.reference, [escalation_facts(wait, ticket, at=at) for wait, at in waits])
