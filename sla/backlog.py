"""A whole backlog as columns of small numbers: tickets as created, and what happened to them, in order."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from engine.errors import BadInput
from sla.evaluate import DEFAULTS
from sla.openings import Seconds
from sla.promises import Dims
from sla.zones import ERA

Codes = NDArray[Any]
Frame = pl.DataFrame | pl.LazyFrame

STATUS, RESPONSE, PRIORITY, TIER, TYPE, PAUSE, RESUME, ACCEPTED = range(1, 9)
KIND_CODES = {
    "status": STATUS,
    "response": RESPONSE,
    "priority": PRIORITY,
    "tier": TIER,
    "type": TYPE,
    "pause": PAUSE,
    "resume": RESUME,
    "accepted": ACCEPTED,
}
_PLACES = [(shift, bits) for bits in (8, 11, 14, 17, 20, 24) for shift in range(0, 40, 5)]
_OPTIONAL_TICKET = ("priority", "tier", "type", "team", "channel", "status")
_CHUNK = 1 << 16
_TIE = 64
"""Up to so many events a ticket, repeated ids are found by comparing neighbours."""


class Vocabulary:
    """The words that policies tell apart, numbered from 2. 0 is null, 1 any other word."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = sorted(set(words))
        self.code = {word: i for i, word in enumerate(self.words, start=2)}
        self.size = len(self.words) + 2
        marks = pl.Series(self.words, dtype=pl.String).hash().to_numpy()
        self._place = next(place for place in _PLACES if len(set(self._slot(marks, *place))) == len(marks))
        self._marks = np.zeros(1 << self._place[1], np.uint64)
        self._codes = np.ones(1 << self._place[1], np.uint8 if self.size < 256 else np.uint32)
        self._marks[self._slot(marks, *self._place)] = marks
        self._codes[self._slot(marks, *self._place)] = np.arange(2, self.size)

    @staticmethod
    def _slot(marks: Codes, shift: int, bits: int) -> Codes:
        """Some bits of a word's 64-bit hash: enough to tell the known words apart."""
        return ((marks >> np.uint64(shift)) & np.uint64((1 << bits) - 1)).astype(np.intp)

    def table(self, words: Iterable[str]) -> NDArray[np.bool_]:
        """By code: is it one of these words?"""
        table = np.zeros(self.size, np.bool_)
        table[[self.code[word] for word in words]] = True
        return table

    def encode(self, column: pl.Series) -> Codes:
        """The code of every value; text of any kind."""
        if column.null_count() == len(column):
            return np.zeros(len(column), np.uint8)
        if isinstance(column.dtype, pl.Enum | pl.Categorical):
            return self._translated(column)
        if column.dtype != pl.String:
            column = column.cast(pl.String, strict=False)
        marks = column.hash().to_numpy()
        codes = np.empty(len(marks), self._codes.dtype)
        for start in range(0, len(marks), _CHUNK):
            mark = marks[start : start + _CHUNK]
            slot = self._slot(mark, *self._place)
            known = self._marks.take(slot) == mark
            codes[start : start + _CHUNK] = np.where(known, self._codes.take(slot), 1)
        if column.null_count():
            codes[column.is_null().to_numpy()] = 0
        return np.asarray(codes)

    def _translated(self, column: pl.Series) -> Codes:
        """By way of the column's own numbers: each of its words is looked up once."""
        seen = column.unique().drop_nulls()
        numbers = seen.to_physical().to_numpy()
        table = np.zeros(int(numbers.max()) + 2, np.uint8 if self.size < 256 else np.uint32)
        table[numbers] = [self.code.get(word, 1) for word in seen.cast(pl.String)]
        return np.asarray(table[column.to_physical().fill_null(len(table) - 1).to_numpy()])


class Tickets(NamedTuple):
    """Tickets that have a clock; index is the row. `combo` numbers their dimensions, see `Mix`."""

    ids: pl.Series
    created: Seconds
    status: Codes
    combo: Codes


class Log(NamedTuple):
    """Events that count, by ticket and time; `ticket` is the row of Tickets. `first` has each ticket's first event."""

    ticket: Codes
    at: Seconds
    kind: Codes
    word: Codes
    first: Seconds

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


def read_tickets(frame: Frame, words: Vocabulary, mix: Mix, as_of: int) -> tuple[Tickets, pl.Series]:
    """The tickets with a clock at `as_of`, and the ids of those without; a repeated or null id is left out."""
    table = _columns(frame, ("id", "created_at"), _OPTIONAL_TICKET, "tickets")
    ids = table["id"]
    if ids.null_count() or ids.n_unique() < len(ids):
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
            combo = combo + mix.digit[field][words.encode(table[field])] * mix.step[field]
        elif field in DEFAULTS:
            combo = combo + mix.digit[field][0] * mix.step[field]
    status = words.encode(table["status"]) if "status" in table.columns else np.zeros(len(created), np.uint8)
    status = np.where(status == 0, words.code[DEFAULTS["status"]], status)
    return Tickets(table["id"], created, status, combo), without


def read_events(frame: Frame, tickets: Tickets, words: Vocabulary, as_of: int) -> Log:
    """Events of these tickets up to `as_of`, each id once, in order, none before its ticket's creation."""
    table = _columns(frame, ("ticket", "ts", "kind"), ("value", "id", "seq"), "events")
    at, known = _instants(table["ts"], "events.ts")
    owner = _owner(table["ticket"], tickets.ids)
    kind = _kinds(table["kind"])
    word = words.encode(table["value"]) if "value" in table.columns else np.zeros(len(table), np.uint8)
    keep = known & (owner >= 0) & (kind > 0) & (at <= as_of)
    keep &= (word > 0) | (kind == RESPONSE) | (kind >= PAUSE)
    seq, event_id = (table[c] if c in table.columns and table[c].dtype != pl.Null else None for c in ("seq", "id"))
    if not keep.all():
        at, owner, kind, word = at[keep], owner[keep], kind[keep], word[keep]
        mask = pl.Series(keep)
        seq, event_id = (None if c is None else c.filter(mask) for c in (seq, event_id))
    order = _order(owner, at, seq)
    if order is not None:
        at, owner, kind, word = at[order], owner[order], kind[order], word[order]
        event_id = None if event_id is None else event_id.gather(order)
    once = _once(owner, event_id)
    if once is not None:
        at, owner, kind, word = at[once], owner[once], kind[once], word[once]
    at = np.maximum(at, tickets.created[owner])
    counts = np.bincount(owner, minlength=len(tickets.created))
    return Log(owner, at, kind, word, np.concatenate([[0], np.cumsum(counts)]))


def _columns(frame: Frame, needed: tuple[str, ...], optional: tuple[str, ...], what: str) -> pl.DataFrame:
    names = frame.collect_schema().names()
    if missing := [name for name in needed if name not in names]:
        raise BadInput(f"{what}: the column {missing[0]!r} is missing; there are {', '.join(names) or 'none'}")
    return frame.lazy().select(*needed, *(name for name in optional if name in names)).collect()


def _instants(column: pl.Series, name: str) -> tuple[Seconds, NDArray[np.bool_]]:
    """Epoch seconds, floored, and where they are known. A Datetime without a zone reads as UTC."""
    if column.dtype == pl.Null:
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    if not isinstance(column.dtype, pl.Datetime | pl.Date):
        raise BadInput(f"{name}: expected Datetime, got {column.dtype}; parse it first, in UTC")
    known = column.is_not_null().to_numpy()
    return column.dt.epoch("us").fill_null(0).to_numpy() // 1_000_000, known


def _kinds(column: pl.Series) -> Codes:
    kinds = Vocabulary(KIND_CODES)
    table = np.zeros(kinds.size, np.uint8)
    for kind, code in KIND_CODES.items():
        table[kinds.code[kind]] = code
    return np.asarray(table[kinds.encode(column)])


def _owner(column: pl.Series, ids: pl.Series) -> Codes:
    """The row of each event's ticket, -1 for an unknown one. Runs of one ticket are looked up once."""
    if not len(column) or not len(ids) or column.dtype == pl.Null:
        return np.full(len(column), -1, np.int32)
    if column.dtype != ids.dtype:
        column = column.cast(ids.dtype, strict=False)
    starts = (column.ne_missing(column.shift(1))).to_numpy().copy()
    starts[0] = True
    heads = column.filter(pl.Series(starts))
    if len(heads) == len(ids) and heads.equals(ids):
        rows = np.arange(len(ids), dtype=np.int32)
    elif ids.dtype.is_integer() and int(np.ptp(ids.to_numpy())) < 4 * len(ids):
        rows = _numbered(heads, ids)
    else:
        index = pl.DataFrame({"id": ids, "row": np.arange(len(ids), dtype=np.int32)})
        found = pl.DataFrame({"id": heads}).join(index, on="id", how="left", maintain_order="left")
        rows = found["row"].fill_null(-1).to_numpy()
    return rows if len(heads) == len(column) else np.asarray(rows[np.cumsum(starts) - 1])


def _numbered(keys: pl.Series, ids: pl.Series) -> Codes:
    """The row of each key among ids that are numbers close together, by a table; -1 for an unknown one."""
    numbers = ids.to_numpy().astype(np.int64)
    least = int(numbers.min())
    table = np.full(int(numbers.max()) - least + 1, -1, np.int32)
    table[numbers - least] = np.arange(len(numbers))
    asked = keys.cast(pl.Int64).fill_null(least - 1).to_numpy() - least
    inside = (asked >= 0) & (asked < len(table))
    return np.where(inside, table.take(asked, mode="clip"), np.int32(-1))


def _order(owner: Codes, at: Seconds, seq: pl.Series | None) -> Seconds | None:
    """By ticket, second, seq (a missing one as 0), then as delivered; None if that is so already."""
    if not len(owner):
        return None
    since = int(at.min())
    bits = (int(at.max()) - since).bit_length()
    if int(owner.max()).bit_length() + bits > 62:
        return np.lexsort((np.zeros(len(at)) if seq is None else seq.fill_null(0).to_numpy(), at, owner))
    key = owner.astype(np.int64) << bits | (at - since)
    after = key[1:] >= key[:-1]
    if after.all():
        order = None
    elif (at[1:] >= at[:-1]).all():
        order = _argsort(owner)
    else:
        order = _argsort(key)
    if seq is None:
        return order
    if order is not None:
        key = key[order]
    tied = np.flatnonzero(key[1:] == key[:-1])
    if not len(tied):
        return order
    number = seq.fill_null(0).to_numpy()
    order = np.arange(len(key)) if order is None else order
    groups = np.union1d(tied, tied + 1)
    rows = order[groups]
    order[groups] = rows[np.lexsort((rows, number[rows], key[groups]))]
    return order


def _argsort(key: Codes) -> Seconds:
    """A stable argsort of numbers from 0 on, sixteen bits at a time: NumPy sorts those in linear time."""
    order = np.argsort((key & 0xFFFF).astype(np.uint16), kind="stable")
    for shift in range(16, int(key.max()).bit_length(), 16):
        digit = ((key >> shift) & 0xFFFF).astype(np.uint16)
        order = order.take(np.argsort(digit.take(order), kind="stable"))
    return order


def _once(owner: Codes, event_id: pl.Series | None) -> NDArray[np.bool_] | None:
    """Where an id appears for the first time in its ticket; None if all do."""
    if event_id is None or len(owner) < 2:
        return None
    mark = event_id.hash().to_numpy()
    suspects = np.zeros(0, np.int64)
    rows = np.arange(1, len(owner))
    for back in range(1, _TIE):
        rows = rows[owner[rows] == owner[rows - back]]
        suspects = np.concatenate([suspects, rows[mark[rows] == mark[rows - back]]])
        rows = rows[rows > back] if len(rows) else rows
        if not len(rows):
            break
    doubtful = np.unique(owner[np.concatenate([suspects, rows])])
    if not len(doubtful):
        return None
    among = np.flatnonzero(np.isin(owner, doubtful))
    named = pl.DataFrame({"owner": owner[among], "id": event_id.gather(among), "row": among})
    first = named.filter(pl.col("id").is_null() | pl.struct("owner", "id").is_first_distinct())
    once = np.ones(len(owner), np.bool_)
    once[among] = False
    once[first["row"].to_numpy()] = True
    return None if once.all() else once
