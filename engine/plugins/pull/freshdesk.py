"""Freshdesk: tickets as they were updated, each with its statistics and conversations.

`GET /api/v2/tickets?updated_since=…&order_by=updated_at&order_type=asc&include=stats,description` and
`GET /api/v2/tickets/{id}/conversations`, both paged by `page` while the `Link` header names a next one
(developers.freshdesk.com/api/#list_all_tickets, #list_all_ticket_notes). The list ends after 300 pages, hence a new
`updated_since` for each; deleted tickets and spam are not in it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from engine.plugins.pull.pages import Cursor, Onward, Page, page, start, walk
from engine.plugins.pull.site import Account, Site, basic

OVERLAP = timedelta(minutes=1)
PARTS = 100


class FreshdeskFeed:
    """An API key, which is the user, with any password."""

    source = "freshdesk"

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        self._site = Site(account, basic(account.token, "X"), wait_seconds=wait_seconds)
        self.stream = self._site.url

    def pages(self, cursor: Cursor | None, *, since: datetime | None, size: int) -> Iterator[Page]:
        def ask(instant: datetime, number: int) -> tuple[Sequence[dict[str, Any]], bool]:
            answer = self._site.get(
                "/api/v2/tickets",
                updated_since=f"{instant:%Y-%m-%dT%H:%M:%SZ}",
                order_by="updated_at",
                order_type="asc",
                include="stats,description",
                per_page=size,
                page=number // size + 1,
            )
            return answer.objects(), answer.has_next

        begin = start(cursor, since, overlap=OVERLAP)
        for tickets in walk(ask, begin, updated=_updated, key=_key, step=timedelta(seconds=1)):
            yield page(tickets, self._whole, _key, {"updated": _updated(tickets[-1]).isoformat()})

    def _whole(self, ticket: dict[str, Any]) -> Mapping[str, Any]:
        conversations: list[dict[str, Any]] = []
        path = f"/api/v2/tickets/{quote(_key(ticket))}/conversations"
        number, has_next, onward = 1, True, Onward(path, is_part=True)
        while has_next:
            onward.to(number)
            answer = self._site.get(path, per_page=PARTS, page=number)
            conversations += answer.objects()
            number, has_next = number + 1, answer.has_next
        return ticket | {"conversations": conversations}


def _key(ticket: dict[str, Any]) -> str:
    return str(ticket.get("id"))


def _updated(ticket: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(ticket["updated_at"])
