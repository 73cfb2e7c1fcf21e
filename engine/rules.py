"""Rules that the desk wrote down: when this happens and these things hold, assign it or tell somebody."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator

from engine.contracts import Frozen, Ticket
from engine.envelopes import Envelope
from engine.shared import policy_file

Value = str | int | float | bool


class Trigger(StrEnum):
    TICKET_CREATED = "ticket.created"
    TICKET_FLAGGED = "ticket.flagged"
    AGE_EXCEEDED = "escalation.age_exceeded"


_TICKET = (
    *("id", "reference", "type", "status", "priority", "tier", "vip", "category", "product"),
    *("channel", "language", "group_id", "owner_id", "requester_id"),
)
_ESCALATION = ("id", "status", "age_hours", "reason", "team_id", "assigned_to", "requested_by")

FIELDS: dict[Trigger, frozenset[str]] = {
    Trigger.TICKET_CREATED: frozenset(f"ticket.{name}" for name in _TICKET),
    Trigger.TICKET_FLAGGED: frozenset([*(f"ticket.{name}" for name in _TICKET), "flag.type", "flag.reason"]),
    Trigger.AGE_EXCEEDED: frozenset(
        [*(f"ticket.{name}" for name in _TICKET), *(f"escalation.{name}" for name in _ESCALATION)]
    ),
}
"""What a rule on each event may ask for and name. The customer's own text is not among it."""

AT_LEAST = frozenset({"escalation.age_hours"})
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
    rules: tuple[Rule, ...] = ()

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


def load(path: str | Path) -> RulePolicy:
    return policy_file.read(path, RulePolicy)


def fire(rules: Iterable[Rule], *, event: Trigger, facts: Mapping[str, Value | None]) -> list[Fired]:
    """The actions of the rules that hold, in the order they are written."""
    return [
        Fired(rule=rule.name, type=rule.action.type, to=rule.action.to, message=_filled(rule.action.message, facts))
        for rule in rules
        if rule.trigger.event == event and _holds(rule.trigger, facts)
    ]


def ticket_facts(ticket: Ticket) -> dict[str, Value | None]:
    return {f"ticket.{name}": _plain(getattr(ticket, name)) for name in _TICKET}


def escalation_facts(envelope: Envelope, ticket: Ticket, *, at: datetime) -> dict[str, Value | None]:
    """The ticket's facts and the envelope's, with its age since it was opened."""
    age = (at - envelope.created_at).total_seconds() / 3600
    own = {name: getattr(envelope, name) for name in _ESCALATION if name != "age_hours"} | {"age_hours": age}
    return {**ticket_facts(ticket), **{f"escalation.{name}": _plain(value) for name, value in own.items()}}


def _known(name: str, event: Trigger) -> None:
    if name not in FIELDS[event]:
        raise ValueError(f"{event} has no field {name!r}; it has {', '.join(sorted(FIELDS[event]))}")


def _holds(trigger: When, facts: Mapping[str, Value | None]) -> bool:
    wanted = ((trigger.full_name(name), value) for condition in trigger.conditions for name, value in condition.items())
    return all(_matches(name, value, facts.get(name)) for name, value in wanted)


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
