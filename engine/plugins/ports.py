"""What a source of tickets and a handler of decisions promise; the desk knows no system behind them (seed S3-04)."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import zip_longest
from math import isfinite
from pathlib import Path
from typing import Any, Protocol, TypeVar

from more_itertools import chunked

from engine.contracts import AllocationDecision, Delivery, Rejected, StandardTicket
from engine.shared.errors import NotAllowed, Unavailable

DEEPEST = 50
"""Levels of nesting in a refused row that are kept."""

CHUNK = 2_000
"""The most tickets, and the most rejected rows, that one delivery carries."""

NOTES = "-notes"
"""How the name of each destination of notes ends."""

LATER = ("updated_at", "first_response_at", "resolved_at", "closed_at")
"""Instants of a ticket that come after its creation."""

Item = TypeVar("Item")


class SourcePlugin(Protocol):
    """Where tickets come from."""

    name: str

    def read(self, path: Path) -> Iterator[Delivery]:
        """Everything in a file or folder, in deliveries of at most CHUNK tickets.

        A row that can't become a ticket is in `rejected` with its number and reason. Raises BadInput, before the
        first delivery, for a file that can't be read or does not fit. Reading again gives equal deliveries.
        """
        ...

    def parse(self, payload: Mapping[str, Any]) -> Delivery:
        """One message of the source's webhook. Raises BadInput if it is not such a message at all."""
        ...


class Refused(NotAllowed):
    """The handler's system will not take this; sending it again is of no use."""


class TryLater(Unavailable):
    """The handler's system can't take it now; `after` is how long it asks to be left alone, if it says so."""

    def __init__(self, why: str, *, after: timedelta | None = None) -> None:
        super().__init__(why)
        self.after = after


class LockedOut(TryLater):
    """It does not know these credentials, or a token is no longer good."""


class HandlerPlugin(Protocol):
    """Where decisions go to."""

    name: str

    def groups(self) -> list[dict[str, Any]]:
        """The groups that the system has now, as a people file lists them: what it does not say of one stays as it is
        here. `current_load` is all that it has open there. Raises Unavailable, and NotAllowed or BadInput
        where it brings none."""
        ...

    def payload(self, decision: AllocationDecision) -> dict[str, Any]:
        """What the system is sent. Raises NotAllowed for a decision without a group."""
        ...

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        """Hand a payload over; returns a receipt. The same key twice is one delivery. Raises Unavailable (TryLater with
        the time it asks for) and Refused."""
        ...


class Notifier(Protocol):
    """A channel that notices to people go by."""

    def send(self, payload: Mapping[str, Any], *, key: str) -> str:
        """Hand a notice over; returns a receipt once the other side took it. The same key twice is the same notice.
        Raises Unavailable (TryLater with the time it asks for) and Refused."""
        ...


def out_of_order(ticket: StandardTicket) -> str | None:
    """Which instant lies before the creation, in words (seed S5-11)."""
    for name in LATER:
        instant = getattr(ticket, name)
        if instant is not None and instant < ticket.created_at:
            return f"{name} {instant:%Y-%m-%d %H:%M:%S} is before created_at {ticket.created_at:%Y-%m-%d %H:%M:%S}"
    return None


def storable(content: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it can be stored anywhere: NUL shown as ␀, lone surrogates as ?, what is nested too deep left out."""
    return {_storable(str(key)): _plain(value, DEEPEST) for key, value in content.items()}


def not_unicode(value: Any) -> str | None:
    """Why a JSON value can't be stored anywhere as text, if so: Python reads half a surrogate pair, UTF-8 has none."""
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return "a text is not Unicode (half a surrogate pair)"
    except RecursionError:
        return "it is nested too deep"
    return None


def chunks(
    tickets: Iterable[Item], rejected: Iterable[Rejected], *, size: int = CHUNK
) -> Iterator[tuple[list[Item], tuple[Rejected, ...]]]:
    """Both in portions of at most `size`, side by side."""
    for part, refused in zip_longest(chunked(tickets, size), chunked(rejected, size), fillvalue=()):
        yield list(part), tuple(refused)


def _plain(value: Any, depth: int) -> Any:
    match value:
        case str():
            return _storable(value)
        case bool() | int() | float() | None:
            return value if value is None or isfinite(value) else str(value)
        case dict() | list() | tuple() if depth == 0:
            return "(nested too deep to keep)"
        case dict():
            return {_storable(str(key)): _plain(inner, depth - 1) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, depth - 1) for inner in value]
        case _:
            return _storable(str(value))


def _storable(text: str) -> str:
    return text.replace("\x00", "␀").encode("utf-8", "replace").decode("utf-8")
