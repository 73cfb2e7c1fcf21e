"""Why a clock shows what it shows: the ledger of what was counted, what was paused and when nobody was at work."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from itertools import groupby, pairwise
from typing import Any, Literal, NamedTuple

from sla.calendar.calendars import Calendar
from sla.clocks.clock_windows import Phase, Window
from sla.clocks.evaluate import Row, evaluate, promise_for, unknown_since, windows_of
from sla.contracts import UNKNOWN, Clock
from sla.policy.model import Policies, Promise, Terms, with_round_the_clock

Kind = Literal["counted", "paused", "stopped", "out_of_hours"]
MIDNIGHT = time(0)


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


class Line(NamedTuple):
    """Entries of one kind and reason on `days` days alike, on the same hours of the wall clock; `seconds` is their
    sum. Out of hours it is all that lies between, with every reason."""

    kind: Kind
    start: datetime
    end: datetime
    days: int
    seconds: int
    reason: str

    @property
    def hours(self) -> str:
        """On the wall clock, each day; empty out of hours."""
        ends = (
            "24:00:00"
            if self.end.date() > self.start.date() and self.end.time() == MIDNIGHT
            else f"{self.end:%H:%M:%S}"
        )
        return "" if self.kind == "out_of_hours" else f"{self.start:%H:%M:%S}–{ends}"

    @property
    def length(self) -> str:
        return hms(self.seconds)

    @property
    def when(self) -> str:
        first, last = f"{self.start:%a %Y-%m-%d}", f"{self.end - timedelta(seconds=1):%a %Y-%m-%d}"
        return first if self.days == 1 or first == last else f"{first} – {last}"

    def __str__(self) -> str:
        days = f"{self.days} days, " if self.days > 1 and self.kind != "out_of_hours" else ""
        length = f"{self.seconds:>9} s = {self.length:>9}"
        return f"{self.when:<31}  {self.hours:<17}  {self.kind.replace('_', ' '):<12}  {length}  {days}{self.reason}"


class Ledger(NamedTuple):
    """What lies behind one row of clocks. `elapsed` and `paused` are the sums of its entries, and those of the row.
    What is not measured has no entries and no sums: `not_measured` says why, and is empty for all others."""

    clock: Clock
    window: int
    promise: Promise
    entries: tuple[Entry, ...]
    row: Row
    not_measured: str = ""

    @property
    def elapsed(self) -> int | None:
        return self._sum("counted")

    @property
    def paused(self) -> int | None:
        return self._sum("paused")

    @property
    def out_of_hours(self) -> int | None:
        return self._sum("out_of_hours")

    @property
    def used_up_at(self) -> datetime | None:
        """The instant at which the counted entries reach the target; None as long as they don't."""
        left = self.promise.target or 0
        if left == 0 and not self.not_measured:
            return self.row["window_start"]  # type: ignore[no-any-return]
        for entry in self.entries:
            if entry.kind == "counted":
                if entry.seconds >= left:
                    return entry.start + timedelta(seconds=left)
                left -= entry.seconds
        return None

    @property
    def zone(self) -> str:
        """The time zone of its wall clock."""
        return str(self.entries[0].local_start.tzinfo) if self.entries else "UTC"

    def sums(self) -> dict[str, int | None]:
        """What the entries add up to, in seconds; `remaining` is target - counted."""
        sums = {"counted": self.elapsed, "paused": self.paused, "out of hours": self.out_of_hours}
        return {"target": self.promise.target, **sums, "remaining": self.row["remaining"]}

    def in_words(self) -> dict[str, str]:
        """The same in hours, minutes and seconds."""
        return {name: "–" if seconds is None else hms(seconds) for name, seconds in self.sums().items()}

    def by_days(self) -> list[Line]:
        """The entries for a reader: days that went alike are one; the sums stay what they are."""
        return [line for days in _alike(self.entries) for line in _lines_of(days)]

    def lines(self, *, every_entry: bool = False) -> list[str]:
        """For people: the promise, the entries (days that went alike as one), the sums, and what follows."""
        lines = [str(entry) for entry in self.entries] if every_entry else [str(line) for line in self.by_days()]
        head = f"{self.clock.value}, window {self.window}: {self.row['state']}"
        agreed = (
            f", end agreed for this ticket {_moment(self.promise.agreed_due_at)}" if self.promise.agreed_due_at else ""
        )
        promise = f"calendar {self.promise.calendar} ({self.zone}), policy {self.promise.policy or 'none'}{agreed}"
        if self.not_measured:
            return [head, f"  {promise}", f"  {self.not_measured}"]
        sums = [f"{name:<12}  {seconds:>9} s = {hms(seconds or 0):>9}" for name, seconds in self.sums().items()]
        due = [f"used up at  {_moment(self.used_up_at)}", f"due at      {_moment(self.row['due_at'])}"]
        return [head, *(f"  {line}" for line in [promise, *lines, *sums, *due])]

    def _sum(self, kind: Kind) -> int | None:
        return None if self.not_measured else sum(entry.seconds for entry in self.entries if entry.kind == kind)

    def as_data(self) -> dict[str, Any]:
        """Everything, as JSON takes it: the row, the sums, every entry; instants in ISO 8601."""
        entries = [{name: _plain(value) for name, value in entry._asdict().items()} for entry in self.entries]
        row = {name: _plain(value) for name, value in self.row.items()}
        sums = {"out_of_hours": self.out_of_hours, "used_up_at": _plain(self.used_up_at)}
        return {**row, **sums, "not_measured": self.not_measured, "entries": entries}


def _moment(at: datetime | None) -> str:
    return "–" if at is None else f"{at:%a %Y-%m-%d %H:%M:%S} UTC"


def hms(seconds: int) -> str:
    """Hours, minutes and seconds: 26:03:09; a sign where it is less than nothing."""
    minutes, rest = divmod(abs(seconds), 60)
    return f"{'-' if seconds < 0 else ''}{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


def explain(
    ticket: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    policies: Policies,
    calendars: Mapping[str, Calendar],
    as_of: datetime,
    *,
    why: Mapping[str, str] | None = None,
) -> list[Ledger]:
    """A ledger for every window of every clock that has a target, in the order of `evaluate`.

    `why` says in words why the `first_response`, the `resolution` or the `replies` are not told.
    """
    events, named = list(events), with_round_the_clock(calendars)
    rows = {(row["clock"], row["window"]): row for row in evaluate(ticket, events, policies, named, as_of)}
    ledgers = []
    for clock in policies.clocks:
        for number, window in enumerate(windows_of(clock, ticket, events, policies, as_of), start=1):
            promise = promise_for(clock, window, ticket, policies, named)
            if promise.target is not None and promise.calendar is not None:
                since = unknown_since(clock, window, ticket, as_of)
                reason = (
                    _unknown_since(since, (why or {}).get(UNKNOWN[clock].removesuffix("_unknown"), "")) if since else ""
                )
                entries = () if since else tuple(_entries(window, promise, named[promise.calendar]))
                ledgers.append(Ledger(clock, number, promise, entries, rows[clock.value, number], reason))
    return ledgers


def _unknown_since(since: datetime, why: str) -> str:
    return f"not measured from {_moment(since)} on: {why or 'the source does not tell what happened'}"


def _alike(entries: Iterable[Entry]) -> Iterator[list[list[Entry]]]:
    """Runs of local days whose hours at work went alike, as the entries of each day; days without any go along."""
    run: list[list[Entry]] = []
    known: list[tuple[Any, ...]] = []
    for _, day in groupby(entries, key=lambda entry: entry.local_start.date()):
        own = list(day)
        worked = [
            (e.kind, e.reason, e.local_start.time(), e.local_end.time(), e.seconds)
            for e in own
            if e.kind != "out_of_hours"
        ]
        if run and worked and known and worked != known:
            yield run
            run, known = [], []
        run.append(own)
        known = known or worked
    if run:
        yield run


def _lines_of(days: list[list[Entry]]) -> Iterator[Line]:
    """A line for each stretch at work of such a day, with all days in it, and one for all that lies out of hours."""
    worked = [[entry for entry in day if entry.kind != "out_of_hours"] for day in days]
    for alike in zip(*(day for day in worked if day), strict=True):
        seconds, first = sum(entry.seconds for entry in alike), alike[0]
        yield Line(first.kind, first.local_start, alike[-1].local_end, len(alike), seconds, first.reason)
    closed = [entry for day in days for entry in day if entry.kind == "out_of_hours"]
    if closed:
        reasons = ", ".join(dict.fromkeys(entry.reason for entry in closed))
        seconds = sum(entry.seconds for entry in closed)
        yield Line("out_of_hours", closed[0].local_start, closed[-1].local_end, len(days), seconds, reasons)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _entries(window: Window, promise: Promise, calendar: Calendar) -> list[Entry]:
    """An agreed end stops for nothing: what would have paused or stopped the clock counts."""
    entries: list[Entry] = []
    for phase in window.phases:
        reason = _stands_still_for(phase, promise.terms)
        runs = reason is None or promise.agreed_due_at is not None
        for start, end in _pieces(phase, calendar):
            closed = calendar.why_closed(start)
            kind: Kind = "out_of_hours" if closed else "counted" if runs else "stopped" if phase.idle else "paused"
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
