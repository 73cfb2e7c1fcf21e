"""Zendesk: the incremental export of tickets by cursor, each ticket with its audits and the people in them.

`GET /api/v2/incremental/tickets/cursor.json?start_time=…`, then `?cursor=…` until `end_of_stream`, and
`GET /api/v2/tickets/{id}/audits.json?page[size]=100` until `meta.has_more` is false
(developer.zendesk.com/documentation/ticketing/managing-tickets/using-the-incremental-export-api,
developer.zendesk.com/api-reference/ticketing/tickets/ticket_audits). The export asks for a start at least a minute ago.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from engine.plugins.pull.pages import EPOCH, Cursor, Onward, Page, page
from engine.plugins.pull.site import Account, Answer, Site, basic, bearer

EXPORT = "/api/v2/incremental/tickets/cursor.json"
PARTS = 100


class ZendeskFeed:
    """An API token with the e-mail of its user, or an OAuth token alone."""

    source = "zendesk"

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        self._site = Site(account, authorization(account), wait_seconds=wait_seconds)
        self.stream = self._site.url

    def pages(self, cursor: Cursor | None, *, since: datetime | None, size: int) -> Iterator[Page]:
        after = cursor["after"] if cursor else None
        onward = Onward(EXPORT)
        while True:
            onward.to(after)
            place = {"cursor": after} if after else {"start_time": int((since or EPOCH).timestamp())}
            answer = self._site.get(EXPORT, **place, per_page=size, include="users")
            people = {each.get("id"): each for each in answer.value("users") or ()}
            after = answer.value("after_cursor")
            if tickets := answer.objects("tickets"):
                yield page(tickets, partial(self._whole, people=people), _key, {"after": after})
            if answer.value("end_of_stream") or not after:
                return

    def _whole(self, ticket: dict[str, Any], *, people: Mapping[Any, Any]) -> Mapping[str, Any]:
        """As `GET /api/v2/tickets/{id}` gives it, with `audits` and `users` beside `ticket`."""
        if ticket.get("status") == "deleted":  # what it was is gone with it
            return {"ticket": ticket}
        audits: list[dict[str, Any]] = []
        known = dict(people)
        after: dict[str, str] = {}
        path = f"/api/v2/tickets/{quote(_key(ticket))}/audits.json"
        onward = Onward(path, is_part=True)
        while True:
            onward.to(after.get("page[after]"))
            answer = self._site.get(path, include="users", **{"page[size]": PARTS, **after})
            audits += answer.objects("audits")
            known |= {each.get("id"): each for each in answer.value("users") or ()}
            after = _next(answer)
            if not after:
                return {"ticket": ticket, "audits": audits, "users": _named(ticket, audits, known)}


def authorization(account: Account) -> str:
    return basic(f"{account.user}/token", account.token) if account.user else bearer(account.token)


def _next(answer: Answer) -> dict[str, str]:
    meta = answer.value("meta") or {}
    return {"page[after]": meta["after_cursor"]} if meta.get("has_more") and meta.get("after_cursor") else {}


def _named(ticket: dict[str, Any], audits: list[dict[str, Any]], known: Mapping[Any, Any]) -> list[Any]:
    """The people who wrote or asked; a page of the export brings everybody's."""
    ids = {ticket.get("requester_id"), *(audit.get("author_id") for audit in audits)}
    ids |= {event.get("author_id") for audit in audits for event in audit.get("events") or ()}
    return [known[one] for one in ids if one in known]


def _key(ticket: dict[str, Any]) -> str:
    return str(ticket.get("id"))
