"""Tickets to which the same happened in the same order: their clocks turned alike, which is found once for them all."""

from typing import NamedTuple

import numpy as np
import polars as pl

from sla.calendar.business_intervals import Seconds
from sla.clocks.batch.backlog import ACCEPTED, MESSAGE, PAUSE, RESPONSE, RESUME, STATUS, Codes, Log, Tickets
from sla.clocks.batch.windows import Conduct, Spans, Windows

_NOW = -1
_KINDS = 16
_BITS = 17
_ROUNDS = 8
_FACTOR = 0x9E3779B97F4A7C15


class TraceVariants(NamedTuple):
    """The distinct variants, each as a ticket with its events, whose instants are places: 0 its birth, then from 1.

    `number` has the course of every ticket, `example` a ticket of every course.
    """

    number: Seconds
    example: Seconds
    tickets: Tickets
    log: Log

    @property
    def now(self) -> int:
        """What stands for the instant of evaluation."""
        return _NOW

    def conduct(self, conduct: Conduct) -> Conduct:
        """The same conduct, by course."""
        return conduct if conduct.variant is None else conduct._replace(variant=conduct.variant[self.example])


def trace_variants(tickets: Tickets, log: Log, variants: list[Codes]) -> TraceVariants | None:
    """None where few tickets share one. Tickets alike agree in every one of `variants` too."""
    if not len(log.at):
        return None
    marks, short = _marks(tickets, log, variants)
    holder = np.arange(len(marks))
    holder[short] = short.take(_alike(marks.take(short)))
    leads = np.zeros(len(marks), np.bool_)
    leads[holder] = True
    example = np.flatnonzero(leads)
    if 2 * len(example) > len(marks):
        return None
    number = (np.cumsum(leads) - 1).take(holder)
    few = Tickets(pl.Series(example), np.zeros(len(example), np.int64), tickets.status[example], tickets.combo[example])
    return TraceVariants(number, example, few, _log_of(example, log))


def _marks(tickets: Tickets, log: Log, variants: list[Codes]) -> tuple[Codes, Seconds]:
    """A number for each ticket's course, a few bits for its birth and each event; and the tickets with room for all."""
    begin, room = np.zeros(len(tickets.created), np.uint64), 0
    for column in (tickets.status, *variants):
        begin |= column.astype(np.uint64) << np.uint64(room)
        room += int(column.max()).bit_length()
    letter, width = _letters(log)
    shift = np.arange(len(letter))
    shift -= log.first.take(log.ticket)
    shift *= width
    shift += room
    letter <<= np.minimum(shift, 63, out=shift).view(np.uint64)
    total = np.zeros(len(letter) + 1, np.uint64)
    np.cumsum(letter, out=total[1:])
    sums = total.take(log.first)
    return begin + (sums[1:] - sums[:-1]), np.flatnonzero(np.diff(log.first) * width + room <= 64)


def _letters(log: Log) -> tuple[Codes, int]:
    """A number for each event, 0 for one that turns no clock; and how many bits the numbers take."""
    pair = (log.word.astype(np.uint32) * _KINDS + log.kind).astype(np.int64)
    seen = np.flatnonzero(np.bincount(pair))
    kind = seen % _KINDS
    table = np.zeros(int(seen.max(initial=0)) + 1, np.uint64)
    by_word = seen[(kind == STATUS) | (kind == PAUSE)]
    table[by_word] = np.arange(1, len(by_word) + 1)
    for number, one in enumerate((RESPONSE, RESUME, ACCEPTED, MESSAGE), start=len(by_word) + 1):
        table[seen[kind == one]] = number
    return table.take(pair), (len(by_word) + 4).bit_length()


def _alike(marks: Codes) -> Seconds:
    """For each mark the place of one that equals it, the same for all that are equal."""
    holder, rest = np.arange(len(marks)), np.arange(len(marks))
    shelf = np.empty(1 << _BITS, np.int64)
    for number in range(_ROUNDS):
        here = marks.take(rest)
        slot = (here * np.uint64(pow(_FACTOR, number + 1, 1 << 64)) >> np.uint64(64 - _BITS)).view(np.int64)
        shelf[slot] = rest
        found = shelf.take(slot)
        same = marks.take(found) == here
        holder[rest[same]] = found[same]
        rest = rest[~same]
        if not len(rest):
            break
    return holder


def _log_of(example: Seconds, log: Log) -> Log:
    count = (log.first[1:] - log.first[:-1]).take(example)
    first = np.concatenate([[0], np.cumsum(count)])
    ticket = np.repeat(np.arange(len(example)), count)
    place = np.arange(len(ticket)) - first.take(ticket)
    source = log.first.take(example).take(ticket) + place
    return Log(ticket, place + 1, log.kind.take(source), log.word.take(source), first)


class _Lives(NamedTuple):
    """Of each row's ticket: the place of its first event in the log, and its creation."""

    since: Seconds
    born: Seconds

    def take(self, rows: Seconds) -> "_Lives":
        return _Lives(self.since.take(rows), self.born.take(rows))


def spread(
    shared: TraceVariants, found: tuple[Windows, Spans | None], tickets: Tickets, log: Log, now: int
) -> tuple[Windows, Spans | None]:
    """What was found of the variants, as windows and spans of the tickets."""
    table, spans = found
    ticket, which = _each(np.bincount(table.ticket, minlength=len(shared.example)), shared.number)
    lives = _Lives(log.first[:-1], tickets.created).take(ticket)
    stopped = table.stopped.take(which)
    begun = shared.log.first.take(table.ticket)
    opened, closed = (lives.since + (place - begun).take(which) for place in (table.opened, table.closed))
    still_open = np.flatnonzero(~stopped)
    closed[still_open] = log.first[1:].take(ticket.take(still_open))
    start, end = (_instants(place, which, lives, log.at, now) for place in (table.start, table.end))
    own = Windows(ticket, start, end, stopped, opened, closed)
    if spans is None:
        return own, None
    window, span = _each(np.bincount(spans.window, minlength=len(table.ticket)), which)
    start, end = (_instants(place, span, lives.take(window), log.at, now) for place in (spans.start, spans.end))
    traits = (column.take(span) for column in (spans.status, spans.hold, spans.idle, spans.last))
    return own, Spans(window, start, end, *traits)


def _each(count: Seconds, number: Seconds) -> tuple[Seconds, Seconds]:
    """Of every row all parts that its number has: the rows, and the parts."""
    if (count == 1).all():
        return np.arange(len(number)), number
    parts = count.take(number)
    some = np.flatnonzero(parts)
    parts, ends = parts.take(some), np.cumsum(parts.take(some))
    fresh = np.zeros(int(ends[-1]) if len(ends) else 0, np.int64)
    fresh[ends[:-1]] = 1
    place = np.cumsum(fresh, out=fresh)
    offset = (np.cumsum(count) - count).take(number.take(some)) - (ends - parts)
    return some.take(place), offset.take(place) + np.arange(len(place))


def _instants(place: Seconds, of: Seconds, lives: _Lives, at: Seconds, now: int) -> Seconds:
    """The instants behind places: births, events (none before the birth) and now."""
    if not place.any():
        return lives.born
    found: Seconds = at.take(lives.since + (place - 1).take(of), mode="clip")
    np.maximum(found, lives.born, out=found)
    births, open_ = (np.flatnonzero((place == special).take(of)) for special in (0, _NOW))
    found[births] = lives.born.take(births)
    found[open_] = now
    return found
