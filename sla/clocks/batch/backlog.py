"""A whole backlog as columns of small numbers: tickets as created, and what happened to them, in order."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.shared.errors import BadInput
from sla.calendar.business_intervals import NEVER, Seconds
from sla.calendar.utc_offsets import EPOCH, ERA
from sla.clocks.batch.id_join import are_distinct, rows_of
from sla.clocks.delivery import in_order, once
from sla.clocks.evaluate import DEFAULTS, agreed_end, readable_end
from sla.contracts import UNKNOWN
from sla.policy.model import Dims

Codes = NDArray[Any]
Frame = pl.DataFrame | pl.LazyFrame

STATUS, RESPONSE, PRIORITY, TIER, TYPE, PAUSE, RESUME, ACCEPTED, MESSAGE, TEAM, CHANNEL, DUE = range(1, 13)
KIND_CODES = {
    "status": STATUS,
    "response": RESPONSE,
    "priority": PRIORITY,
    "tier": TIER,
    "type": TYPE,
    "pause": PAUSE,
    "resume": RESUME,
    "accepted": ACCEPTED,
    "customer_message": MESSAGE,
    "team": TEAM,
    "channel": CHANNEL,
    "due": DUE,
}
_NEED_WORD = np.isin(np.arange(len(KIND_CODES) + 1), (STATUS, PRIORITY, TIER, TYPE))
_PLACES = [(shift, bits) for bits in (8, 11, 14, 17, 20, 24) for shift in range(0, 40, 5)]
_UNKNOWN = tuple(dict.fromkeys(UNKNOWN.values()))
_OPTIONAL_TICKET = ("priority", "tier", "type", "team", "channel", "status", *_UNKNOWN)
_NOTHING_UNKNOWN = 1 << 62
_CHUNK = 1 << 16


class Vocabulary:
    """The words that policies tell apart, numbered from 2. 0 is null, 1 any other word."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(set(words))
        self.code = {word: i for i, word in enumerate(self.words, start=2)}
        self.size = len(self.words) + 2
        marks = pl.Series(self.words, dtype=pl.String).hash().to_numpy()
        self._place = next(place for place in _PLACES if len(set(self._slot(marks, *place))) == len(marks))
        self._marks = np.zeros(1 << self._place[1], np.uint64)
        self._codes: Codes = np.ones(1 << self._place[1], np.uint8 if self.size < 256 else np.uint32)
        self._marks[self._slot(marks, *self._place)] = marks
        self._codes[self._slot(marks, *self._place)] = np.arange(2, self.size)

    @staticmethod
    def _slot(marks: Codes, shift: int, bits: int) -> Codes:
        """Some bits of a word's 64-bit hash: enough to tell the known words apart."""
        return ((marks >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).view(np.int64)

    def table(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """By code: is it one of these words?"""
        table = np.zeros(self.size, np.bool_)
        table[[self.code[word] for word in words]] = True
        return table

    @property
    def as_status(self) -> Codes:
        """What the codes mean for a status: a missing one is a ticket's first."""
        codes = np.arange(self.size, dtype=self._codes.dtype)
        codes[0] = self.code[DEFAULTS["status"]]
        return codes

    def encode(self, column: pl.Series, meaning: Codes | None = None) -> Codes:
        """The code of every value, text of any kind; or with a table `meaning` by code, what that says of it."""
        meaning = np.arange(self.size).astype(self._codes.dtype) if meaning is None else meaning
        if column.null_count() == len(column):
            return np.full(len(column), meaning[0])
        if isinstance(column.dtype, pl.Enum | pl.Categorical):
            return self._translated(column, meaning)
        if column.dtype != pl.String:
            column = column.cast(pl.String, strict=False)
        marks, words = column.hash().to_numpy(), meaning.take(self._codes)
        present = column.is_not_null().to_numpy() if column.null_count() else None
        found = np.empty(len(marks), meaning.dtype)
        for start in range(0, len(marks), _CHUNK):
            part = slice(start, start + _CHUNK)
            slot = self._slot(marks[part], *self._place)
            found[part] = _unless(words.take(slot), self._marks.take(slot) == marks[part], meaning[1])
            if present is not None:
                found[part] = _unless(found[part], present[part], meaning[0])
        return found

    def _translated(self, column: pl.Series, meaning: Codes) -> Codes:
        """By way of the column's own numbers: each of its words is looked up once."""
        seen = column.unique().drop_nulls()
        numbers = seen.to_physical().to_numpy()
        table = np.full(int(numbers.max()) + 2, meaning[0])
        table[numbers] = meaning.take([self.code.get(word, 1) for word in seen.cast(pl.String)])
        return np.asarray(table[column.to_physical().fill_null(len(table) - 1).to_numpy()])


def _unless(values: Codes, holds: NDArray[np.bool_], other: Any) -> Codes:
    """`other` where it doesn't hold. Without branches: which rows do is past foreseeing."""
    if not holds.all():
        values *= holds
        if other:
            values += ~holds * other
    return values


class Tickets(NamedTuple):
    """Tickets that have a clock; index is the row. `combo` numbers their dimensions, see `Mix`. `unknown`, by column,
    says from when on clocks can't be measured; a column that says nothing is missing."""

    ids: pl.Series
    created: Seconds
    status: Codes
    combo: Codes
    unknown: Mapping[str, Seconds] = {}

    def part(self, rows: slice) -> "Tickets":
        columns = (self.ids[rows], self.created[rows], self.status[rows], self.combo[rows])
        return Tickets(*columns, {name: since[rows] for name, since in self.unknown.items()})


class Log(NamedTuple):
    """Events by ticket and time; `ticket` is the row of Tickets. `first` has each ticket's first event, and the end.

    One of kind 0 doesn't count. `at` may lie before the ticket's creation: then it counts as of that. `due` has the
    ends agreed, NEVER for none any more; it is None where no event agrees one.
    """

    ticket: Codes
    at: Seconds
    kind: Codes
    word: Codes
    first: Seconds
    due: Seconds | None = None

    def part(self, start: int, stop: int) -> "Log":
        """That of these tickets alone."""
        first = self.first[start : stop + 1]
        events = slice(first[0], first[-1])
        ticket = np.subtract(self.ticket[events], start, dtype=np.int64)
        due = None if self.due is None else self.due[events]
        return Log(ticket, self.at[events], self.kind[events], self.word[events], first - first[0], due)

    def where(self, *kinds: int) -> Seconds:
        """Positions of the events of these kinds."""
        found = self.kind == kinds[0]
        for kind in kinds[1:]:
            found |= self.kind == kind
        return np.flatnonzero(found)


class Mix:
    """Numbers every combination of the five dimensions, as far as policies tell them apart."""

    def __init__(self, words: Vocabulary, named: Mapping[str, set[str]]) -> None:
        values = {f: [None, *sorted(named[f] | ({DEFAULTS[f]} if f in DEFAULTS else set()))] for f in Dims._fields}
        self._values, self.step, size = values, {}, 1
        for field in Dims._fields:
            self.step[field], size = size, size * len(values[field])
        self.size = size
        self.digit = {f: self._digits(words, f) for f in Dims._fields}

    def count(self, field: str) -> int:
        return len(self._values[field])

    def _digits(self, words: Vocabulary, field: str) -> Codes:
        """By word code: the digit of this dimension, 0 for every word that no policy knows here."""
        digits = np.zeros(words.size, np.int32)
        for digit, value in enumerate(self._values[field]):
            if value is not None:
                digits[words.code[value]] = digit
        if field in DEFAULTS:
            digits[0] = digits[words.code[DEFAULTS[field]]]
        return digits

    def value(self, field: str, digit: int) -> str:
        """The word behind a digit; one that no policy knows stands as "?"."""
        return self._values[field][digit] or "?"

    def digits(self, combo: Codes, field: str) -> Codes:
        return combo // self.step[field] % self.count(field)

    def table(self, field: str, values: Iterable[str]) -> NDArray[np.bool_]:
        """By digit: is it one of these words?"""
        table = np.zeros(self.count(field), np.bool_)
        table[[self._values[field].index(value) for value in values]] = True
        return table


def ticket_columns(frame: Frame) -> pl.DataFrame:
    """What is read of tickets. Raises BadInput for a missing column."""
    return _columns(frame, ("id", "created_at"), _OPTIONAL_TICKET, "tickets")


def read_tickets(table: pl.DataFrame, words: Vocabulary, mix: Mix, as_of: int) -> tuple[Tickets, pl.Series]:
    """The tickets with a clock at `as_of`, and the ids of those without; a repeated or null id is left out."""
    table = table.with_columns(table["id"].rechunk())
    ids = table["id"]
    if ids.null_count() or not are_distinct(ids):
        table = table.filter(pl.col("id").is_not_null()).unique("id", keep="first", maintain_order=True)
        ids = table["id"]
    created, known = _instants(table["created_at"], "tickets.created_at")
    alive = known & (created >= ERA[0]) & (created < ERA[1]) & (created <= as_of)
    without = ids.filter(pl.Series(~alive))
    if len(without):
        table, created = table.filter(pl.Series(alive)), created[alive]
    combo: Codes = np.zeros(len(created), np.int32 if mix.size < 2**31 else np.int64)
    for field in Dims._fields:
        if field in table.columns:
            combo += words.encode(table[field], (mix.digit[field] * mix.step[field]).astype(combo.dtype))
        elif field in DEFAULTS:
            combo += mix.digit[field][0] * mix.step[field]
    status = words.encode(table["status"] if "status" in table.columns else _nulls(len(created)), words.as_status)
    given = {name: table[name] for name in _UNKNOWN if name in table.columns}
    unknown = {name: _since(column, name) for name, column in given.items() if column.null_count() < len(column)}
    return Tickets(table["id"], created, status, combo, unknown), without


def _since(column: pl.Series, name: str) -> Seconds:
    at, known = _instants(column, f"tickets.{name}")
    return np.where(known, at, _NOTHING_UNKNOWN)


def read_events(frame: Frame, tickets: Tickets, words: Vocabulary, as_of: int) -> Log:
    """Events of these tickets in order, each id once; one that doesn't count, or comes after `as_of`, has kind 0."""
    table = _columns(frame, ("ticket", "ts", "kind"), ("value", "id", "seq"), "events")
    owner: Codes = rows_of(table["ticket"], tickets.ids).astype(np.int32, copy=False)
    at, known = _instants(table["ts"], "events.ts")
    kind = _kinds(table["kind"])
    word: Codes = words.encode(table["value"]) if "value" in table.columns else np.zeros(len(table), np.uint8)
    counts = (at <= as_of) & ((word > 0) | ~_NEED_WORD.take(kind))
    kind *= counts
    agreed = _ends_agreed(kind, table)
    seq, event_id = (table[c] if c in table.columns and table[c].dtype != pl.Null else None for c in ("seq", "id"))
    belongs = known & (owner >= 0)
    if seq is not None or event_id is not None:
        belongs &= kind > 0
    if not belongs.all():
        rows = np.flatnonzero(belongs)
        owner, at, kind, word, *agreed = (c.take(rows) for c in (owner, at, kind, word, *agreed))
        seq, event_id = (None if c is None else c.gather(rows) for c in (seq, event_id))
    order = in_order(owner, at, seq)
    if order is not None:
        owner, at, kind, word, *agreed = (c.take(order) for c in (owner, at, kind, word, *agreed))
        event_id = None if event_id is None else event_id.gather(order)
    unique = once(owner, event_id)
    if unique is not None:
        owner, at, kind, word, *agreed = (c[unique] for c in (owner, at, kind, word, *agreed))
    ends = np.cumsum(np.bincount(owner, minlength=len(tickets.created)))
    return Log(owner, at, kind, word, np.concatenate([[0], ends]), *agreed)


def _ends_agreed(kind: Codes, table: pl.DataFrame) -> list[Seconds]:
    """A column with the end that each event agrees, if any does; one that can't be read gets the kind 0."""
    rows = np.flatnonzero(kind == DUE)
    if not len(rows):
        return []
    values = table["value"].gather(rows).cast(pl.String) if "value" in table.columns else _nulls(len(rows))
    read = {value: agreed_end(value) for value in values.unique() if readable_end(value)}
    ends = {value: NEVER if end is None else int((end - EPOCH).total_seconds()) for value, end in read.items()}
    column = np.full(len(kind), NEVER)
    column[rows] = [ends.get(value, NEVER) for value in values]
    kind[rows[np.array([value not in ends for value in values])]] = 0
    return [column]


def _columns(frame: Frame, needed: tuple[str, ...], optional: tuple[str, ...], what: str) -> pl.DataFrame:
    names = frame.collect_schema().names()
    if missing := [name for name in needed if name not in names]:
        raise BadInput(f"{what}: the column {missing[0]!r} is missing; there are {', '.join(names) or 'none'}")
    return frame.lazy().select(*needed, *(name for name in optional if name in names)).collect()


def _instants(column: pl.Series, name: str) -> tuple[Seconds, NDArray[np.bool_]]:
    """Epoch seconds, floored, and where they are known. A Datetime without a zone reads as UTC.

    Raises BadInput for anything but a Datetime or Date.
    """
    if column.dtype == pl.Null:
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    if not isinstance(column.dtype, pl.Datetime | pl.Date):
        raise BadInput(f"{name}: expected Datetime, got {column.dtype}; parse it first, in UTC")
    micros = column.dt.epoch("us").fill_null(0).to_numpy()
    known = column.is_not_null().to_numpy() if column.null_count() else np.ones(len(column), np.bool_)
    return np.floor_divide(micros, 1_000_000, out=micros if micros.flags.writeable else None), known


def _nulls(size: int) -> pl.Series:
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def _kinds(column: pl.Series) -> Codes:
    """The code of each kind of event, 0 for an unknown one."""
    kinds = Vocabulary(KIND_CODES)
    table = np.zeros(kinds.size, np.uint8)
    for kind, code in KIND_CODES.items():
        table[kinds.code[kind]] = code
    return kinds.encode(column, table)
