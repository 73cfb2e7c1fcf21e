"""Freshdesk: a ticket as JSON; with its conversations, who answered and when.

A conversation is `incoming` from the requester's side, or else the desk's, and `private` or not
(developers.freshdesk.com/api/#conversations). The API gives no history of statuses: `stats` has the instants that it
keeps. Due dates are what Freshdesk's SLA computed, hence its verdict and no promise.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from engine.contracts import Delivery, StandardTicket
from engine.plugins.messages import Messages
from engine.plugins.ticket_history import Message, Role, instants, with_messages

Json = Mapping[str, Any]


class FreshdeskSource(Messages):
    """A ticket as `GET /api/v2/tickets/{id}?include=conversations,stats` gives it."""

    def parse(self, payload: Json) -> Delivery:
        record = {name: value for name, value in payload.items() if name != "conversations"}
        return self.with_records(record, payload, partial(self._with_messages, payload))

    def _with_messages(self, payload: Json, ticket: StandardTicket) -> Delivery:
        talk = isinstance(payload.get("conversations"), list)
        return with_messages(ticket, self._messages(payload)) if talk else Delivery(tickets=(ticket,))

    def _messages(self, payload: Json) -> list[Message]:
        listed = payload["conversations"]
        return [
            Message(
                str(one["id"]), at, str(one["user_id"]), _role(one, payload.get("requester_id")), not one["private"]
            )
            for one, at in zip(listed, instants((one["created_at"] for one in listed), self.mapping), strict=True)
        ]


def _role(conversation: Json, requester: Any) -> Role:
    if conversation["user_id"] == requester:
        return "customer"
    return "colleague" if conversation["incoming"] else "agent"


EXAMPLE_TICKET = {
    "id": 7,
    "subject": "No mail since this morning",
    "description_text": "Outlook says disconnected.",
    "type": "Incident",
    "status": 3,
    "priority": 4,
    "source": 1,
    "requester_id": 129,
    "company_id": 23,
    "group_id": 55,
    "responder_id": 5,
    "tags": ["mail"],
    "spam": False,
    "fr_due_by": "2026-03-02T11:00:00Z",
    "due_by": "2026-03-03T09:00:00Z",
    "created_at": "2026-03-02T09:00:00Z",
    "updated_at": "2026-03-02T10:00:00Z",
    "stats": {"first_responded_at": "2026-03-02T09:40:00Z", "resolved_at": None, "closed_at": None},
    "conversations": [
        {"id": 91, "user_id": 5, "incoming": False, "private": True, "source": 2, "created_at": "2026-03-02T09:20:00Z"},
        {
            "id": 92,
            "user_id": 5,
            "incoming": False,
            "private": False,
            "source": 0,
            "created_at": "2026-03-02T09:40:00Z",
        },
        {
            "id": 93,
            "user_id": 129,
            "incoming": True,
            "private": False,
            "source": 0,
            "created_at": "2026-03-02T10:00:00Z",
        },
    ],
}
