"""Tickets that a system pushes: the source's name picks the plugin that understands the message."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.contracts import Delivery, Rejected
from engine.plugins.files import HelmdeskFiles, standard_ticket
from engine.plugins.ports import LATER, SourcePlugin, storable


class StandardTicketSource:
    """A system that speaks StandardTicket itself (seed S3-01): one object, or {"tickets": […]}.

    `content_length` bounds title and description together, in characters (S3-R12 asks for 10 to 10,000).
    """

    def __init__(self, name: str = "webhook", *, content_length: tuple[int, int] | None = None) -> None:
        self.name, self._content_length = name, content_length

    def read(self, path: Path) -> Iterator[Delivery]:
        """A file of such objects, one a line."""
        return HelmdeskFiles(self.name).read(path)

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        listed = payload.get("tickets", [payload])
        tickets, refused = [], []
        for row, item in enumerate(listed if isinstance(listed, list) else [listed], start=1):
            made = standard_ticket(json.dumps(item, default=str))
            reason = made if isinstance(made, str) else self._odd_length(len(made.title) + len(made.description))
            if isinstance(made, str) or reason:
                content = storable(item if isinstance(item, dict) else {"payload": item})
                refused.append(
                    Rejected(source=self.name, origin="webhook", row=row, reason=reason or "", content=content)
                )
            else:
                tickets.append(made)
        return Delivery(tickets=tuple(tickets), rejected=tuple(refused))

    def _odd_length(self, length: int) -> str | None:
        if self._content_length is None or self._content_length[0] <= length <= self._content_length[1]:
            return None
        least, most = self._content_length
        return f"title and description have {length} characters together, expected {least} to {most}"


def is_standard(payload: Mapping[str, Any]) -> bool:
    """Whether a message speaks of StandardTickets, from whatever source: each has a `ticket_id` at its top."""
    listed = payload.get("tickets", [payload])
    return (
        isinstance(listed, list)
        and bool(listed)
        and all(isinstance(one, Mapping) and "ticket_id" in one for one in listed)
    )


def with_receipt_time(payload: Mapping[str, Any], at: datetime, *, source: str) -> dict[str, Any]:
    """The message with what its sender may leave out of a ticket: `source`, and `created_at`, which is then when the
    message came, or earlier where the ticket says that something happened to it before. What is no ticket stays."""

    def whole(item: Any) -> Any:
        if not isinstance(item, Mapping):
            return item
        stated = {name: value for name, value in item.items() if name not in ("source", "created_at") or value}
        instants = [at, *filter(None, (_instant(item.get(name)) for name in LATER))]
        return {"source": source, "created_at": min(instants).isoformat()} | stated

    listed = payload.get("tickets")
    return {**payload, "tickets": [whole(item) for item in listed]} if isinstance(listed, list) else whole(payload)


def _instant(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def undated(payload: Mapping[str, Any]) -> int:
    """How many tickets of a message have no `created_at`."""
    listed = payload.get("tickets", [payload])
    items = listed if isinstance(listed, list) else [listed]
    return sum(isinstance(item, Mapping) and not item.get("created_at") for item in items)


def receive(payload: Mapping[str, Any], *, source: str, plugin: Callable[[str], SourcePlugin]) -> Delivery:
    """What a message of this source says (seed S3-05, header X-Source-ID). Raises BadInput for an unknown source."""
    return plugin(source).parse(payload)


EXAMPLE = {
    "ticket_id": "unique_id",
    "ticket_number": "INC0001",
    "source": "partner",
    "title": "VPN drops every hour",
    "description": "Since Monday the tunnel to the Austin office drops on the hour.",
    "category": "network",
    "priority": "high",
    "urgency": 1,
    "impact": 2,
    "created_at": "2026-03-02T09:15:00-05:00",
    "requester_location": {"lat": 40.7128, "lng": -74.006, "timezone": "America/New_York"},
    "external_metadata": {"estimated_complexity": 0.6},
}
