"""Why a clock shows what it shows: the ledger of what was counted, what was paused and when nobody was at work."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from sla.calendars import Calendar
from sla.contracts import Clock
from sla.evaluate import Phase, Window, promise_for, windows_of
from sla.promises import Policies, Promise, Terms, with_round_the_clock

Kind = Literal["counted", "paused", "out_of_hours"]


class Entry(NamedTuple):
    """An interval within one local day and one reason. `seconds` is its length; out of hours none of it is business
    time. `local_start` and `local_end` are on the calendar's wall clock."""

    kind: Kind
    start: datetime
    end: datetime
    local_start: datetime
    local_end: datetime
    seconds: int
    reason: str

    def __str__(self) -> str:
        day, hours = f"{self.local_start:%a %Y-%m-%d}", f"{self.local_start:%H:%M:%S}–{self.local_end:%H:%M:%S}"
        return f"{day}  {hours}  {self.kind:<12}  {self.seconds:>7} s  {self.reason}"


class Ledger(NamedTuple):
    """What lies behind one row of clocks. `elapsed` and `paused` are the sums of its entries, and those of the row."""

    clock: Clock
    window: int
    promise: Promise
    entries: tuple[Entry, ...]

    @property
    def elapsed(self) -> int:
        return sum(entry.seconds for entry in self.entries if entry.kind == "counted")

    @property
    def paused(self) -> int:
        return sum(entry.seconds for entry in self.entries if entry.kind == "paused")

    def lines(self) -> list[str]:
        """For people: the promise, the entries, the sums."""
        target = "no target" if self.promise.target is None else f"{self.promise.target} s on {self.promise.calendar}"
        head = f"{self.clock.value}, window {self.window}: {target}, policy {self.promise.policy or 'none'}"
        return [head, *(str(e) for e in self.entries), f"counted {self.elapsed} s, paused {self.paused} s"]


def explain(
    ticket: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
) -> list[Ledger]:
    """A ledger for every window of every clock that has a target, in the order of `evaluate`."""
    events, named = list(events), with_round_the_clock(calendars)
    ledgers = []
    for clock in policies.clocks:
        for number, window in enumerate(windows_of(clock, ticket, events, policies, as_of), start=1):
            promise = promise_for(clock, window, ticket, policies, named)
            if promise.target is not None and promise.calendar is not None:
                entries = _entries(window, promise.terms, named[promise.calendar])
                ledgers.append(Ledger(clock, number, promise, tuple(entries)))
    return ledgers


def _entries(window: Window, terms: Terms, calendar: Calendar) -> list[Entry]:
    entries: list[Entry] = []
    for phase in window.phases:
        reason = _stands_still_for(phase, terms)
        for start, end in _pieces(phase, calendar):
            closed = calendar.why_closed(start)
            kind: Kind = "out_of_hours" if closed else "paused" if reason else "counted"
            why = closed.reason if closed else reason or f"{phase.status}, at work"
            seconds = round((end - start).total_seconds())
            entry = Entry(kind, start, end, calendar.local(start), calendar.local(end), seconds, why)
            last = entries[-1] if entries else None
            joins = last and last.end == start and (last.kind, last.reason) == (kind, why)
            if last and joins and last.local_start.date() == entry.local_start.date():
                entries[-1] = last._replace(end=end, local_end=entry.local_end, seconds=last.seconds + seconds)
            else:
                entries.append(entry)
    return entries


def _stands_still_for(phase: Phase, terms: Terms) -> str | None:
    """What paused it; None while it counts."""
    if phase.idle:
        return "stopped, and reopened later"
    if phase.status in terms.pause_states:
        return phase.status
    if terms.pauses(phase.status, phase.hold):
        return f"approved pause: {phase.hold}" if phase.hold else "approved pause"
    return None


def _pieces(phase: Phase, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """The phase cut at every opening, closing and local midnight."""
    edges = {phase.start, phase.end}
    midnight = calendar.next_midnight(phase.start)
    while midnight < phase.end:
        edges.add(midnight)
        midnight = calendar.next_midnight(midnight)
    yield from pairwise(sorted(edges.union(calendar.edges(phase.start, phase.end))))
