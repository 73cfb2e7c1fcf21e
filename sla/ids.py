"""Which ticket an event belongs to: ids of any type, looked up by their hashes or, if they are numbers, by a table."""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]
Loops = ModuleType | None
"""`sla.compiled`, or None to do without."""
Flags = NDArray[np.bool_]

_SEED = 0x9E3779B97F4A7C15
_SHELVES = 64
_CHUNK = 1 << 17


class _Marks(NamedTuple):
    """Two hashes of 64 bits for every id; two ids are the same if both are."""

    one: Hashes
    two: Hashes

    def take(self, rows: Rows) -> "_Marks":
        return _Marks(self.one.take(rows), self.two.take(rows))

    def same(self, other: "_Marks") -> Flags:
        return np.asarray((self.one == other.one) & (self.two == other.two))

    def slots(self, shelf: int, bits: int) -> Rows:
        """Places on a shelf of 2^bits; every shelf reckons them otherwise."""
        factor = pow(_SEED, shelf // 2, 1 << 64)
        mixed = self[shelf % 2] * np.uint64(factor) if factor > 1 else self[shelf % 2]
        return (mixed >> np.uint64(64 - bits)).view(np.int64)


def are_distinct(ids: pl.Series, loops: Loops = None) -> bool:
    """Whether no id occurs twice."""
    if ids.dtype.is_integer():
        return ids.n_unique() == len(ids)
    if loops is not None:
        return _table(_marks(ids), loops)[2]
    return not _shelved(_marks(ids))[1]


def rows_of(column: pl.Series, ids: pl.Series, loops: Loops = None) -> NDArray[Any]:
    """The row of each value among distinct ids, -1 for an unknown one. Runs of one id are looked up once."""
    if not len(column) or not len(ids) or column.dtype == pl.Null:
        return np.full(len(column), -1)
    if column.dtype != ids.dtype:
        column = column.cast(ids.dtype, strict=False)
    dense = ids.dtype.is_integer() and int(np.ptp(ids.to_numpy())) < 4 * len(ids)
    if dense:
        rows = _numbered(column, ids, loops)
    elif loops is not None:
        rows = _compared(_marks(column), _marks(ids), loops)
    else:
        rows = _by_runs(_marks(column), _marks(ids))
    if column.null_count():
        rows[column.is_null().to_numpy()] = -1
    return rows


def _compared(asked: _Marks, known: _Marks, loops: ModuleType) -> NDArray[np.int32]:
    rows = np.empty(len(asked.one), np.int32)
    pairs, table, _ = _table(known, loops)
    loops.found(asked.one, asked.two, pairs, table, rows)
    return rows


def _table(ids: _Marks, loops: ModuleType) -> tuple[Hashes, NDArray[np.int32], bool]:
    """The hashes side by side, a table of their rows, and whether no pair is there twice."""
    pairs, table = np.stack(ids, axis=1), np.zeros(1 << (2 * len(ids.one)).bit_length(), np.int32)
    return pairs, table, bool(loops.shelve(pairs, table))


def _marks(column: pl.Series) -> _Marks:
    if column.dtype == pl.Categorical:
        column = column.cast(pl.String)
    return _Marks(column.hash().to_numpy(), column.hash(seed=_SEED).to_numpy())


def _by_runs(asked: _Marks, known: _Marks) -> Rows:
    fresh = np.ones(len(asked.one), np.bool_)
    fresh[1:] = (asked.one[1:] != asked.one[:-1]) | (asked.two[1:] != asked.two[:-1])
    heads = np.flatnonzero(fresh)
    few = asked if len(heads) == len(fresh) else asked.take(heads)
    if len(heads) == len(known.one) and few.same(known).all():
        rows = np.arange(len(heads))
    else:
        rows = _found(few, known, _shelved(known)[0])
    return rows if few is asked else rows.take(np.cumsum(fresh, dtype=np.int32) - 1)


def _shelved(ids: _Marks) -> tuple[list[Rows], bool]:
    """Shelves with a row a place: those that find theirs taken go to the next. And whether some id was there twice."""
    shelves: list[Rows] = []
    rows, twice = np.arange(len(ids.one)), False
    while len(rows) and len(shelves) < _SHELVES:
        here = ids.take(rows) if shelves else ids
        bits = (4 * len(rows)).bit_length()
        shelf, slots = np.zeros(1 << bits, np.int64), here.slots(len(shelves), bits)
        shelf[slots] = rows
        holder = shelf.take(slots)
        lost = np.flatnonzero(holder != rows)
        rows, holder = rows[lost], holder[lost]
        shelves.append(shelf)
        twice |= bool(ids.take(rows).same(ids.take(holder)).any())
        if twice:
            break
    return shelves, twice


def _found(asked: _Marks, known: _Marks, shelves: list[Rows]) -> Rows:
    rows = np.empty(len(asked.one), np.int64)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        here, found = _Marks(asked.one[part], asked.two[part]), rows[part]
        missing: slice | Rows = slice(None)
        for number, shelf in enumerate(shelves):
            guess = shelf.take(here.slots(number, len(shelf).bit_length() - 1))
            found[missing] = guess
            wrong = np.flatnonzero(~here.same(known.take(guess)))
            here = here.take(wrong)
            missing = wrong if isinstance(missing, slice) else missing[wrong]
        found[missing] = -1
    return rows


def _numbered(column: pl.Series, ids: pl.Series, loops: Loops) -> NDArray[Any]:
    """The row of each value among ids that are numbers close together, by a table; -1 for an unknown one."""
    numbers = ids.to_numpy().astype(np.int64)
    least = int(numbers.min())
    table = np.full(int(numbers.max()) - least + 1, -1, np.int64 if loops is None else np.int32)
    table[numbers - least] = np.arange(len(numbers))
    asked = column.cast(pl.Int64).fill_null(least - 1).to_numpy()
    if loops is not None:
        rows = np.empty(len(asked), np.int32)
        loops.numbered(asked, least, table, rows)
        return rows
    place = asked - least
    found = table.take(place, mode="clip")
    inside = (place >= 0) & (place < len(table))
    return found if inside.all() else np.where(inside, found, -1)
