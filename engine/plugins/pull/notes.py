"""Suggested replies go back to the system of their ticket as internal notes, never in public, and once each.

A note names its key in its last line; one that is there already is not written again, however its first delivery ended.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from engine.plugins.ports import NOTES, Refused, TryLater
from engine.plugins.pull import jira, zendesk
from engine.plugins.pull.site import Account, Site, authorization

PARTS = 100
"""The newest notes of a ticket that are looked through for the key."""
NONE = timedelta(0)


class Notes(ABC):
    """Where the notes of one source go; `name` is their destination in the outbox."""

    def __init__(self, name: str, site: Site) -> None:
        self.name, self.site = name, site

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        """Write the draft in `text` to the ticket `ticket`. Raises TryLater and Refused."""
        ticket = self.place(str(payload["ticket"]))
        if not self.has(ticket, key):
            self.write(ticket, f"Suggested reply, drafted by helmdesk and not sent:\n\n{payload['text']}\n\n[{key}]")
        return f"{self.name} {key}"

    def place(self, ticket: str) -> str:
        """How the API calls the ticket."""
        return quote(ticket, safe="")

    def has(self, ticket: str, key: str) -> bool:
        """Whether one of its newest notes ends with the key."""
        return any(f"[{key}]" in json.dumps(note, ensure_ascii=False) for note in self.newest(ticket))

    @abstractmethod
    def newest(self, ticket: str) -> list[dict[str, Any]]: ...

    @abstractmethod
    def write(self, ticket: str, text: str) -> None: ...


class ZendeskNotes(Notes):
    """`PUT /api/v2/tickets/{id}` with a comment that is not public (developer.zendesk.com, Tickets, Update Ticket)."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.source + NOTES, Site(account, zendesk.authorization(account), patience=NONE))

    def newest(self, ticket: str) -> list[dict[str, Any]]:
        parameters = {"sort": "-created_at", "page[size]": PARTS}
        return self.site.get(f"/api/v2/tickets/{ticket}/comments.json", **parameters).objects("comments")

    def write(self, ticket: str, text: str) -> None:
        content = {"ticket": {"comment": {"body": text, "public": False}}}
        self.site.send("PUT", f"/api/v2/tickets/{ticket}.json", content)


class JiraNotes(Notes):
    """`POST /issue/{key}/comment` with the property that makes it internal in a service project
    (developer.atlassian.com, Add comment; property `sd.public.comment`)."""

    def __init__(self, account: Account) -> None:
        super().__init__(account.source + NOTES, Site(account, authorization(account), patience=NONE))

    @cached_property
    def _is_cloud(self) -> bool:
        return jira.is_on_cloud(self.site)

    @property
    def api(self) -> str:
        return f"/rest/api/{3 if self._is_cloud else 2}"

    def issue(self, ticket: str) -> str:
        return f"{self.api}/issue/{ticket}"

    def count(self, jql: str) -> int:
        """How many issues there are, on Cloud about how many. Raises TryLater for an answer without a number."""
        if self._is_cloud:
            found = self.site.send("POST", f"{self.api}/search/approximate-count", {"jql": jql})
            number = found.get("count") if isinstance(found, dict) else None
        else:
            number = self.site.get(f"{self.api}/search", jql=jql, maxResults=0).value("total")
        if not isinstance(number, int):
            raise TryLater(f"{self.site.url} answers a count of issues with no number; is it the right address?")
        return number

    def newest(self, ticket: str) -> list[dict[str, Any]]:
        return self.site.get(f"{self.issue(ticket)}/comment", orderBy="-created", maxResults=PARTS).objects("comments")

    def write(self, ticket: str, text: str) -> None:
        internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
        body = _document(text) if self._is_cloud else _verbatim(text)
        self.site.send("POST", f"{self.issue(ticket)}/comment", {"body": body, "properties": internal})


class ServiceNowNotes(Notes):
    """`PATCH /api/now/table/{table}/{sys_id}` with `work_notes`, which the caller does not see; a ticket is called by
    its number or its sys_id."""

    def __init__(self, account: Account, *, table: str = "incident") -> None:
        super().__init__(account.source + NOTES, Site(account, authorization(account), patience=NONE))
        self._table = table

    def place(self, ticket: str) -> str:
        if is_sys_id(ticket):
            return ticket
        parameters = {"sysparm_query": f"number={ticket}", "sysparm_fields": "sys_id,number", "sysparm_limit": 2}
        found = [row for row in self._rows(self._table, parameters) if row.get("number") == ticket]
        if len(found) != 1:
            raise Refused(
                f"{self.site.url} has {len(found)} rows of {self._table} with the number {ticket}; it takes one"
            )
        return str(found[0]["sys_id"])

    def newest(self, ticket: str) -> list[dict[str, Any]]:
        query = f"name={self._table}^element=work_notes^element_id={ticket}^ORDERBYDESCsys_created_on"
        return self._rows("sys_journal_field", {"sysparm_query": query, "sysparm_limit": PARTS})

    def write(self, ticket: str, text: str) -> None:
        plain = text.replace("[code]", "[ code]").replace("[CODE]", "[ CODE]")  # which would make it HTML
        self.site.send("PATCH", f"/api/now/table/{self._table}/{ticket}", {"work_notes": plain})

    def _rows(self, table: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return self.site.get(f"/api/now/table/{table}", **parameters).objects("result")


def is_sys_id(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{32}", text) is not None


def _document(text: str) -> dict[str, Any]:
    """An Atlassian document, a paragraph a line."""
    lines = [{"type": "text", "text": line} if line else None for line in text.split("\n")]
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": [line] if line else []} for line in lines],
    }


def _verbatim(text: str) -> str:
    """Wiki text that mentions and formats nothing."""
    return f"{{noformat}}{text.replace('{noformat}', '{ noformat}')}{{noformat}}"
