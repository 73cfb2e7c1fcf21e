"""The clocks of a backlog in machine code: every ticket's events are walked once a clock, each window written as found.

Optional: importing this needs numba. The answers are those of `windows` and `batch`, which say what is meant.
"""

# ruff: noqa: PLR0917 (a loop is handed its tables one by one)
from typing import Any, NamedTuple

from sla.calendar.business_intervals import NEVER
from sla.calendar.timetables import BUCKET
from sla.calendar.utc_offsets import DAY
from sla.clocks.batch.backlog import ACCEPTED, PAUSE, PRIORITY, RESPONSE, RESUME, STATUS, Codes
from sla.clocks.batch.compiled.kernel import SHIFT, WIDE, WORDS, compiled, within
from sla.contracts import Clock, State

FIRST, RESOLUTION, NEXT = (list(Clock).index(c) for c in (Clock.FIRST_RESPONSE, Clock.RESOLUTION, Clock.NEXT_RESPONSE))
_ON_TRACK, _AT_RISK, _BREACHED, _MET, _NO_TARGET = (
    list(State).index(s) for s in (State.ON_TRACK, State.AT_RISK, State.BREACHED, State.MET, State.NO_TARGET)
)
_MICROS = 1_000_000
_NEVER = int(NEVER)


class Rules(NamedTuple):
    """What holds for one clock: the conduct's variant and the promise by key, and tables by their numbers."""

    variant: Codes
    stops: Codes
    accepted: Codes
    continues: Codes
    keeps: Codes
    number: Codes
    starts: Codes
    size: int
    step: Codes
    counts: Codes
    digit: Codes
    target: Codes
    calendar: Codes
    at_risk: Codes
    strict: Codes
    next_open: Codes
    never_opens: Codes
    pausing: Codes
    by_status: Codes
    by_hold: Codes


class Grid(NamedTuple):
    """`timetables.Timetable` as plain columns; a row of `by_day` is its base, then opens and closes."""

    lo: int
    days: int
    by_day: Codes
    totals: Codes
    bands: Codes
    near: Codes
    closing: Codes
    ahead: Codes
    start: Codes


class Rows(NamedTuple):
    """The windows found; instants in microseconds, `due` and `stopped` may be NEVER.

    `off` lists the rows whose deadline lies off the grid: there `due` is the business seconds since its start.
    """

    ticket: Codes
    window: Codes
    is_current: Codes
    state: Codes
    promise: Codes
    target: Codes
    elapsed: Codes
    paused: Codes
    remaining: Codes
    due: Codes
    start: Codes
    stopped: Codes
    is_paused: Codes
    off: Codes


class Marks(NamedTuple):
    """Room for one ticket's standings: from each instant on, up to the next. `combo` is the one just before."""

    at: Codes
    status: Codes
    hold: Codes
    combo: Codes
    active: Codes
    opens: Codes


class People(NamedTuple):
    """`backlog.Tickets` without the ids; `first` has the place of each one's first event, and the end."""

    created: Codes
    status: Codes
    combo: Codes
    first: Codes


@within
def _passed(grid: Grid, calendar: int, at: int) -> Any:
    since = at - grid.lo
    day = since // DAY
    second, row = since - day * DAY, calendar * grid.days + day
    total = WIDE(grid.by_day[row, 0])
    for slot in range(1, grid.by_day.shape[1], 2):
        total += min(max(second, WIDE(grid.by_day[row, slot])), WIDE(grid.by_day[row, slot + 1]))
    return total


@within
def _reached(grid: Grid, calendar: int, passed: int, next_open: bool) -> Any:
    goal = passed + grid.bands[calendar]
    index = grid.near[goal >> BUCKET]
    while grid.closing[index] < goal:
        index += 1
    if next_open and grid.closing[index] == goal:
        return grid.start[index + 1]
    return goal + grid.ahead[index]


@within
def _key(rules: Rules, combo: int, at: int) -> Any:
    """Combination and version in force, as one number."""
    version = len(rules.starts)
    while version > 0 and rules.starts[version - 1] > at:
        version -= 1
    return combo + version * rules.size


@within
def _changed(rules: Rules, combo: int, field: int, word: int) -> Any:
    """The combination with another priority, tier or type."""
    was = combo // rules.step[field] % rules.counts[field]
    return combo + (rules.digit[field, word] - was) * rules.step[field]


@within
def _state(remaining: int, at_risk: int, strict: int, stopped: bool) -> int:
    if stopped:
        return _MET if remaining >= 0 else _BREACHED
    if remaining < strict:
        return _BREACHED
    return _AT_RISK if remaining <= at_risk else _ON_TRACK


@within
def _stand(  # noqa: PLR0912 (a branch a kind of event)
    clock: int, tickets: People, ticket: int, events: Codes, rules: Rules, marks: Marks, now: int
) -> int:
    """How one ticket stands after its creation and after each event that may turn this clock; the number of marks.

    One more mark holds `now` and the last combination. First response is followed to its stop.
    """
    begin, end, seen = tickets.first[ticket], tickets.first[ticket + 1], 0
    born, status, combo = tickets.created[ticket], WIDE(tickets.status[ticket]), WIDE(tickets.combo[ticket])
    variant = rules.variant[_key(rules, combo, born)]
    begun, responded, was_active, was_stopped = clock == NEXT or not rules.accepted[variant], False, False, False
    at, kind, begins, hold, word = born, WIDE(0), begun, WIDE(0), WIDE(0)
    for i in range(begin - 1, end):
        if i >= begin:
            event = events[i]
            at, kind, word, begins = max(born, event >> SHIFT), event & 15, (event >> 4) & (WORDS - 1), False
            if kind == STATUS:
                status, hold = word, WIDE(0) if rules.stops[variant, word] else hold
            elif kind == RESPONSE:
                if clock == RESOLUTION:
                    continue
                responded = True
            elif kind == PAUSE:
                hold = hold if rules.stops[variant, status] else word + 1
            elif kind == RESUME:
                hold = WIDE(0)
            elif kind == ACCEPTED:
                begins, begun = not begun, True
            else:
                combo = _changed(rules, combo, kind - PRIORITY, word)
                continue
        if not begun:
            continue
        stopped = rules.stops[variant, status]
        active = not stopped and (responded if clock == NEXT else not responded)
        if clock == NEXT:
            opens = active and (kind == RESPONSE or not was_active)
        else:
            opens = begins or (active and was_stopped and clock == RESOLUTION and not rules.continues[variant])
        marks.at[seen], marks.status[seen], marks.hold[seen], marks.combo[seen] = at, status, hold, combo
        marks.active[seen], marks.opens[seen] = active, opens
        was_active, was_stopped, seen = active, stopped, seen + 1
        if clock == FIRST and not active:
            break
    marks.at[seen], marks.combo[seen] = now, combo
    return seen


@within
def _measure(
    rules: Rules, grid: Grid, marks: Marks, rows: Rows, size: int, number: int, first: int, last: int, seen: int
) -> bool:
    """Writes the window from mark `first` to the one after `last`. True where `due` lies off the grid."""
    start, end, stopped = marks.at[first], marks.at[last + 1], last + 1 < seen
    target, calendar, pausing = rules.target[number], rules.calendar[number], rules.pausing[number]
    begun = _passed(grid, calendar, start)
    paused, shift, is_paused = WIDE(0), WIDE(0), False
    for mark in range(first, last + 1):
        status, hold = marks.status[mark], marks.hold[mark]
        if not marks.active[mark] or rules.by_status[pausing, status] or rules.by_hold[pausing, hold]:
            before = _passed(grid, calendar, marks.at[mark])
            length = _passed(grid, calendar, marks.at[mark + 1]) - before
            shift += length if before - begun - paused < target else 0
            paused += length
            is_paused |= mark + 1 == seen
    elapsed = _passed(grid, calendar, end) - begun - paused
    off, due, micros = False, _NEVER, _MICROS
    if target >= 0 and (elapsed >= target or not is_paused) and not rules.never_opens[number]:
        goal, next_open = begun + target + shift, rules.next_open[number]
        if target == 0 and not next_open:
            due = start * micros
        elif goal >= grid.totals[calendar]:
            off, due = True, goal
        else:
            found = _reached(grid, calendar, goal, next_open)
            due = (max(found, start) if target == 0 else found) * micros
    remaining = target - elapsed
    state = _state(remaining, rules.at_risk[number], rules.strict[number], stopped) if target >= 0 else _NO_TARGET
    rows.promise[size], rows.is_paused[size], rows.state[size] = number, is_paused, state
    rows.target[size], rows.elapsed[size], rows.paused[size] = target, elapsed, paused
    rows.remaining[size], rows.due[size] = remaining, due
    rows.start[size], rows.stopped[size] = start * micros, end * micros if stopped else _NEVER
    return off


@compiled
def walk(
    clock: int, tickets: People, events: Codes, rules: Rules, grid: Grid, marks: Marks, now: int, rows: Rows
) -> tuple[int, int]:
    """Every window of one clock, ticket by ticket; how many there are, and how many deadlines lie off the grid."""
    size, off = 0, 0
    for ticket in range(len(tickets.created)):
        seen = _stand(clock, tickets, ticket, events, rules, marks, now)
        keeps = rules.keeps[rules.variant[_key(rules, tickets.combo[ticket], tickets.created[ticket])]]
        window, first = 0, 0
        while first < seen and not marks.opens[first]:
            first += 1
        while first < seen:
            last, following = first - 1, first
            while following < seen and (following == first or not marks.opens[following]):
                last = following if marks.active[following] else last
                following += 1
            window += 1
            combo = marks.combo[first if keeps else last + 1]
            number = rules.number[_key(rules, combo, marks.at[first])]
            if clock != NEXT or rules.target[number] >= 0:
                if _measure(rules, grid, marks, rows, size, number, first, last, seen):
                    rows.off[off] = size
                    off += 1
                rows.ticket[size], rows.window[size], rows.is_current[size] = ticket, window, following == seen
                size += 1
            first = following
    return size, off
