"""What a feed promises: tickets in the order in which they changed, a page at a time, and where to go on after it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from engine.plugins.ports import Refused, TryLater

EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
"""From when tickets are fetched if nobody says."""

MOST_PARTS: Final = 1_000
"""Answers that what belongs to a ticket, or to the tickets of a page, may take."""

Cursor = Mapping[str, Any]


class Record(NamedTuple):
    """A ticket under its source's own key, as the source plugin's `parse` takes it."""

    key: str
    payload: Mapping[str, Any]


class Refusal(NamedTuple):
    """A ticket whose parts the server does not hand out, such as one that was deleted a moment ago."""

    key: str
    reason: str


class Page(NamedTuple):
    records: list[Record]
    refusals: list[Refusal]
    cursor: Cursor
    """Given to `pages` once the records are kept, it goes on after them."""


class Feed(Protocol):
    source: str
    stream: str
    """What the cursor belongs to: another address or choice of tickets has a cursor of its own."""

    def pages(self, cursor: Cursor | None, *, since: datetime | None, size: int) -> Iterator[Page]:
        """Every ticket that changed since the cursor, or else since an instant, perhaps some of them again.

        Raises TryLater, or Refused for what the server will never answer.
        """
        ...


class Onward:
    """Where a feed has gone on from. Raises TryLater for a server that leads round in circles, or on without end."""

    def __init__(self, about: str, *, is_part: bool = False) -> None:
        self._about, self._is_part, self._places = about, is_part, set[object]()

    def to(self, place: object) -> None:
        if place in self._places:
            raise TryLater(f"{self._about}: the server leads back to {place}, where it was before")
        if self._is_part and len(self._places) == MOST_PARTS:
            raise TryLater(f"{self._about}: there is no end after {MOST_PARTS:,} answers; nothing of it is used")
        self._places.add(place)


Item = TypeVar("Item")


def start(cursor: Cursor | None, since: datetime | None, *, overlap: timedelta) -> datetime:
    """Where a walk by `updated` begins: a server may show a change later than one that was made after it."""
    return datetime.fromisoformat(cursor["updated"]) - overlap if cursor else (since or EPOCH)


def page(
    items: Sequence[Item], whole: Callable[[Item], Mapping[str, Any]], key: Callable[[Item], str], cursor: Cursor
) -> Page:
    """Each ticket with what `whole` fetches for it."""
    records, refusals = [], []
    for item in items:
        try:
            records.append(Record(key(item), whole(item)))
        except Refused as error:
            refusals.append(Refusal(key(item), str(error)))
    return Page(records, refusals, cursor)


def walk(
    ask: Callable[[datetime, int], tuple[Sequence[Item], bool]],
    begin: datetime,
    *,
    updated: Callable[[Item], datetime],
    key: Callable[[Item], str],
    step: timedelta,
    anchored: bool = False,
) -> Iterator[list[Item]]:
    """Pages in the order of change, by the instant of the last item and, among those of one `step`, by their number.

    `ask(instant, number)` gives items changed from that instant on, without the first `number` of them, and whether
    there are more. Going on by instants, a ticket that changes meanwhile moves no other out of sight. Within one step
    numbers alone go on; `anchored` looks whether the last item of the page before is still where it was.
    """
    instant, number, anchor, seen = begin, 0, "", set[tuple[str, datetime]]()
    idle = 0
    while True:
        back = 1 if anchor else 0
        found, has_more = ask(instant, number - back)
        if back and (not found or key(found[0]) != anchor):
            number, anchor = 0, ""
            continue
        items = found[back:]
        if fresh := [item for item in items if (key(item), updated(item)) not in seen]:
            yield fresh
        idle = 0 if fresh else idle + 1
        if idle > MOST_PARTS:
            raise TryLater(f"there is nothing new in {MOST_PARTS:,} pages, and the server has more of them")
        if not has_more or not items:
            return
        marks, last = {(key(item), updated(item)) for item in items}, _step_of(updated(items[-1]), step)
        if last > instant:
            instant, number, anchor, seen = last, 0, "", marks
        else:
            number, seen = number + len(items), seen | marks
            anchor = key(items[-1]) if anchored else ""


def _step_of(instant: datetime, step: timedelta) -> datetime:
    """The beginning of the minute or second that an instant lies in."""
    return instant - (instant - EPOCH) % step
