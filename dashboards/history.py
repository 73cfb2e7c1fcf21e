"""What happened to a ticket, line by line in the order of time, people and groups by their names."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Protocol

from pipelines.app.identity import LOCAL
from pipelines.figures.words import count, plain


class HistoryEvent(Protocol):
    """What a line of history needs of an event."""

    @property
    def at(self) -> datetime: ...
    @property
    def actor(self) -> str: ...

    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str | None: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def data(self) -> dict[str, Any]: ...


class Letter(Protocol):
    """What is read of something that was written on a ticket."""

    @property
    def type(self) -> str: ...
    @property
    def author_id(self) -> str: ...
    @property
    def content(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...


Names = Mapping[str, str]
"""What people and groups are called, by id."""
NO_NAMES: Names = {}

TELLING: Mapping[str, str] = {
    "created": "opened the ticket",
    "status": "set the status to {value}",
    "response": "answered",
    "customer_message": "wrote as the customer",
    "due": "agreed on an end by {value}",
    "channel": "changed the channel to {value}",
    "priority": "set the priority to {value}",
    "tier": "set the contract tier to {value}",
    "type": "set the type to {value}",
    "pause": "paused the clock",
    "resume": "let the clock run again",
    "accepted": "accepted the ticket and owns it",
    "changed": "changed the ticket",
    "outcome": "said how it ended: {value}",
    "group": "moved it to the group {value}",
    "assignee": "assigned it to {value}",
    "transferred": "transferred it to {value}",
    "released": "released the ticket",
    "message": "wrote",
    "flag": "set the flag {value}",
    "flag_cleared": "cleared the flag {value}",
    "envelope_opened": "asked an expert for help",
    "envelope_accepted": "took on the request for help",
    "envelope_completed": "finished the request for help",
    "task": "updated a task",
    "resolution": "recorded the resolution",
    "approval": "decided on the approval",
    "calibration": "reviewed the grant: {value}",
    "allocated": "allocated it to the group {value}",
    "classified": "classified it as {value}",
    "drafted": "looked for a reply",
    "reminder": "set a reminder",
    "alert": "raised a nudge",
    "acknowledged": "acknowledged an alert",
    "linked": "added to the case: {value}",
    "rule": "acted by the rule {value}",
}
WITHOUT_VALUE: Mapping[str, str] = {
    "group": "took it out of its group",
    "assignee": "assigned it to nobody",
    "allocated": "found no group for it",
    "due": "took back the agreed end",
    "classified": "took back an answer on what it is about",
}
ENDED: Mapping[tuple[str, str], str] = {
    ("drafted", "True"): "drafted a reply",
    ("drafted", "False"): "looked for an answer and found none",
    ("approval", "approved"): "approved the grant",
    ("approval", "rejected"): "refused the grant",
    ("calibration", "listed"): "listed the grant for review",
    ("calibration", "second_opinion"): "gave a second opinion on the grant",
}
"""What is said of a kind by how it ended."""
WRITING = {
    "email_inbound": "wrote",
    "email_outbound": "replied",
    "note": "noted",
    "resolution": "told the solution",
}


def named(key: str, names: Names) -> str:
    """A person or company by name; by the id if nobody told the name."""
    if key.startswith(LOCAL):
        return f"{key.removeprefix(LOCAL)} on this machine"
    return names.get(key, key)


def event_text(event: HistoryEvent, names: Names = NO_NAMES) -> str:
    """What happened, as the end of a sentence that begins with the actor."""
    text = event.data.get("text") or event.data.get("content") or event.data.get("summary")
    reason = f" ({event.reason})" if event.reason else ""
    return f"{_event_words(event, names)}{reason}" + (f":\n{text}" if text else "")


def _event_words(event: HistoryEvent, names: Names) -> str:
    if event.value is None and event.kind in WITHOUT_VALUE:
        return WITHOUT_VALUE[event.kind]
    end = str(event.data.get("grounded", event.data.get("approval", event.value)))
    words = ENDED.get((event.kind, end)) or TELLING.get(event.kind, plain(event.kind))
    return words.format(value=_value(event, names))


def _value(event: HistoryEvent, names: Names) -> str:
    if event.value is not None and event.kind in ("group", "allocated"):
        return names.get(event.value, event.value)
    if event.value is not None and event.kind in ("assignee", "transferred"):
        return named(event.value, names)
    return plain(event.value)


def nudges_text(nudges: Sequence[HistoryEvent]) -> str:
    """Nudges of one instant in one line: which conditions held, at which levels."""
    if len(nudges) == 1:
        (nudge,) = nudges
        return TELLING["alert"] + (f": {which}" if (which := _which([nudge.data])) else "")
    return f"raised {count(len(nudges), 'nudge')}: {_which([nudge.data for nudge in nudges])}"


def _which(nudges: Iterable[Mapping[str, Any]]) -> str:
    levels: dict[str, list[str]] = {}
    for nudge in nudges:
        if condition := nudge.get("condition") or nudge.get("clock"):
            levels.setdefault(plain(str(condition)), []).append(str(nudge.get("level", "?")))
    return "; ".join(
        f"{condition}, level{'s' if len(found) > 1 else ''} {', '.join(found)}" for condition, found in levels.items()
    )


def thread(
    history: Iterable[HistoryEvent], letters: Iterable[Letter], names: Names = NO_NAMES
) -> list[tuple[datetime, str]]:
    """What happened and what was written, as (when, who did what), in order of time; nudges of one instant are one."""
    letters = list(letters)
    shown_as_letter = {("message", one.created_at, one.author_id) for one in letters}
    happened = [event for event in history if (event.kind, event.at, event.actor) not in shown_as_letter]
    wrote = [
        (one.created_at, f"{named(one.author_id, names)} {WRITING.get(one.type, plain(one.type))}:\n{one.content}")
        for one in letters
    ]
    return sorted([*_lines(happened, names), *wrote], key=lambda line: line[0])


def _lines(history: Sequence[HistoryEvent], names: Names) -> Iterator[tuple[datetime, str]]:
    nudges = {event.value: event.data for event in history if event.kind == "alert"}
    for (kind, at, actor), found in groupby(history, key=lambda event: (event.kind, event.at, event.actor)):
        who, events = named(actor, names), list(found)
        if kind == "alert":
            yield at, f"{who} {nudges_text(events)}"
            continue
        for event in events:
            which = _which([nudges.get(event.value, event.data)]) if kind == "acknowledged" else ""
            yield at, f"{who} {event_text(event, names)}" + (f": {which}" if which else "")
