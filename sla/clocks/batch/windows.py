"""When the clocks of a whole backlog ran and stood still: windows from start to stop, and the spans inside."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sla.calendar.business_intervals import Seconds
from sla.clocks.batch.backlog import ACCEPTED, MESSAGE, PAUSE, RESPONSE, RESUME, STATUS, Codes, Log, Tickets
from sla.clocks.evaluate import BETWEEN_ANSWERS
from sla.contracts import Clock

Flags = NDArray[np.bool_]


class Conduct(NamedTuple):
    """How a clock starts, stops and reopens: `stops` by word code, one row a variant; `variant` by ticket.

    `pauses` tells the statuses in which some policy pauses the clock.
    """

    variant: Codes | None
    stops: Flags
    accepted: Flags
    continues: Flags
    pauses: Flags

    def of(self, table: NDArray[Any], ticket: Codes) -> NDArray[Any]:
        """The entry of each ticket's variant."""
        return np.broadcast_to(table[0], ticket.shape) if self.variant is None else table[self.variant.take(ticket)]

    def is_stop(self, ticket: Codes, word: Codes) -> Flags:
        if self.variant is None:
            return np.asarray(self.stops[0].take(word))
        return np.asarray(self.stops[self.variant.take(ticket), word])


class Marks(NamedTuple):
    """The instants at which a clock may turn, by ticket and time: its creation first, then events.

    `position` is the event's place in the log. From a mark on, the ticket has this status, and an approved pause for
    the reason `hold` - 1 unless `hold` is 0. `waits` is true from the first response on, for next replies from what
    the customer asks after one to the answer or stop.
    """

    ticket: Codes
    at: Seconds
    position: Seconds
    kind: Codes
    status: Codes
    hold: Codes
    waits: Flags


class Windows(NamedTuple):
    """A row a window, by ticket and time. Positions are places in the log: events before them had happened."""

    ticket: Codes
    start: Seconds
    end: Seconds
    stopped: Flags
    opened: Seconds
    closed: Seconds


class Spans(NamedTuple):
    """What lies between two marks of a window and may be paused; `idle` where it was stopped and went on later."""

    window: Seconds
    start: Seconds
    end: Seconds
    status: Codes
    hold: Codes
    idle: Flags
    last: Flags


def first_stop(tickets: Tickets, log: Log, conduct: Conduct, now: int) -> Windows:
    """First response that starts at creation and never pauses: its stop is all there is to find."""
    stops: Flags = np.logical_or.reduce(conduct.stops)
    hits = np.flatnonzero((log.kind == RESPONSE) | ((log.kind == STATUS) & stops.take(log.word)))
    if conduct.variant is not None:
        hits = hits[(log.kind[hits] == RESPONSE) | conduct.is_stop(log.ticket[hits], log.word[hits])]
    owner = log.ticket.take(hits)
    fresh = np.flatnonzero(begins_group(owner))
    which, earliest = owner.take(fresh), hits.take(fresh)
    stopped, end, closed = (
        np.zeros(len(tickets.created), np.bool_),
        np.full(len(tickets.created), now),
        log.first[1:].copy(),
    )
    stopped[which], end[which], closed[which] = True, log.at.take(earliest), earliest
    at_once = conduct.is_stop(np.arange(len(tickets.created)), tickets.status)
    if at_once.any():
        stopped, end = stopped | at_once, np.where(at_once, tickets.created, end)
        closed = np.where(at_once, log.first[:-1], closed)
    return Windows(np.arange(len(end)), tickets.created, end, stopped, log.first[:-1], closed)


def marks(clock: Clock, tickets: Tickets, log: Log, conduct: Conduct) -> Marks:
    """All marks of all tickets."""
    answers = {Clock.RESOLUTION: [], Clock.NEXT_REPLY: [RESPONSE, MESSAGE]}.get(clock, [RESPONSE])
    kinds = [STATUS, PAUSE, RESUME, *answers, *([ACCEPTED] if conduct.accepted.any() else [])]
    chosen = _changing(tickets, log, conduct, log.where(*kinds))
    owner = log.ticket.take(chosen)
    count = np.bincount(owner, minlength=len(tickets.created))
    births = np.arange(len(tickets.created)) + np.cumsum(count) - count
    events = np.arange(len(chosen)) + owner + 1
    size = len(births) + len(events)
    born = np.zeros(size, np.bool_)
    born[births] = True

    def column(initial: NDArray[Any], later: NDArray[Any]) -> NDArray[Any]:
        values = np.empty(size, np.result_type(initial, later))
        values[births], values[events] = initial, later
        return values

    ticket = column(np.arange(len(tickets.created), dtype=log.ticket.dtype), owner)
    kind = column(np.zeros(1, log.kind.dtype), log.kind.take(chosen))
    word = column(tickets.status, log.word.take(chosen))
    status = _carried(word, born | (kind == STATUS))
    hold, waits = np.zeros(1, np.uint8), np.zeros(1, np.bool_)
    if (kind == PAUSE).any():
        stopped = conduct.is_stop(ticket, status)
        granted = (kind == PAUSE) & ~stopped
        sets = born | granted | (kind == RESUME) | ((kind == STATUS) & stopped)
        hold = _carried(np.where(granted, word.astype(np.int32) + 1, 0), sets)
    if answers:
        waits = _carried(kind == RESPONSE, born | (kind == RESPONSE))
    if clock == Clock.NEXT_REPLY:
        ends = born | (kind == RESPONSE) | ((kind == STATUS) & conduct.is_stop(ticket, status))
        waits = _carried((kind == MESSAGE) & waits, ends | (kind == MESSAGE))
    return Marks(
        ticket,
        column(tickets.created, log.at.take(chosen)),
        column(log.first[:-1], chosen),
        kind,
        status,
        np.broadcast_to(hold, (size,)),
        np.broadcast_to(waits, (size,)),
    )


def _changing(tickets: Tickets, log: Log, conduct: Conduct, chosen: Seconds) -> Seconds:
    """Without the changes of status that change nothing: the same again, or between two that don't matter."""
    matters = conduct.pauses | np.logical_or.reduce(conduct.stops)
    relevant = np.where(matters, np.arange(len(matters)), 1).astype(log.word.dtype)
    if (log.kind.take(chosen) != STATUS).any():
        return chosen
    owner, word = log.ticket.take(chosen), relevant.take(log.word.take(chosen))
    same = np.zeros(len(chosen), np.bool_)
    same[1:] = (word[1:] == word[:-1]) & (owner[1:] == owner[:-1])
    first = np.flatnonzero(begins_group(owner))
    same[first] = word.take(first) == relevant.take(tickets.status.take(owner.take(first)))
    return chosen.take(np.flatnonzero(~same))


def _carried(values: NDArray[Any], sets: Flags) -> NDArray[Any]:
    """The latest value that was set. Every ticket sets one at birth, so nothing is carried into the next ticket."""
    if sets.all():
        return values
    return values.take(np.flatnonzero(sets)).take(np.cumsum(sets) - 1)


def begins_group(ticket: Codes) -> Flags:
    """The first row of each ticket; rows of one ticket lie together."""
    fresh = np.ones(len(ticket), np.bool_)
    fresh[1:] = ticket[1:] != ticket[:-1]
    return fresh


def first_of(ticket: Codes) -> Seconds:
    """For each row the first row of its ticket; rows of one ticket lie together."""
    fresh = begins_group(ticket)
    return np.flatnonzero(fresh).take(np.cumsum(fresh) - 1)


def windows(clock: Clock, found: Marks, log: Log, conduct: Conduct, now: int) -> tuple[Windows, Spans]:
    """The windows of one clock and the spans in them, from the marks."""
    size = len(found.at)
    begins = _begins(clock, found, conduct)
    since = _from_begin(found.ticket, begins) if conduct.accepted.any() else np.ones(size, np.bool_)
    active, opens = _running(clock, found, conduct, begins, since)
    index = np.cumsum(opens) - 1
    starts = np.flatnonzero(opens)
    turns = np.flatnonzero(active)
    last = starts - 1
    last[index.take(turns)] = turns  # of several the last assignment stays: marks are in order
    stop = last + 1
    safe = np.minimum(stop, size - 1)
    ticket = found.ticket.take(starts)
    stopped = (stop < size) & (found.ticket.take(safe) == ticket)
    open_ = np.flatnonzero(~stopped)
    end, closed = found.at.take(safe), found.position.take(safe)
    end[open_], closed[open_] = now, log.first[1:].take(ticket.take(open_))
    table = Windows(ticket, found.at.take(starts), end, stopped, found.position.take(starts), closed)
    still = conduct.pauses.take(found.status) | ~active | (found.hold > 0)
    return table, _spans(found, active, inside=since & still, index=index, last=last, now=now)


def _begins(clock: Clock, found: Marks, conduct: Conduct) -> Flags:
    """The mark from which a ticket's clock is running or was stopped at once; at most one a ticket."""
    born = begins_group(found.ticket)
    if clock in BETWEEN_ANSWERS or not conduct.accepted.any():
        return born
    waits = conduct.of(conduct.accepted, found.ticket)
    accepted = np.flatnonzero((found.kind == ACCEPTED) & waits)
    owner = found.ticket[accepted]
    begins = born & ~waits
    begins[accepted[begins_group(owner)]] = True
    return np.asarray(begins)


def _from_begin(ticket: Codes, begins: Flags) -> Flags:
    """Marks at or after the begin of their ticket, for tickets that have one."""
    latest = np.maximum.accumulate(np.where(begins, np.arange(len(ticket)), -1))
    return np.asarray((latest >= 0) & (ticket[latest] == ticket))


def _running(clock: Clock, found: Marks, conduct: Conduct, begins: Flags, since: Flags) -> tuple[Flags, Flags]:
    """From which marks on the clock is neither waiting nor stopped, and which marks open a window."""
    stopped = conduct.is_stop(found.ticket, found.status)
    before = np.zeros(len(stopped), np.bool_)
    if clock == Clock.FIRST_RESPONSE:
        stopped = since & (stopped | found.waits)
        first = np.maximum.accumulate(np.where(begins, np.arange(len(stopped)), 0))
        count = np.cumsum(stopped)
        return since & (count - count[first] + stopped[first] == 0), begins
    if clock in BETWEEN_ANSWERS:
        active = found.waits & ~stopped
        before[1:] = active[:-1]
        return active, active & ((found.kind == RESPONSE) | ~before | begins)
    before[1:] = stopped[:-1]
    reopens = since & ~begins & ~stopped & before & ~conduct.of(conduct.continues, found.ticket)
    return since & ~stopped, begins | reopens


def _spans(found: Marks, active: Flags, *, inside: Flags, index: Seconds, last: Seconds, now: int) -> Spans:
    size = len(found.at)
    rows = np.flatnonzero(inside & (index >= 0))
    rows = rows.take(np.flatnonzero(rows <= last.take(index.take(rows))))
    later = np.minimum(rows + 1, max(size - 1, 0))
    final = (rows + 1 == size) | (found.ticket.take(later) != found.ticket.take(rows))
    end = found.at.take(later)
    end[np.flatnonzero(final)] = now
    status, hold = found.status.take(rows), found.hold[rows]
    return Spans(index.take(rows), found.at.take(rows), end, status, hold, ~active.take(rows), final)
