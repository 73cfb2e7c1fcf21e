"""Policies worked out for columns: which promise and which terms hold for every combination of dimensions."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sla.calendar.business_intervals import NEVER, Seconds
from sla.calendar.calendars import Calendar
from sla.calendar.utc_offsets import EPOCH
from sla.clocks.batch.backlog import Codes, Mix, Tickets, Vocabulary
from sla.clocks.batch.windows import Conduct, Flags
from sla.clocks.evaluate import DEFAULTS
from sla.contracts import Clock
from sla.policy.model import DEFAULT_TERMS, ROUND_THE_CLOCK, Dims, Policies, Policy, Promise, Terms

_TABLE = 1 << 16
"""Up to so many combinations are worked out beforehand; of more, only those that occur."""

Found_co = TypeVar("Found_co", covariant=True)


class Finder(Protocol[Found_co]):
    """Looks up what holds for keys: the distinct answers, and the number of each key's."""

    __name__: str

    def __call__(self, clock: Clock, keys: Seconds, /) -> tuple[Found_co, Codes]: ...


class PromiseTable:
    """All promises that a clock can have, as columns by their number."""

    def __init__(self, found: list[Promise], book: "PolicyTable") -> None:
        names = book.index
        calendars = [names[ROUND_THE_CLOCK] if p.calendar is None else names[p.calendar] for p in found]
        self.target = np.array([-1 if p.target is None else p.target for p in found], np.int64)
        self.calendar = np.array(calendars, np.int32)
        self.at_risk = np.array([p.at_risk_seconds for p in found], np.int64)
        self.strict = np.array([p.terms.at_deadline == "breached" for p in found], np.int64)
        self.next_open = np.array([p.terms.boundary == "next_open" for p in found], np.bool_)
        self.never_opens = np.array([book.calendars[c].never_opens for c in calendars], np.bool_)
        self.at_risk_share = np.array([p.terms.at_risk_fraction.as_integer_ratio() for p in found], object)
        self.policy = pl.Series([p.policy for p in found], dtype=pl.String)
        self.calendar_name = pl.Series([p.calendar for p in found], dtype=pl.String)
        pausing = list(dict.fromkeys(_pausing(p.terms) for p in found))
        self.pausing = np.array([pausing.index(_pausing(p.terms)) for p in found], np.int32)
        self.by_status = np.array([book.words.table(states) for states, _, _ in pausing])
        self.by_hold = np.array([book.holds(granted, reasons) for _, granted, reasons in pausing])


class Promises:
    """What holds for each window: `target` in business seconds, -1 for none, and the calendar's index. `agreed` has the
    ends agreed for a ticket alone, NEVER for none; it is None where there are none."""

    agreed: Seconds | None = None

    def __init__(self, table: PromiseTable, number: Codes) -> None:
        self._table, self._number, self._rows = table, number, pl.Series(number.astype(np.uint32))
        self.target, self.calendar = self._column(table.target), self._column(table.calendar)
        self.at_risk, self.strict = self._column(table.at_risk), self._column(table.strict)
        self.next_open, self.never_opens = self._column(table.next_open), self._column(table.never_opens)

    @property
    def policy(self) -> pl.Series:
        return self._table.policy.gather(self._rows)

    @property
    def calendar_name(self) -> pl.Series:
        names = self._table.calendar_name.gather(self._rows)
        if self.agreed is None:
            return names
        return names.set(pl.Series(self.agreed != NEVER) & names.is_null(), ROUND_THE_CLOCK)

    def until(self, agreed: Seconds, start: Seconds, calendars: Sequence[Calendar]) -> None:
        """Windows with an agreed end, and that start no later, are promised it."""
        rows = np.flatnonzero((agreed != NEVER) & (agreed >= start))
        if not len(rows):
            return
        self.agreed, self.target, self.at_risk = np.full(len(agreed), NEVER), self.target.copy(), self.at_risk.copy()
        self.agreed[rows] = agreed[rows]
        for index in np.unique(self.calendar[rows]):
            own = rows[self.calendar[rows] == index]
            self.target[own] = calendars[index].elapsed(start[own], agreed[own])
        part, whole = self._table.at_risk_share[self._number[rows]].T
        self.at_risk[rows] = self.target[rows].astype(object) * part // whole

    def stands_still(self, window: Seconds, status: Codes, hold: Codes, idle: Flags) -> Flags:
        """Whether a span of a window is paused, by its status and approved pause."""
        table = self._table
        if len(table.by_status) == 1:
            still: Flags = table.by_status[0].take(status) | idle
            return still | table.by_hold[0].take(hold) if hold.any() else still
        row = table.pausing.take(self._number.take(window))
        return np.asarray(table.by_status[row, status] | table.by_hold[row, hold] | idle)

    def _column(self, values: NDArray[Any]) -> NDArray[Any]:
        if (values == values[0]).all():
            return np.broadcast_to(values[0], self._number.shape)
        return values.take(self._number)


class PolicyTable:
    """The policies of one evaluation, asked once for every combination that occurs."""

    def __init__(self, policies: Policies, calendars: Mapping[str, Calendar]) -> None:
        self.policies, self._by_name = policies, calendars
        used = {ROUND_THE_CLOCK} | {
            t.calendar_of(a) for t in _targets(policies) for a in (t.base, *t.cells.values()) if a is not None
        }
        self.calendars = [calendars[name] for name in sorted(used)]
        self.index = {name: i for i, name in enumerate(sorted(used))}
        named = policies.dims_named()
        terms = [*DEFAULT_TERMS.values(), *(t for v in policies.versions for t in v.terms.values())] + [
            t.terms for t in _targets(policies)
        ]
        statuses = {state for t in terms for state in t.stop_states | t.pause_states}
        reasons = {reason for t in terms for reason in t.pause_reasons or ()}
        self.words = Vocabulary({*DEFAULTS.values(), *statuses, *reasons, *(w for ws in named.values() for w in ws)})
        self.mix = Mix(self.words, named)
        starts = [v.valid_from for v in policies.versions]
        first = [-(1 << 62) if s is None else -(-int((s - EPOCH).total_seconds() * 1000) // 1000) for s in starts]
        self.starts = np.array(first, np.int64)
        self._dated = len(first) > 1 or first[0] > -(1 << 62)
        self._known: dict[tuple[Clock, str], Any] = {}

    def can_pause(self, clock: Clock) -> bool:
        """Whether some policy pauses this clock at all."""
        return any(terms.pause_states or terms.approved_pauses for terms in self._terms_of(clock))

    def holds(self, granted: bool, reasons: frozenset[str] | None) -> Flags:
        """By hold number (0 none, 1 no reason, 2 an unknown one, …): does the approved pause stop the clock?"""
        table = np.zeros(self.words.size + 1, np.bool_)
        if granted:
            table[1:] = reasons is None
            table[1:] |= self.words.table(reasons or ())
            table[1] |= reasons is not None and "" in reasons
        return table

    def conduct(self, clock: Clock, tickets: Tickets) -> tuple[Conduct, Flags]:
        """How each ticket's clock starts, stops and reopens; and by variant whether a change of priority is ignored."""
        terms, number = self._by_key(clock, tickets.combo, tickets.created, self._terms_found)
        kinds = list(dict.fromkeys(_conduct(t) for t in terms))
        stops = np.array([self.words.table(k[0]) for k in kinds])
        accepted, continues, keeps = (np.array([k[i] for k in kinds]) for i in (1, 2, 3))
        pauses = self.words.table({state for t in self._terms_of(clock) for state in t.pause_states})
        variant = None if len(keeps) == 1 else np.array([kinds.index(_conduct(t)) for t in terms])[number]
        return Conduct(variant, stops, accepted, continues, pauses), keeps

    def _all(self, clock: Clock, find: Finder[Found_co]) -> tuple[Found_co, Codes]:
        known = self._known.get((clock, find.__name__))
        if known is None:
            size = self.mix.size * (len(self.starts) + 1)
            known = self._known[clock, find.__name__] = find(clock, np.arange(size))
        return known[0], known[1]

    def _terms_of(self, clock: Clock) -> list[Terms]:
        own = [p.targets[clock].terms for v in self.policies.versions for p in v.policies if clock in p.targets]
        return [DEFAULT_TERMS[clock], *(v.terms[clock] for v in self.policies.versions), *own]

    def promises(self, clock: Clock, combo: Codes, start: Seconds) -> Promises:
        """The promise of each window, by its combination and the version in force when it started."""
        return Promises(*self._by_key(clock, combo, start, self._promises_found))

    def _promises_found(self, clock: Clock, keys: Seconds) -> tuple[PromiseTable, Codes]:
        """The distinct promises behind these keys, and the number of each key's."""
        version, row, tier = self._matched(keys)
        first, number = _distinct(version, row, tier)
        found = [
            self.policies.promise_under(clock, v, self._policy(v, r), self.mix.value("tier", t), self._by_name)
            for v, r, t in zip(version[first].tolist(), row[first].tolist(), tier[first].tolist(), strict=True)
        ]
        return PromiseTable(found or [_NOTHING], self), number

    def _terms_found(self, clock: Clock, keys: Seconds) -> tuple[list[Terms], Codes]:
        """The distinct terms behind these keys, and the number of each key's."""
        version, row, _ = self._matched(keys)
        first, number = _distinct(version, row)
        pairs = zip(version[first].tolist(), row[first].tolist(), strict=True)
        return [self.policies.terms_under(clock, v, self._policy(v, r)) for v, r in pairs] or [
            DEFAULT_TERMS[clock]
        ], number

    def _by_key(self, clock: Clock, combo: Codes, start: Seconds, find: Finder[Found_co]) -> tuple[Found_co, Codes]:
        """What `find` says about each row's combination and version; asked once for all keys if there are not many."""
        version = np.searchsorted(self.starts, start, side="right") if self._dated else len(self.starts)
        key = combo.astype(np.int64) + version * self.mix.size
        if self.mix.size * (len(self.starts) + 1) <= _TABLE:
            found, number = self._all(clock, find)
            return found, number.take(key)
        distinct, which = np.unique(key, return_inverse=True)
        found, number = find(clock, distinct)
        return found, number[which]

    def _policy(self, version: int, row: int) -> Policy | None:
        return self.policies.versions[version].policies[row] if row >= 0 else None

    def _matched(self, keys: Seconds) -> tuple[Seconds, Seconds, Codes]:
        """For each key the version, the row of its first match (-1 for none) and the digit of the tier."""
        version, combo = keys // self.mix.size - 1, keys % self.mix.size
        digits = {field: self.mix.digits(combo, field) for field in Dims._fields}
        match = np.full(len(keys), -1)
        for number, rules in enumerate(self.policies.versions):
            for i, policy in reversed(list(enumerate(rules.policies))):
                fits = version == number
                for field, values in policy.match.items():
                    fits &= self.mix.table(field, values)[digits[field]]
                match[fits] = i
        return version, match, digits["tier"]


_NOTHING = Promise(None, None, None, Terms())


def _distinct(*columns: Codes) -> tuple[Seconds, Codes]:
    """A row of each distinct combination, and the number of each row's."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        code = code * (int(column.max(initial=0)) + 2) + column + 1
    _, first, number = np.unique(code, return_index=True, return_inverse=True)
    return first, number


def _targets(policies: Policies) -> list[Any]:
    return [target for v in policies.versions for p in v.policies for target in p.targets.values()]


def _pausing(terms: Terms) -> tuple[frozenset[str], bool, frozenset[str] | None]:
    return terms.pause_states, terms.approved_pauses, terms.pause_reasons


def _conduct(terms: Terms) -> tuple[frozenset[str], bool, bool, bool]:
    return (
        terms.stop_states,
        terms.start_event == "accepted",
        terms.reopen == "continue",
        terms.priority_change == "keep",
    )
