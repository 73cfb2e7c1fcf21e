"""Rules that the desk wrote down: when this happens and these things hold, assign it or tell somebody."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from engine.contracts import Agent, AssignmentGroup, Frozen, GroupStatus, Instant, Team, Ticket
from engine.envelopes import Envelope
from engine.flags import CaseFlag
from engine.shared import policy_file

Value = str | int | float | bool


class Trigger(StrEnum):
    TICKET_CREATED = "ticket.created"
    TICKET_FLAGGED = "ticket.flagged"
    AGE_EXCEEDED = "escalation.age_exceeded"


TICKET = (
    *("id", "reference", "type", "status", "priority", "tier", "vip", "category", "product"),
    *("channel", "language", "group_id", "owner_id", "requester_id"),
)
_ESCALATION = ("id", "status", "age_hours", "is_overdue", "reason", "team_id", "assigned_to", "requested_by")

FIELDS: dict[Trigger, frozenset[str]] = {
    Trigger.TICKET_CREATED: frozenset(f"ticket.{name}" for name in TICKET),
    Trigger.TICKET_FLAGGED: frozenset([*(f"ticket.{name}" for name in TICKET), "flag.type", "flag.reason"]),
    Trigger.AGE_EXCEEDED: frozenset(
        [*(f"ticket.{name}" for name in TICKET), *(f"escalation.{name}" for name in _ESCALATION)]
    ),
}
"""What a rule on each event may ask for and name. The customer's own text is not among it."""

AT_LEAST = frozenset({"escalation.age_hours"})
OVERDUE = "escalation.is_overdue"
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class When(Frozen):
    """An event and conditions that all have to hold; a bare name is a field of the event's own subject."""

    event: Trigger
    conditions: tuple[dict[str, Value | tuple[Value, ...]], ...] = ()

    @field_validator("conditions")
    @classmethod
    def _one_field_each(cls, conditions: tuple[dict[str, object], ...]) -> tuple[dict[str, object], ...]:
        if wrong := [sorted(condition) for condition in conditions if len(condition) != 1]:
            raise ValueError(f"each condition names one field, not {wrong[0]}")
        return conditions

    @model_validator(mode="after")
    def _known_fields(self) -> "When":
        for condition in self.conditions:
            for name in condition:
                _known(self.full_name(name), self.event)
        return self

    def full_name(self, name: str) -> str:
        return name if "." in name else f"{self.event.split('.')[0]}.{name}"

    @property
    def wanted(self) -> list[tuple[str, Value | tuple[Value, ...]]]:
        """Each field by its full name, with what it has to hold. An age that no rule names is the envelope's own: it is
        exceeded when its answer is overdue."""
        named = [(self.full_name(name), value) for condition in self.conditions for name, value in condition.items()]
        has_age = any(name in AT_LEAST or name == OVERDUE for name, _ in named)
        return named if has_age or self.event != Trigger.AGE_EXCEEDED else [*named, (OVERDUE, True)]


class Action(Frozen):
    """Assign to a group or notify a team or agent: `team:x` or `agent:x`."""

    type: Literal["assign", "notify"]
    to: str = Field(pattern=r"^(team|agent):[A-Za-z0-9_.-]+$")
    message: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> "Action":
        if self.type == "assign" and not self.to.startswith("team:"):
            raise ValueError("a rule assigns to a team; an owner is set by accepting, never by a rule")
        if self.type == "notify" and not self.message:
            raise ValueError("notify needs a message")
        return self


class Rule(Frozen):
    name: str
    trigger: When
    action: Action

    @model_validator(mode="after")
    def _known_placeholders(self) -> "Rule":
        message = self.action.message or ""
        for name in _PLACEHOLDER.findall(message):
            _known(name, self.trigger.event)
        if "{" in _PLACEHOLDER.sub("", message) or "}" in _PLACEHOLDER.sub("", message):
            raise ValueError("a brace in the message stands alone; placeholders look like {ticket.reference}")
        return self


class RulePolicy(Frozen):
    """The rules of a file; a file may be one rule alone, or a list of them."""

    rules: tuple[Rule, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _alone_or_many(cls, content: object) -> object:
        match content:
            case {"trigger": _}:
                return {"rules": [content]}
            case list():
                return {"rules": content}
        return content

    @field_validator("rules")
    @classmethod
    def _names_once(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        names = [rule.name for rule in rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two rules are called {twice[0]}")
        return rules


class Fired(Frozen):
    """What a rule asks for, its message filled in."""

    rule: str
    type: Literal["assign", "notify"]
    to: str
    message: str | None = None


class Fact(NamedTuple):
    """Something that rules may be about: a ticket's creation, or a flag or envelope of it (`subject`). What is no news
    makes no noise."""

    event: Trigger
    ticket_id: str
    subject: CaseFlag | Envelope | None = None
    is_news: bool = True

    def key(self, rule: Rule | None = None) -> str:
        """Under which the rules were asked about it; of an age, which passes one limit after the other, each rule."""
        about = f"{self.event.value}/{self.subject.id if self.subject else self.ticket_id}"
        return f"{about}/{rule.name}" if rule and self.event == Trigger.AGE_EXCEEDED else about


class RuleFiring(Frozen):
    """A fact that the rules were asked about, and which of them acted. Its id is the fact's key."""

    id: str
    ticket_id: str
    event: Trigger
    rules: tuple[str, ...] = ()
    at: Instant


class Here(NamedTuple):
    """Who and what rules can reach on this desk."""

    groups: Sequence[AssignmentGroup]
    agents: Sequence[Agent]
    teams: Sequence[Team]

    def group(self, to: str) -> AssignmentGroup | None:
        """The active group with this id, else the first one of the team."""
        name = to.split(":", 1)[1]
        active = [group for group in self.groups if group.status == GroupStatus.ACTIVE]
        by_id = [group for group in active if group.group_id == name]
        return next(iter(by_id or [group for group in active if group.team_id == name]), None)

    def people(self, to: str) -> list[str]:
        """The active agent, or the active members of the team; of a team without any, who leads it."""
        kind, name = to.split(":", 1)
        active = {agent.id: agent for agent in self.agents if agent.is_active}
        if kind == "agent":
            return [name] if name in active else []
        leads = [lead for team in self.teams if team.id == name for lead in (team.supervisor_id, team.manager_id)]
        members = [agent.id for agent in active.values() if name in agent.teams]
        return members or [lead for lead in dict.fromkeys(leads) if lead in active]

    def why_never(self, rule: Rule) -> str | None:
        """Why a rule can't act here; None if it can."""
        to = rule.action.to
        name = to.split(":", 1)[1]
        if rule.action.type == "assign":
            return None if self.group(to) else f"there is no active group {name}, and no team {name} with one"
        if self.people(to):
            return None
        return f"there is no active agent {name}" if to.startswith("agent:") else f"nobody active is in team {name}"


def load(path: str | Path) -> RulePolicy:
    return policy_file.read(path, RulePolicy)


def facts_of(fact: Fact, ticket: Ticket, *, at: datetime) -> dict[str, Value | None]:
    """What is known of a fact's ticket and subject, by field."""
    match fact.subject:
        case CaseFlag() as flag:
            return {**ticket_facts(ticket), "flag.type": flag.type.value, "flag.reason": flag.reason}
        case Envelope() as envelope:
            return escalation_facts(envelope, ticket, at=at)
    return ticket_facts(ticket)


def fire(rules: Iterable[Rule], *, event: Trigger, facts: Mapping[str, Value | None]) -> list[Fired]:
    """The actions of the rules that hold, in the order they are written."""
    return [
        Fired(rule=rule.name, type=rule.action.type, to=rule.action.to, message=_filled(rule.action.message, facts))
        for rule in rules
        if rule.trigger.event == event and _holds(rule.trigger, facts)
    ]


def ticket_facts(ticket: Ticket) -> dict[str, Value | None]:
    return {f"ticket.{name}": _plain(getattr(ticket, name)) for name in TICKET}


def escalation_facts(envelope: Envelope, ticket: Ticket, *, at: datetime) -> dict[str, Value | None]:
    """The ticket's facts and the envelope's, with its age since it was opened and whether its answer is overdue."""
    age = (at - envelope.created_at).total_seconds() / 3600
    is_overdue = envelope.is_open and at >= envelope.response_due_at
    own = {name: getattr(envelope, name, None) for name in _ESCALATION} | {"age_hours": age, "is_overdue": is_overdue}
    return {**ticket_facts(ticket), **{f"escalation.{name}": _plain(value) for name, value in own.items()}}


def _known(name: str, event: Trigger) -> None:
    if name not in FIELDS[event]:
        raise ValueError(f"{event} has no field {name!r}; it has {', '.join(sorted(FIELDS[event]))}")


def _holds(trigger: When, facts: Mapping[str, Value | None]) -> bool:
    return all(_matches(name, value, facts.get(name)) for name, value in trigger.wanted)


def _matches(name: str, wanted: Value | tuple[Value, ...], found: Value | None) -> bool:
    if name in AT_LEAST:
        is_number = isinstance(wanted, int | float) and isinstance(found, int | float)
        return is_number and found >= wanted  # type: ignore[operator]
    return found in wanted if isinstance(wanted, tuple) else found == wanted


def _filled(message: str | None, facts: Mapping[str, Value | None]) -> str | None:
    """Placeholders are looked up by name: nothing of the message is ever evaluated."""
    if message is None:
        return None
    return _PLACEHOLDER.sub(lambda found: _shown(facts.get(found[1])), message)


def _shown(value: Value | None) -> str:
    return "none" if value is None else f"{value:.1f}" if isinstance(value, float) else str(value)


def _plain(value: object) -> Value | None:
    if value is None or isinstance(value, bool | int | float):
        return value
    return str(value)
