"""Jira: an issue as JSON; with its whole changelog, the history of the ticket as well.

What the changelog tells: status, priority, type and assignee changes with their instants and authors. The ticket is
created in the status and priority that its first changes left. Comments are responses (public, by a person of the
desk), customer's messages (by the reporter, a portal customer, or somebody of the reporter's mail domain), or messages
(internal, or by an app). Without comments a response is not known, unless the mapping declares `first_response:
first_touch`: then it is the first sign of work. Of comments that are cut off (`total` larger than what came), the first
response is known where it is among them, no later one.
A changelog that is cut off (`total` larger than what came) is no history: dates tell what they can.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pydantic import BaseModel, Field

from engine.contracts import Delivery, Responses, SourceVerdict, StandardTicket, Verdict
from engine.plugins.mapping import TicketMapping
from engine.plugins.messages import Messages
from engine.plugins.ticket_history import (
    Change,
    Message,
    Role,
    instants,
    meaning,
    with_changes,
    with_history,
    with_messages,
)  # fmt: skip
from engine.shared.errors import BadInput

FOLLOWED = {"priority": "priority", "issuetype": "type", "assignee": "assignee", "status": "status"}


class JiraSource(Messages):
    """The issue itself, or a webhook message with it under `issue`."""

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        issue = payload.get("issue", payload)
        if not isinstance(issue, Mapping) or not isinstance(issue.get("fields"), Mapping):
            raise BadInput(
                f"{self.name}: no issue with `fields` in the message; send the issue as Jira's REST API gives it"
            )
        record = {k: v for k, v in issue.items() if k != "changelog"}
        fields = {k: v for k, v in issue["fields"].items() if k != "comment"}
        record["fields"] = fields | {"description": plain_text(fields.get("description"))}
        return self.with_records(record, issue, partial(_with_records, issue=issue, mapping=self.mapping))


def plain_text(document: Any) -> str | None:
    """The text of a description: plain (API 2) or an Atlassian document (API 3), a line a paragraph."""
    if document is None or isinstance(document, str):
        return document
    return "\n".join("".join(_texts(block)) for block in _inner(document))


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        if isinstance(node.get("text"), str):
            yield node["text"]
        for inner in _inner(node):
            yield from _texts(inner)


def _inner(node: Any) -> list[Any]:
    content = node.get("content") if isinstance(node, Mapping) else None
    return content if isinstance(content, list) else []


class _Item(BaseModel):
    """The parts that are read, and their types; Jira sends more."""

    field: str
    fromString: str | None = None  # noqa: N815
    toString: str | None = None  # noqa: N815
    before: str | None = Field(default=None, alias="from")
    to: str | None = None


class _Entry(BaseModel):
    id: str | int
    created: str
    author: dict[str, Any] | None = None
    items: list[_Item]


class _Changelog(BaseModel):
    histories: list[_Entry]


class _Comment(BaseModel):
    id: str | int | None = None
    created: str
    author: dict[str, Any] | None = None
    jsdPublic: bool = True  # noqa: N815
    visibility: dict[str, Any] | None = None


class _Comments(BaseModel):
    comments: list[_Comment] | None = None
    total: int = 0


def _with_records(ticket: StandardTicket, issue: Mapping[str, Any], mapping: TicketMapping) -> Delivery:
    """The ticket with what its changelog and comments tell."""
    ticket = ticket.model_copy(update={"source_verdict": _verdict(issue["fields"])})
    thread = _Comments.model_validate(issue["fields"].get("comment") or {})
    talk = None if thread.comments is None else list(_messages(ticket, thread.comments, mapping))
    made = Delivery(tickets=(ticket,)) if talk is None else with_messages(ticket, talk)
    if _is_whole(issue.get("changelog")):
        changes = list(_changes(_Changelog.model_validate(issue["changelog"]).histories, mapping))
        made = with_changes(ticket, changes, mapping) if talk is None else with_history(ticket, changes, talk)
    if talk is None or thread.total <= len(talk):
        return made
    known = Responses.COLUMN if made.tickets[0].first_response_at else Responses.NONE
    return made.model_copy(update={"tickets": (made.tickets[0].model_copy(update={"responses": known}),)})


def _is_whole(changelog: Any) -> bool:
    if not isinstance(changelog, Mapping) or not isinstance(changelog.get("histories"), list):
        return False
    return bool(changelog.get("total", len(changelog["histories"])) == len(changelog["histories"]))


def _changes(histories: Sequence[_Entry], mapping: TicketMapping) -> Iterator[Change]:
    for entry, at in zip(histories, instants((each.created for each in histories), mapping), strict=True):
        for item in entry.items:
            if field := FOLLOWED.get(item.field):
                words = (item.before, item.to) if field == "assignee" else (item.fromString, item.toString)
                before, after = (meaning(field, word, mapping) for word in words)
                yield Change(str(entry.id), at, field, before, after, _person(entry.author), "changelog")


def _messages(ticket: StandardTicket, comments: Sequence[_Comment], mapping: TicketMapping) -> Iterator[Message]:
    domain = _domain(ticket, comments)
    for comment, at in zip(comments, instants((each.created for each in comments), mapping), strict=True):
        role, is_public = _role(comment.author or {}, ticket, domain), comment.jsdPublic and not comment.visibility
        yield Message(str(comment.id or at.isoformat()), at, _person(comment.author), role, is_public)


def _role(author: Mapping[str, Any], ticket: StandardTicket, domain: str) -> Role:
    if author.get("accountType") == "app":
        return "automation"
    if _person(author) == ticket.requester:
        return "customer"
    is_colleague = domain and str(author.get("emailAddress") or "").casefold().endswith(domain)
    return "colleague" if is_colleague or author.get("accountType") == "customer" else "agent"


def _domain(ticket: StandardTicket, comments: Sequence[_Comment]) -> str:
    """The mail domain from which the reporter writes, with its @."""
    authors = (comment.author or {} for comment in comments)
    reporter = next((each for each in authors if _person(each) == ticket.requester), {})
    _, at, domain = str(reporter.get("emailAddress") or ticket.requester or "").casefold().rpartition("@")
    return at + domain if at else ""


def _verdict(fields: Mapping[str, Any]) -> SourceVerdict | None:
    """What Jira's own SLA fields say ("Time to first response", "Time to resolution"): breached where any cycle is."""
    found: dict[str, Verdict] = {}
    for field in fields.values():
        if not isinstance(field, Mapping) or not isinstance(field.get("name"), str):
            continue
        name = field["name"].casefold()
        clock = next((clock for clock in ("first_response", "resolution") if clock.replace("_", " ") in name), None)
        cycles = [
            *(field.get("completedCycles") or []),
            *([field["ongoingCycle"]] if field.get("ongoingCycle") else []),
        ]
        known = [cycle["breached"] for cycle in cycles if isinstance(cycle, Mapping) and "breached" in cycle]
        if clock and known and (any(known) or not field.get("ongoingCycle")):
            found[clock] = Verdict.BREACHED if any(known) else Verdict.MET
    return SourceVerdict.model_validate(found) if found else None


def _person(author: Any) -> str | None:
    if not isinstance(author, Mapping):
        return None
    return next((str(author[key]) for key in ("accountId", "name", "emailAddress") if author.get(key)), None)


EXAMPLE_ISSUE = {
    "webhookEvent": "jira:issue_updated",
    "issue": {
        "id": "10002",
        "key": "SUP-42",
        "fields": {
            "summary": "Proxy is slow since the upgrade",
            "description": {
                "type": "doc",
                "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Pages take ten seconds."}]}],
            },
            "issuetype": {"name": "Incident"},
            "priority": {"name": "High"},
            "status": {"name": "Waiting for customer"},
            "labels": ["proxy", "slow"],
            "reporter": {"accountId": "acc-reporter"},
            "assignee": {"accountId": "acc-ana"},
            "created": "2026-03-02T10:00:00.000+0100",
            "updated": "2026-03-02T13:00:00.000+0100",
            "resolutiondate": None,
            "comment": {
                "comments": [
                    {"author": {"accountId": "acc-reporter"}, "created": "2026-03-02T10:10:00.000+0100"},
                    {"author": {"accountId": "acc-ana"}, "created": "2026-03-02T10:40:00.000+0100"},
                ]
            },
        },
        "changelog": {
            "total": 3,
            "histories": [
                {
                    "id": "3",
                    "author": {"accountId": "acc-ana"},
                    "created": "2026-03-02T13:00:00.000+0100",
                    "items": [{"field": "status", "fromString": "In Progress", "toString": "Waiting for customer"}],
                },
                {
                    "id": "2",
                    "author": {"accountId": "acc-ana"},
                    "created": "2026-03-02T10:30:00.000+0100",
                    "items": [
                        {"field": "assignee", "from": None, "to": "acc-ana"},
                        {"field": "status", "fromString": "Open", "toString": "In Progress"},
                    ],
                },
                {
                    "id": "1",
                    "author": {"accountId": "acc-lead"},
                    "created": "2026-03-02T10:20:00.000+0100",
                    "items": [{"field": "priority", "fromString": "Medium", "toString": "High"}],
                },
            ],
        },
    },
}
