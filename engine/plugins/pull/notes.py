"""Suggested replies go back to the system of their ticket as internal notes, never in public, and once each.

A note names its key in its last line; one that is there already is not written again, however its first delivery ended.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from engine.plugins.ports import NOTES, Refused
from engine.plugins.pull import jira, servicenow, zendesk
from engine.plugins.pull.site import Account, Site

PARTS = 100
"""The newest notes of a ticket that are looked through for the key."""


class Notes(ABC):
    """Where the notes of one source go; `name` is their destination in the outbox."""

    def __init__(self, account: Account, authorization: str, *, wait_seconds: float = 0.5) -> None:
        self.name = account.source + NOTES
        self._site = Site(account, authorization, wait_seconds=wait_seconds, patience=timedelta(0))

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        """Write the draft in `text` to the ticket `ticket`. Raises TryLater and Refused."""
        ticket = self._place(str(payload["ticket"]))
        if not any(key in json.dumps(note, ensure_ascii=False) for note in self._newest(ticket)):
            self._write(ticket, f"Suggested reply, drafted by helmdesk and not sent:\n\n{payload['text']}\n\n[{key}]")
        return f"{self.name} {key}"

    def _place(self, ticket: str) -> str:
        """How the API calls the ticket."""
        return quote(ticket, safe="")

    @abstractmethod
    def _newest(self, ticket: str) -> list[dict[str, Any]]: ...

    @abstractmethod
    def _write(self, ticket: str, text: str) -> None: ...


class ZendeskNotes(Notes):
    """`PUT /api/v2/tickets/{id}` with a comment that is not public (developer.zendesk.com, Tickets, Update Ticket)."""

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        super().__init__(account, zendesk.authorization(account), wait_seconds=wait_seconds)

    def _newest(self, ticket: str) -> list[dict[str, Any]]:
        parameters = {"sort": "-created_at", "page[size]": PARTS}
        return self._site.get(f"/api/v2/tickets/{ticket}/comments.json", **parameters).objects("comments")

    def _write(self, ticket: str, text: str) -> None:
        content = {"ticket": {"comment": {"body": text, "public": False}}}
        self._site.send("PUT", f"/api/v2/tickets/{ticket}.json", content)


class JiraNotes(Notes):
    """`POST /issue/{key}/comment` with the property that makes it internal in a service project
    (developer.atlassian.com, Add comment; property `sd.public.comment`)."""

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        super().__init__(account, jira.authorization(account), wait_seconds=wait_seconds)

    @cached_property
    def _is_cloud(self) -> bool:
        return jira.is_on_cloud(self._site)

    def _comments(self, ticket: str) -> str:
        return f"/rest/api/{3 if self._is_cloud else 2}/issue/{ticket}/comment"

    def _newest(self, ticket: str) -> list[dict[str, Any]]:
        return self._site.get(self._comments(ticket), orderBy="-created", maxResults=PARTS).objects("comments")

    def _write(self, ticket: str, text: str) -> None:
        internal = [{"key": "sd.public.comment", "value": {"internal": True}}]
        body = _document(text) if self._is_cloud else _verbatim(text)
        self._site.send("POST", self._comments(ticket), {"body": body, "properties": internal})


class ServiceNowNotes(Notes):
    """`PATCH /api/now/table/incident/{sys_id}` with `work_notes`, which the caller does not see."""

    def __init__(self, account: Account, *, wait_seconds: float = 0.5) -> None:
        super().__init__(account, servicenow.authorization(account), wait_seconds=wait_seconds)

    def _place(self, ticket: str) -> str:
        parameters = {"sysparm_query": f"number={ticket}", "sysparm_fields": "sys_id,number", "sysparm_limit": 2}
        found = [row for row in self._rows("incident", parameters) if row.get("number") == ticket]
        if len(found) != 1:
            raise Refused(f"{self._site.url} has {len(found)} incidents with the number {ticket}; it takes one")
        return str(found[0]["sys_id"])

    def _newest(self, ticket: str) -> list[dict[str, Any]]:
        query = f"name=incident^element=work_notes^element_id={ticket}^ORDERBYDESCsys_created_on"
        return self._rows("sys_journal_field", {"sysparm_query": query, "sysparm_limit": PARTS})

    def _write(self, ticket: str, text: str) -> None:
        plain = text.replace("[code]", "[ code]").replace("[CODE]", "[ CODE]")  # which would make it HTML
        self._site.send("PATCH", f"/api/now/table/incident/{ticket}", {"work_notes": plain})

    def _rows(self, table: str, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        return self._site.get(f"/api/now/table/{table}", **parameters).objects("result")


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
