"""Jira: an issue as JSON; with its whole changelog, the history of the ticket as well.

What the changelog tells: status, priority, type and assignee changes with their instants and authors. The ticket is
created in the status and priority that its first changes left. Comments are responses (public, by a person of the
desk), customer's messages (by the reporter, a portal customer, or somebody of the reporter's mail domain), or messages
(internal, or by an app). Without comments a response is not known, unless the mapping declares `first_response:
first_touch`: then it is the first status change by somebody else. Of comments that are cut off (`total` larger than
what came), the first response is known where it is among them, no later one.
A changelog that is cut off (`total` larger than what came) is no history: dates tell what they can.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import polars as pl
from pydantic import BaseModel, ValidationError

from engine import lifecycle
from engine.contracts import Delivery, Event, Kind, Responses, SlaEffect, SourceVerdict, StandardTicket, Status, Verdict
from engine.plugins import cells, ticket_rows
from engine.plugins.files import one_record
from engine.plugins.mapping import ENUMS, TicketMapping
from engine.plugins.messages import Messages
from engine.plugins.ports import not_unicode
from engine.plugins.tables import Faulty
from engine.plugins.ticket_history import Message, Role, with_messages
from engine.shared.errors import BadInput
from engine.shared.policy_file import all_wrong

FOLLOWED = {"priority": Kind.PRIORITY, "issuetype": Kind.TYPE, "assignee": Kind.ASSIGNEE, "status": Kind.STATUS}
OUR_WORD = {"issuetype": "type"}


class JiraSource(Messages):
    """The issue itself, or a webhook message with it under `issue`."""

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        issue = payload.get("issue", payload)
        if not isinstance(issue, Mapping) or not isinstance(issue.get("fields"), Mapping):
            raise BadInput(
                f"{self.name}: no issue with `fields` in the message; send the issue as Jira's REST API gives it"
            )
        origin = f"{self.name} webhook"
        record = {k: v for k, v in issue.items() if k != "changelog"}
        fields = {k: v for k, v in issue["fields"].items() if k != "comment"}
        record["fields"] = fields | {"description": plain_text(fields.get("description"))}
        if reason := not_unicode(issue):
            return Delivery(rejected=(ticket_rows.refused(self.mapping, origin, Faulty(1, reason, dict(issue))),))
        delivery = one_record(record, self.mapping, origin)
        if not delivery.tickets:
            return delivery
        is_whole = _is_whole(issue.get("changelog"))
        ticket = delivery.tickets[0].model_copy(update={"source_verdict": _verdict(issue["fields"])})
        problem = _misshapen(issue, with_changelog=is_whole)
        history = problem or (_history(ticket, issue, self.mapping) if is_whole else [])
        if isinstance(history, str):
            refused = ticket_rows.refused(self.mapping, origin, Faulty(1, history, dict(issue)))
            return Delivery(rejected=(refused,))
        conversation = _conversation(ticket, issue["fields"].get("comment"), history, self.mapping)
        if not is_whole:
            return conversation
        events = sorted([*history, *conversation.events], key=lambda event: event.at)
        return Delivery(tickets=(_with_replayed_dates(conversation.tickets[0], events),), events=tuple(events))


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


def _is_whole(changelog: Any) -> bool:
    if not isinstance(changelog, Mapping) or not isinstance(changelog.get("histories"), list):
        return False
    return bool(changelog.get("total", len(changelog["histories"])) == len(changelog["histories"]))


class _Item(BaseModel):
    """The parts that are read, and their types; Jira sends more."""

    field: str
    fromString: str | None = None  # noqa: N815
    toString: str | None = None  # noqa: N815
    to: str | None = None


class _Entry(BaseModel):
    id: str | int
    created: str
    author: dict[str, Any] | None = None
    items: list[_Item]


class _Changelog(BaseModel):
    histories: list[_Entry]


class _Comment(BaseModel):
    created: str
    author: dict[str, Any] | None = None
    jsdPublic: bool = True  # noqa: N815
    visibility: dict[str, Any] | None = None


class _Comments(BaseModel):
    comments: list[_Comment] | None = None
    total: int | None = None


class _Change(NamedTuple):
    history: str
    at: Any
    author: str | None
    field: str
    before: str | None
    after: str | None


def _misshapen(issue: Mapping[str, Any], *, with_changelog: bool) -> str | None:
    try:
        if with_changelog:
            _Changelog.model_validate(issue["changelog"])
        _Comments.model_validate(issue["fields"].get("comment") or {})
    except ValidationError as error:
        return all_wrong(error)
    return None


def _history(ticket: StandardTicket, issue: Mapping[str, Any], mapping: TicketMapping) -> list[Event] | str:
    """CREATED and every change, oldest first; or which word the mapping does not know."""
    changes = _changes(issue["changelog"]["histories"], mapping)
    canonical_changes: list[_Change] = []
    for change in changes:
        if change.at is None:
            return f"changelog {change.history}: its `created` is no instant written as {' or '.join(mapping.dates)}"
        found = [_meaning(change.field, word, mapping) for word in (change.before, change.after)]
        if change.field in ENUMS and None in found:
            unknown = change.before if found[0] is None else change.after
            return f"changelog {change.history}: {change.field} {unknown!r} is not in the mapping's values"
        canonical_changes.append(change._replace(before=found[0], after=found[1]))
    created = {name: getattr(ticket, name).value for name in ENUMS}
    for change in reversed(canonical_changes):
        if change.field in created and change.before is not None:
            created[change.field] = change.before
    return [
        Event(
            ticket_id=ticket.key,
            kind=Kind.CREATED,
            at=ticket.created_at,
            actor=ticket.requester or ticket.source,
            sla_effect=SlaEffect.START,
            data=created,
            id=f"{ticket.key}/created",
        ),
        *_events(ticket, canonical_changes, Status(created["status"])),
    ]


def _changes(histories: Sequence[Mapping[str, Any]], mapping: TicketMapping) -> list[_Change]:
    found = []
    for entry in histories:
        at = _instants([entry.get("created")], mapping)[0]
        for item in entry.get("items", ()):
            if item.get("field") in FOLLOWED:
                is_person = item["field"] == "assignee"
                before, after = (
                    item.get("from" if is_person else "fromString"),
                    item.get("to" if is_person else "toString"),
                )
                field = OUR_WORD.get(item["field"], item["field"])
                found.append(_Change(str(entry.get("id")), at, _person(entry.get("author")), field, before, after))
    return sorted(found, key=lambda change: (change.at is not None, change.at or 0))


def _meaning(field: str, word: str | None, mapping: TicketMapping) -> str | None:
    if field not in ENUMS or word is None:
        return word
    table = mapping.values.get(field) or {each: each for each in ENUMS[field]}
    meaning = table.get(word.strip().lower(), table.get("*"))
    return None if meaning is None else str(meaning)


def _events(ticket: StandardTicket, changes: list[_Change], status: Status) -> Iterator[Event]:
    for change in changes:
        if change.before == change.after:
            continue  # two of Jira's words that are one of ours
        kind = Kind(change.field)
        effect = SlaEffect.REBASE if kind in (Kind.PRIORITY, Kind.TYPE) else SlaEffect.NONE
        if kind == Kind.STATUS and change.after is not None:
            effect, status = lifecycle.sla_effect(status, Status(change.after)), Status(change.after)
        yield Event(
            ticket_id=ticket.key,
            kind=kind,
            at=max(change.at, ticket.created_at),
            value=change.after,
            actor=change.author or ticket.source,
            sla_effect=effect,
            id=f"{ticket.key}/changelog/{change.history}/{change.field}",
        )


def _conversation(ticket: StandardTicket, comments: Any, history: Sequence[Event], mapping: TicketMapping) -> Delivery:
    """The ticket with what was written on it."""
    listed = comments.get("comments") if isinstance(comments, Mapping) else None
    if not isinstance(listed, list):
        touches = (event for event in history if event.kind == Kind.STATUS and event.actor != ticket.requester)
        first = next(touches, None) if mapping.first_response == "first_touch" else None
        name = f"{ticket.key}/response"
        touch = first.model_copy(update={"kind": Kind.RESPONSE, "value": None, "id": name}) if first else None
        return Delivery(tickets=(ticket,), events=(touch,) if touch else ())
    times = _instants([comment.get("created") for comment in listed], mapping)
    messages = [_message(ticket, comment, at, listed) for at, comment in zip(times, listed, strict=True) if at]
    conversation = with_messages(ticket, messages)
    if comments.get("total", len(listed)) <= len(listed):
        return conversation
    known = Responses.COLUMN if conversation.tickets[0].first_response_at else Responses.NONE
    ticket = conversation.tickets[0].model_copy(update={"responses": known})
    return conversation.model_copy(update={"tickets": (ticket,)})


def _message(ticket: StandardTicket, comment: Mapping[str, Any], at: datetime, thread: Sequence[Any]) -> Message:
    author = comment.get("author") or {}
    role: Role = "agent"
    if author.get("accountType") == "app":
        role = "automation"
    elif _person(author) == ticket.requester:
        role = "customer"
    elif author.get("accountType") == "customer" or _is_colleague(author, ticket, thread):
        role = "colleague"
    is_public = comment.get("jsdPublic", True) and not comment.get("visibility")
    return Message(str(comment.get("id", at.isoformat())), at, _person(author), role, is_public)


def _is_colleague(author: Mapping[str, Any], ticket: StandardTicket, thread: Sequence[Any]) -> bool:
    """Whether the author writes from the mail domain from which the reporter does."""
    authors = [comment.get("author") or {} for comment in thread]
    reporter = next((each for each in authors if _person(each) == ticket.requester), {})
    known = str(reporter.get("emailAddress") or ticket.requester or "")
    domain = known.rpartition("@")[2].casefold() if "@" in known else None
    return domain is not None and str(author.get("emailAddress") or "").casefold().endswith(f"@{domain}")


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


def _with_replayed_dates(ticket: StandardTicket, events: Sequence[Event]) -> StandardTicket:
    """The ticket with the instants that its history gives, so that both always agree."""
    state = lifecycle.replay(events[0].data, events)
    names = ("status", "first_response_at", "resolved_at", "closed_at")
    return ticket.model_copy(update={name: getattr(state, name) for name in names})


def _instants(words: Sequence[Any], mapping: TicketMapping) -> list[Any]:
    frame = pl.DataFrame({"raw": [None if word is None else str(word) for word in words]}, schema={"raw": pl.String})
    return frame.select(cells.instant(pl.col("raw"), mapping))["raw"].to_list() if words else []


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
