"""Rules fire on their event and conditions; their messages say known fields and nothing else."""

from typing import Any

import pytest

from engine import envelopes, rules
from engine.rules import Trigger
from engine.shared.errors import BadInput
from tests.engine.people import MONDAY, POLICIES, a_ticket, later

SHIPPED = rules.load(POLICIES / "rules.yaml").rules
PENDING = envelopes.Envelope(
    id="e1", ticket_id="web:1", requested_by="ana", team_id="network", reason="DNS",
    created_at=MONDAY, response_due_at=later(4),
)  # fmt: skip


def one(event: str, conditions: str, action: str) -> str:
    return f"rules: [{{name: r, trigger: {{event: {event}, conditions: {conditions}}}, action: {action}}}]"


def loaded(text: str, tmp_path: Any) -> rules.Rule:
    file = tmp_path / "rules.yaml"
    file.write_text(text, encoding="utf-8")
    return rules.load(file).rules[0]


@pytest.mark.parametrize(
    ("facts", "fires"),
    [
        ({"priority": "critical", "type": "incident"}, True),
        ({"priority": "high", "type": "incident"}, False),
        ({"priority": "critical", "type": "request"}, False),
    ],
)
def test_critical_incidents_go_to_seniors(facts: dict[str, str], fires: bool) -> None:
    fired = rules.fire(SHIPPED, event=Trigger.TICKET_CREATED, facts=rules.ticket_facts(a_ticket(**facts)))
    assert [(act.type, act.to) for act in fired] == ([("assign", "team:senior-support")] if fires else [])


@pytest.mark.parametrize(
    ("hours", "status", "fires"), [(3.9, "pending", False), (4, "pending", True), (9, "active", False)]
)
def test_long_pending_escalation_is_told(hours: float, status: str, fires: bool) -> None:
    asked = PENDING.model_copy(update={"status": envelopes.EnvelopeStatus(status)})
    facts = rules.escalation_facts(asked, a_ticket(), at=later(hours))
    fired = rules.fire(SHIPPED, event=Trigger.AGE_EXCEEDED, facts=facts)
    assert [act.message for act in fired] == (
        ["Escalation e1 of INC-1 has waited 4.0 h for an answer"] if fires else []
    )


def test_a_list_means_any_of_them(tmp_path: Any) -> None:
    rule = loaded(
        one("ticket.created", "[{priority: [high, critical]}, {vip: true}]", "{type: assign, to: 'team:x'}"), tmp_path
    )
    for facts, fires in [({"priority": "high", "vip": True}, 1), ({"priority": "high"}, 0), ({"vip": True}, 0)]:
        found = rules.fire([rule], event=Trigger.TICKET_CREATED, facts=rules.ticket_facts(a_ticket(**facts)))
        assert len(found) == fires


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (one("ticket.created", "[{colour: red}]", "{type: assign, to: 'team:x'}"), "no field 'ticket.colour'"),
        (one("ticket.created", "[{a: 1, b: 2}]", "{type: assign, to: 'team:x'}"), "each condition names one field"),
        (one("ticket.created", "[{subject: hi}]", "{type: assign, to: 'team:x'}"), "no field 'ticket.subject'"),
        (one("ticket.born", "[]", "{type: assign, to: 'team:x'}"), "trigger.event"),
        (one("ticket.created", "[]", "{type: assign, to: 'agent:ana'}"), "an owner is set by accepting"),
        (one("ticket.created", "[]", "{type: notify, to: 'team:x'}"), "notify needs a message"),
        (one("ticket.created", "[]", "{type: assign, to: 'x'}"), "action.to"),
        (
            one("ticket.created", "[]", "{type: notify, to: 'team:x', message: '{ticket.__class__}'}"),
            "no field 'ticket.__class__'",
        ),
        (
            one("ticket.created", "[]", "{type: notify, to: 'team:x', message: '{ticket.id!r}'}"),
            "no field 'ticket.id!r'",
        ),
        (
            one("ticket.created", "[]", "{type: notify, to: 'team:x', message: '{escalation.id}'}"),
            "no field 'escalation.id'",
        ),
        (one("ticket.created", "[]", "{type: notify, to: 'team:x', message: 'a { brace'}"), "a brace in the message"),
    ],
)
def test_rule_that_makes_no_sense_is_refused(rule: str, said: str, tmp_path: Any) -> None:
    with pytest.raises(BadInput) as caught:
        loaded(rule, tmp_path)
    assert said in str(caught.value)


def test_values_in_messages_are_never_read_as_placeholders(tmp_path: Any) -> None:
    action = "{type: notify, to: 'team:x', message: 'About {ticket.category}: {ticket.product}'}"
    rule = loaded(one("ticket.created", "[]", action), tmp_path)
    facts = rules.ticket_facts(a_ticket(category="{ticket.owner_id}"))
    assert rules.fire([rule], event=Trigger.TICKET_CREATED, facts=facts)[0].message == "About {ticket.owner_id}: none"
