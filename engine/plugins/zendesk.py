"""Zendesk: a ticket as JSON; with its audits, the history of the ticket as well.

An audit is one update: `Change` events set fields, `Comment` events speak, in public or not
(developer.zendesk.com/documentation/ticketing/reference-guides/ticket-audit-events-reference). The first comment is the
ticket's own text. An update by a rule is an automation's; who is of the desk is told by the role of the user.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from engine.contracts import Delivery, StandardTicket
from engine.plugins.messages import Messages
from engine.plugins.ticket_history import Change, Message, Role, instants, meaning, with_history
from engine.shared.errors import BadInput

FIELDS = {
    "status": "status", "priority": "priority", "type": "type", "group_id": "group", "assignee_id": "assignee",
}  # fmt: skip
COMMENTS = {"Comment", "VoiceComment"}

Json = Mapping[str, Any]
Update = tuple[datetime, Json, Json]
"""When, the audit, and an event in it."""


class ZendeskSource(Messages):
    """A ticket, alone or under `ticket` with its `audits` and `users` beside it."""

    def parse(self, payload: Json) -> Delivery:
        ticket = payload.get("ticket", payload)
        if not isinstance(ticket, Mapping):
            raise BadInput(f"{self.name}: no ticket in the message; send it as Zendesk's API gives it")
        return self.with_records(ticket, payload, partial(self._with_audits, payload))

    def _with_audits(self, payload: Json, ticket: StandardTicket) -> Delivery:
        if not isinstance(audits := payload.get("audits"), list):
            return Delivery(tickets=(ticket,))
        times = instants((audit["created_at"] for audit in audits), self.mapping)
        updates = sorted(zip(times, audits, strict=True), key=lambda pair: pair[0])
        events = [(at, audit, event) for at, audit in updates for event in audit["events"]]
        return with_history(ticket, list(self._field_changes(events)), list(_messages(events, payload)))

    def _field_changes(self, events: Sequence[Update]) -> Iterator[Change]:
        for at, audit, event in events:
            if event["type"] == "Change" and (field := FIELDS.get(event["field_name"])):
                before, after = (meaning(field, event.get(name), self.mapping) for name in ("previous_value", "value"))
                yield Change(str(event["id"]), at, field, before, after, _named(audit))


def _messages(events: Sequence[Update], payload: Json) -> Iterator[Message]:
    users = {user["id"]: user for user in payload.get("users") or ()}
    for at, audit, event in [each for each in events if each[2]["type"] in COMMENTS][1:]:
        author = event.get("author_id", audit["author_id"])
        by_rule = any((one.get("via") or {}).get("channel") == "rule" for one in (audit, event))
        role = "automation" if by_rule else _role(users.get(author), payload["ticket"].get("requester_id"))
        yield Message(str(event["id"]), at, str(author), role, bool(event.get("public")))


def _role(user: Json | None, requester: Any) -> Role:
    if user is None:
        return "automation"
    if user["id"] == requester:
        return "customer"
    return "colleague" if user.get("role") == "end-user" else "agent"


def _named(audit: Json) -> str | None:
    """The author; -1 is the system."""
    return None if audit.get("author_id") in (None, -1) else str(audit["author_id"])


EXAMPLE_TICKET = {
    "ticket": {
        "id": 42,
        "subject": "Proxy is slow since the upgrade",
        "description": "Pages take ten seconds.",
        "type": "problem",
        "priority": "high",
        "status": "pending",
        "via": {"channel": "email", "source": {"from": {}, "to": {}, "rel": None}},
        "requester_id": 20978392,
        "organization_id": 509974,
        "group_id": 98738,
        "assignee_id": 235323,
        "tags": ["proxy", "slow"],
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T12:00:00Z",
        "due_at": None,
    },
    "users": [
        {"id": 20978392, "role": "end-user", "organization_id": 509974},
        {"id": 235323, "role": "agent", "organization_id": None},
    ],
    "audits": [
        {
            "id": 1,
            "author_id": 20978392,
            "created_at": "2026-03-02T09:00:00Z",
            "via": {"channel": "email"},
            "events": [
                {"id": 11, "type": "Comment", "author_id": 20978392, "public": True, "body": "Pages take ten seconds."},
                {"id": 12, "type": "Create", "field_name": "status", "value": "new"},
                {"id": 13, "type": "Notification", "via": {"channel": "rule"}, "recipients": [20978392]},
            ],
        },
        {
            "id": 2,
            "author_id": 235323,
            "created_at": "2026-03-02T09:30:00Z",
            "via": {"channel": "web"},
            "events": [
                {"id": 21, "type": "Comment", "author_id": 235323, "public": False, "body": "Looks like the cache."},
                {"id": 22, "type": "Change", "field_name": "status", "previous_value": "new", "value": "open"},
                {"id": 23, "type": "Change", "field_name": "priority", "previous_value": None, "value": "high"},
            ],
        },
        {
            "id": 3,
            "author_id": 235323,
            "created_at": "2026-03-02T12:00:00Z",
            "via": {"channel": "web"},
            "events": [
                {"id": 31, "type": "Comment", "author_id": 235323, "public": True, "body": "Which proxy is set?"},
                {"id": 32, "type": "Change", "field_name": "status", "previous_value": "open", "value": "pending"},
            ],
        },
    ],
}
