"""From a backlog to its rows through machine code: the tables its loops need, and the frame of what they write.

Optional: importing this needs numba.
"""

from typing import Any

import numpy as np
import polars as pl

from sla.calendar.business_intervals import NEVER, Seconds
from sla.calendar.timetables import Timetable
from sla.clocks.batch.backlog import Codes, Tickets
from sla.clocks.batch.compiled.backlog import Story
from sla.clocks.batch.compiled.clocks import Grid, Marks, People, Rows, Rules, walk
from sla.clocks.batch.policy_table import PolicyTable, PromiseTable
from sla.contracts import CLOCKS, Clock, State
from sla.policy.model import Dims

_MICROS = 1_000_000
_STATE = pl.Series([state.value for state in State], dtype=CLOCKS["state"])


def clock_rows(  # noqa: PLR0917
    clock: Clock, tickets: Tickets, story: Story, book: PolicyTable, timetable: Timetable, now: int
) -> tuple[pl.DataFrame, pl.Series]:
    """The rows of one clock, and the ids of the tickets whose clock has not begun."""
    table, number = book.all_promises(clock)
    people = People(tickets.created, tickets.status, tickets.combo, story.first)
    size = len(tickets.created)
    reopens = (len(story.events) + size) // 2  # a ticket may be born resolved: then its first event reopens it
    room = {Clock.FIRST_RESPONSE: 0, Clock.RESOLUTION: reopens}.get(clock, len(story.events))
    most = int(np.diff(story.first).max(initial=0)) + 2
    marks = Marks._make(np.empty(most, kind) for kind in ["i8"] * 4 + ["?"] * 2)
    space, rules = _space(size + room), _rules(clock, book, table, number)
    found, off = walk(list(Clock).index(clock), people, story.events, rules, _grid(timetable), marks, now, space)
    rows = Rows._make(column[:found] for column in space)._replace(off=space.off[:off])
    _beyond(rows, table, timetable)
    frame = _frame(clock, tickets, rows, table)
    if clock == Clock.NEXT_RESPONSE or int(rows.is_current.sum()) == size:
        return frame, tickets.ids.clear()
    begun = np.zeros(size, np.bool_)
    begun[rows.ticket] = True
    return frame, tickets.ids.filter(pl.Series(~begun))


def _space(size: int) -> Rows:
    """Room for so many rows. What isn't written takes no memory."""
    narrow: list[Any] = [np.uint32, np.int32, np.bool_, np.uint8, np.uint32]
    kinds = [*narrow, *[np.int64] * 7, np.bool_, np.int64]
    return Rows._make(np.empty(size, kind) for kind in kinds)


def _rules(clock: Clock, book: PolicyTable, table: PromiseTable, number: Codes) -> Rules:
    conduct, keeps, variant = book.conducts(clock)
    fields = Dims._fields[:3]
    return Rules(
        variant,
        conduct.stops,
        conduct.accepted,
        conduct.continues,
        keeps,
        number,
        book.starts,
        book.mix.size,
        np.array([book.mix.step[field] for field in fields]),
        np.array([book.mix.count(field) for field in fields]),
        np.array([book.mix.digit[field] for field in fields]),
        table.target,
        table.calendar,
        table.at_risk,
        table.strict,
        table.next_open,
        table.never_opens,
        table.pausing,
        table.by_status,
        table.by_hold,
    )


def _grid(timetable: Timetable) -> Grid:
    t = timetable
    return Grid(t.lo, t.days, t.by_day(), t.totals, t.bands, t.near, t.closing, t.ahead, t.start)


def _beyond(rows: Rows, table: PromiseTable, timetable: Timetable) -> None:
    """The deadlines off the grid, by a timetable that grows."""
    if not len(rows.off):
        return
    promise, start = rows.promise[rows.off], rows.start[rows.off] // _MICROS
    next_open = table.next_open[promise]
    due: Seconds = timetable.reached(
        table.calendar[promise], rows.due[rows.off], next_open if next_open.any() else None
    )
    due = np.where(table.target[promise] == 0, np.maximum(start, due), due)
    rows.due[rows.off] = np.where(due == NEVER, NEVER, due * _MICROS)


def _frame(clock: Clock, tickets: Tickets, rows: Rows, table: PromiseTable) -> pl.DataFrame:
    size, promise = len(rows.ticket), pl.Series(rows.promise)
    own = size == len(tickets.ids) and clock == Clock.FIRST_RESPONSE
    unknown = rows.target < 0 if (table.target < 0).any() else None
    columns: dict[str, Any] = {
        "ticket": tickets.ids if own else tickets.ids.gather(pl.Series(rows.ticket)),
        "clock": pl.Series([clock.value], dtype=CLOCKS["clock"]).new_from_index(0, size),
        "window": rows.window,
        "is_current": rows.is_current,
        "state": _STATE.gather(pl.Series(rows.state)),
        "target": _without(rows.target, unknown),
        "elapsed": _without(rows.elapsed, unknown),
        "paused": _without(rows.paused, unknown),
        "remaining": _without(rows.remaining, unknown),
        "due_at": _instants(rows.due),
        "window_start": _instants(rows.start),
        "stopped_at": _instants(rows.stopped),
        "is_paused": rows.is_paused,
        "policy": table.policy.gather(promise),
        "calendar": table.calendar_name.gather(promise),
    }
    return pl.DataFrame(columns)


def _without(values: Seconds, unknown: Codes | None) -> pl.Series:
    column = pl.Series(values)
    return column if unknown is None or not unknown.any() else column.set(pl.Series(unknown), None)


def _instants(micros: Seconds) -> pl.Series:
    return _without(micros, micros == NEVER).cast(CLOCKS["due_at"])
