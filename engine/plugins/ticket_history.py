"""What a system's own records of changes and messages tell of a ticket, as the desk's events."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

import polars as pl

from engine import lifecycle
from engine.contracts import Delivery, Event, Kind, Responses, SlaEffect, StandardTicket, Status
from engine.plugins import cells
from engine.plugins.mapping import ENUMS, TicketMapping

SETS = {kind.value: kind for kind in (Kind.STATUS, Kind.PRIORITY, Kind.TYPE, Kind.TIER, Kind.GROUP, Kind.ASSIGNEE)}
REBASES = {Kind.PRIORITY, Kind.TYPE, Kind.TIER, Kind.GROUP}

Role = Literal["customer", "colleague", "agent", "automation"]
"""Who wrote: the requester, somebody else of the requester's side, a person of the desk, or a machine."""


class Change(NamedTuple):
    """A field of SETS in our words; `id` is the source's own."""

    id: str
    at: datetime
    field: str
    before: str | None
    after: str | None
    by: str | None
    record: str = "change"
    """What the source calls the record with that id."""


class Message(NamedTuple):
    id: str
    at: datetime
    by: str | None
    role: Role
    is_public: bool


class Unreadable(Exception):
    """A word or an instant of a history that the mapping does not know."""


def meaning(field: str, word: Any, mapping: TicketMapping) -> str | None:
    """Our word for a source's, for none that of a ticket without one. Raises Unreadable for one that the mapping does
    not list."""
    text = None if word in (None, "") else str(word)
    if field not in ENUMS:
        return text
    if text is None:
        return str(StandardTicket.model_fields[field].default)
    table = mapping.values.get(field) or {each: each for each in ENUMS[field]}
    if (found := table.get(text.strip().lower(), table.get("*"))) is None:
        raise Unreadable(f"history: {field} {text!r} is not in the mapping's values")
    return str(found)


def instants(words: Iterable[Any], mapping: TicketMapping) -> Iterator[datetime]:
    """Raises Unreadable for a word that is no instant."""
    texts = [str(word) for word in words]
    frame = pl.DataFrame({"raw": texts}, schema={"raw": pl.String}).select(cells.instant(pl.col("raw"), mapping))
    for text, instant in zip(texts, frame["raw"] if texts else (), strict=True):
        if instant is None:
            raise Unreadable(f"history: {text!r} is no instant written as {' or '.join(mapping.dates)}")
        yield instant


def with_history(ticket: StandardTicket, changes: Sequence[Change], messages: Sequence[Message]) -> Delivery:
    """The ticket with its history. Changes that do not end in the ticket's own status, or tell of no end where its
    dates do, are no whole history: then the dates tell what they can, and messages are all that is added."""
    by_dates = with_messages(ticket, messages)
    ticket, talk = by_dates.tickets[0], by_dates.events
    history = list(_of_changes(ticket, sorted(changes, key=lambda change: change.at)))
    state = lifecycle.replay({name: history[0].data[name] for name in ENUMS}, history)
    has_end = any(change.field == "status" for change in changes) or not (ticket.resolved_at or ticket.closed_at)
    if state.status != ticket.status or not has_end:
        return by_dates
    dates = {name: getattr(state, name) for name in ("resolved_at", "closed_at")}
    events = sorted([*history, *talk], key=lambda event: event.at)
    return Delivery(tickets=(ticket.model_copy(update=dates),), events=tuple(events))


def with_changes(ticket: StandardTicket, changes: Sequence[Change], mapping: TicketMapping) -> Delivery:
    """The ticket with its history where messages are not known; a sign of work is an answer if the mapping says so."""
    made = with_history(ticket, changes, ())
    whole = made.tickets[0].model_copy(update={"responses": ticket.responses})
    sign = first_sign_of_work(ticket, changes) if mapping.first_response == "first_touch" else None
    if sign is None or not made.events:
        return made.model_copy(update={"tickets": (whole,)})
    name = f"{ticket.key}/response/{sign.at.isoformat()}"
    answer = Event(ticket_id=ticket.key, kind=Kind.RESPONSE, at=sign.at, actor=sign.by or ticket.source, id=name)
    events = sorted([*made.events, answer], key=lambda event: event.at)
    return Delivery(tickets=(whole.model_copy(update={"first_response_at": sign.at}),), events=tuple(events))


def first_sign_of_work(ticket: StandardTicket, whole: Iterable[Change]) -> Change | None:
    """The first change, by somebody else than the requester, to a status that is not new, or to another assignee after
    the creation."""
    moved = (change for change in whole if change.before != change.after and (change.by or "") != ticket.requester)
    return next(
        (
            change
            for change in moved
            if (change.field == "status" and change.after != Status.NEW)
            or (change.field == "assignee" and change.after and change.at > ticket.created_at)
        ),
        None,
    )


def with_messages(ticket: StandardTicket, messages: Iterable[Message]) -> Delivery:
    """The ticket with all that was written to and fro; without an answer in it, the source's own date of one stays."""
    talk = sorted((_of_message(ticket, message) for message in messages), key=lambda event: event.at)
    answers = [event.at for event in talk if event.kind == Kind.RESPONSE]
    first = min(answers, default=ticket.first_response_at)
    answered = ticket.model_copy(update={"responses": Responses.REPLIES, "first_response_at": first})
    return Delivery(tickets=(answered,), events=tuple(talk))


def _of_message(ticket: StandardTicket, message: Message) -> Event:
    kind = Kind.MESSAGE
    if message.is_public and message.role != "automation":
        kind = Kind.RESPONSE if message.role == "agent" else Kind.CUSTOMER_MESSAGE
    return Event(
        ticket_id=ticket.key,
        kind=kind,
        at=max(message.at, ticket.created_at),
        actor=message.by or ticket.source,
        data={"author_role": message.role, "visibility": "public" if message.is_public else "internal"},
        id=f"{ticket.key}/message/{message.id}",
    )


def _of_changes(ticket: StandardTicket, changes: Sequence[Change]) -> Iterator[Event]:
    """The creation in the values that the first changes left, and every change; a ticket that was closed from the
    start was new at that instant."""
    created = {name: getattr(ticket, name) for name in SETS}
    for change in reversed(changes):
        created[change.field] = change.before
    status, born = Status.NEW, Status(created["status"])
    if born not in lifecycle.DONE:
        status = born
    yield Event(
        ticket_id=ticket.key,
        kind=Kind.CREATED,
        at=ticket.created_at,
        actor=ticket.requester or ticket.source,
        sla_effect=SlaEffect.START,
        data={name: str(value) for name, value in created.items() if value} | {"status": status.value},
        id=f"{ticket.key}/created",
    )
    if born != status:
        changes = [Change("at creation", ticket.created_at, "status", status, born, None), *changes]
    for change in changes:
        if change.before == change.after:
            continue  # two of the source's words that are one of ours
        kind, effect = SETS[change.field], SlaEffect.NONE
        if kind == Kind.STATUS:
            effect, status = lifecycle.sla_effect(status, Status(str(change.after))), Status(str(change.after))
        elif kind in REBASES and status not in lifecycle.DONE:
            effect = SlaEffect.REBASE
        yield Event(
            ticket_id=ticket.key,
            kind=kind,
            at=max(change.at, ticket.created_at),
            value=change.after,
            actor=change.by or ticket.source,
            sla_effect=effect,
            id=f"{ticket.key}/{change.record}/{change.id}/{change.field}",
        )
