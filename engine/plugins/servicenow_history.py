"""ServiceNow's field history and journal of an incident, as its Table API gives the rows of `sys_audit` and
`sys_journal_field`.

A comment is seen by the caller, a work note is not. A comment by the caller is the customer's, by a member of a group
the desk's, by `system` an automation's, by anybody else a colleague's of the caller. Values are raw.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Any

from engine.contracts import Delivery, StandardTicket
from engine.plugins.mapping import TicketMapping
from engine.plugins.ticket_history import Change, Message, Role, instants, meaning, with_history

PARTS = ("sys_audit", "sys_journal_field", "sys_user", "sys_user_grmember")
"""Tables whose rows come beside the incident's own columns."""
FIELDS = {"priority": "priority", "assignment_group": "group", "assigned_to": "assignee"}
ON_HOLD = "3"

Row = Mapping[str, Any]


def history(ticket: StandardTicket, incident: Row, mapping: TicketMapping) -> Delivery:
    """The ticket with what the rows tell, where they came with it. Raises Unreadable."""
    if not isinstance(incident.get("sys_audit"), list):
        return Delivery(tickets=(ticket,))
    audits = _dated(incident["sys_audit"], mapping)
    changes = [*_states(audits, incident, mapping), *_changes(audits, mapping)]
    return with_history(ticket, changes, _messages(incident, mapping))


def state_word(state: Any, reason: Any) -> str:
    """An incident on hold says why it is: `3/1` waits for its caller."""
    return f"{state}/{reason}" if str(state) == ON_HOLD and reason not in (None, "") else str(state)


def _dated(rows: list[Row], mapping: TicketMapping) -> list[tuple[datetime, Row]]:
    dated = zip(instants((row["sys_created_on"] for row in rows), mapping), rows, strict=True)
    return sorted(dated, key=lambda pair: pair[0])


def _states(audits: list[tuple[datetime, Row]], incident: Row, mapping: TicketMapping) -> Iterator[Change]:
    """State and hold reason change in one update and are one word."""
    rows = [(at, row) for at, row in audits if row["fieldname"] in ("state", "hold_reason")]
    now = {name: incident.get(name) for name in ("state", "hold_reason")}
    for _, row in reversed(rows):
        now[row["fieldname"]] = row["oldvalue"]
    for at, update in groupby(rows, key=lambda pair: pair[0]):
        before, listed = dict(now), [row for _, row in update]
        for row in listed:
            now[row["fieldname"]] = row["newvalue"]
        words = [meaning("status", state_word(**_named(one)), mapping) for one in (before, now)]
        yield Change(str(listed[0]["sys_id"]), at, "status", words[0], words[1], listed[0].get("user"))


def _named(now: Row) -> dict[str, Any]:
    return {"state": now["state"], "reason": now["hold_reason"]}


def _changes(audits: list[tuple[datetime, Row]], mapping: TicketMapping) -> Iterator[Change]:
    for at, row in audits:
        if field := FIELDS.get(row["fieldname"]):
            before, after = (meaning(field, row[name], mapping) for name in ("oldvalue", "newvalue"))
            yield Change(str(row["sys_id"]), at, field, before, after, row.get("user"))


def _messages(incident: Row, mapping: TicketMapping) -> list[Message]:
    names = {row["user_name"]: row["sys_id"] for row in incident.get("sys_user") or ()}
    members = {row["user.user_name"] for row in incident.get("sys_user_grmember") or ()}

    def role(author: str) -> Role:
        if names.get(author) == incident.get("caller_id"):
            return "customer"
        if author in members:
            return "agent"
        return "automation" if author == "system" else "colleague"

    return [
        Message(
            str(row["sys_id"]), at, row["sys_created_by"], role(row["sys_created_by"]), row["element"] == "comments"
        )
        for at, row in _dated(incident["sys_journal_field"], mapping)
    ]
