"""Which ticket an event belongs to: ids of any type, guessed by their hashes and proven, or numbers by a table."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FACTOR = 0x9E3779B97F4A7C15
_SHELVES = 64
_CHUNK = 1 << 17
_LONG = 1 << 16
_WIDEST = 1 << 62


def are_distinct(ids: pl.Series) -> bool:
    """Whether no id occurs twice. Text that rises, a longer one after a shorter, is told at sight."""
    if ids.dtype.is_integer():
        return ids.n_unique() == len(ids)
    if ids.dtype == pl.String and _rises(ids.rechunk()):
        return True
    return not _shelved(_marks(ids))[1] or ids.n_unique() == len(ids)


def rows_of(column: pl.Series, ids: pl.Series) -> NDArray[Any]:
    """The row of each value among distinct ids, -1 for an unknown or null one. Runs of one id are looked up once."""
    if not len(column) or not len(ids) or column.dtype == pl.Null:
        return np.full(len(column), -1)
    if column.dtype != ids.dtype:
        column = column.cast(ids.dtype, strict=False)
    if ids.dtype == pl.Categorical:
        column, ids = column.cast(pl.String), ids.cast(pl.String)
    if _are_close(ids):
        return _without_nulls(_numbered(column, ids), column)
    fresh = _fresh(column)
    heads = np.flatnonzero(fresh)
    if 2 * len(heads) > len(column):
        return _looked_up(column, ids).astype(np.int32)
    rows = _looked_up(column.filter(pl.Series(fresh)), ids).astype(np.int32)
    return np.repeat(rows, np.diff(heads, append=len(column)))


def _are_close(ids: pl.Series) -> bool:
    """Numbers so close together that a table of all between them is small."""
    if not ids.dtype.is_integer():
        return False
    least, most = int(ids.min()), int(ids.max())  # type: ignore[arg-type]
    return most - least < 4 * len(ids) and max(-least, most) < _WIDEST


def _fresh(column: pl.Series) -> Flags:
    """Which values aren't known to equal the one before: the first is one of them."""
    if column.dtype == pl.String and len(column) >= _LONG and not column.null_count():
        parts = [part for part in column.get_chunks() if len(part)]
        fresh = np.concatenate([_elsewhere(part) for part in parts])
        for end, after in zip(np.cumsum([len(part) for part in parts])[:-1].tolist(), parts[1:], strict=True):
            fresh[end] = column[end - 1] != after[0]
        if 2 * int(fresh.sum()) <= len(column):
            return fresh
    fresh = column.ne_missing(column.shift()).to_numpy(writable=True)
    fresh[0] = True
    return fresh


def _elsewhere(part: pl.Series) -> Flags:
    """Where a text's 16-byte Arrow view isn't that of the one before: views that agree are of equal texts."""
    arrow = part.to_arrow(compat_level=pl.CompatLevel.newest())
    views = np.frombuffer(arrow.buffers()[1], np.uint64)[2 * arrow.offset :][: 2 * len(arrow)].reshape(-1, 2)
    fresh = np.ones(len(views), np.bool_)
    fresh[1:] = (views[1:, 0] != views[:-1, 0]) | (views[1:, 1] != views[:-1, 1])
    return fresh


def _rises(ids: pl.Series) -> bool:
    length = ids.str.len_bytes().to_numpy()
    longer, as_long = length[1:] > length[:-1], length[1:] == length[:-1]
    return bool((longer | as_long).all() and (pl.Series(longer) | (ids[:-1] < ids[1:])).all())


def _looked_up(keys: pl.Series, ids: pl.Series) -> Rows:
    """Guessed by hash. Every id found is compared; where hashes mislead, a join answers instead."""
    if len(keys) == len(ids) and keys.equals(ids):
        return np.arange(len(ids))
    rows = _guessed(_marks(keys), _marks(ids))
    if rows is None:
        return _joined(keys, ids)
    rows = _without_nulls(rows, keys)
    known = rows >= 0
    found, guess = (keys, rows) if known.all() else (keys.filter(pl.Series(known)), rows[known])
    return rows if (ids.rechunk().gather(guess) == found).all() else _joined(keys, ids)


def _joined(keys: pl.Series, ids: pl.Series) -> Rows:
    numbered = pl.DataFrame({"id": ids, "row": np.arange(len(ids))})
    found = pl.DataFrame({"id": keys}).join(numbered, on="id", how="left", maintain_order="left")
    return found["row"].fill_null(-1).to_numpy()


def _without_nulls(rows: NDArray[Any], column: pl.Series) -> NDArray[Any]:
    if column.null_count():
        rows[column.is_null().to_numpy()] = -1
    return rows


def _marks(column: pl.Series) -> Hashes:
    return column.hash().to_numpy()


def _guessed(keys: Hashes, known: Hashes) -> Rows | None:
    """The row with the same hash, -1 for none; None where two of the known have the same."""
    shelves, twice = _shelved(known)
    return None if twice else _found(keys, known, shelves)


def _slots(marks: Hashes, shelf: int, bits: int) -> Rows:
    """Places on a shelf of 2^bits; every shelf reckons them otherwise."""
    mixed = marks * np.uint64(pow(_FACTOR, shelf, 1 << 64)) if shelf else marks
    return (mixed >> np.uint64(64 - bits)).view(np.int64)


def _shelved(marks: Hashes) -> tuple[list[Rows], bool]:
    """Shelves with a row a place: those that find theirs taken go to the next. And whether a hash was there twice."""
    shelves: list[Rows] = []
    rows, twice = np.arange(len(marks)), False
    while len(rows) and len(shelves) < _SHELVES and not twice:
        here = marks.take(rows) if shelves else marks
        bits = (4 * len(rows)).bit_length()
        shelf, slots = np.zeros(1 << bits, np.int64), _slots(here, len(shelves), bits)
        shelf[slots] = rows
        holder = shelf.take(slots)
        lost = np.flatnonzero(holder != rows)
        rows, holder = rows[lost], holder[lost]
        shelves.append(shelf)
        twice = bool((marks.take(rows) == marks.take(holder)).any())
    return shelves, twice or len(rows) > 0


def _found(keys: Hashes, known: Hashes, shelves: list[Rows]) -> Rows:
    rows = np.empty(len(keys), np.int64)
    for start in range(0, len(rows), _CHUNK):
        part = slice(start, start + _CHUNK)
        here, found = keys[part], rows[part]
        missing: slice | Rows = slice(None)
        for number, shelf in enumerate(shelves):
            guess = shelf.take(_slots(here, number, len(shelf).bit_length() - 1))
            found[missing] = guess
            wrong = np.flatnonzero(known.take(guess) != here)
            here = here.take(wrong)
            missing = wrong if isinstance(missing, slice) else missing[wrong]
        found[missing] = -1
    return rows


def _numbered(column: pl.Series, ids: pl.Series) -> NDArray[Any]:
    """The row of each value among ids that are numbers close together, by a table; -1 for an unknown one."""
    numbers = ids.cast(pl.Int64).to_numpy()
    least = int(numbers.min())
    table = np.full(int(numbers.max()) - least + 1, -1, np.int64)
    table[numbers - least] = np.arange(len(numbers))
    keys = column.cast(pl.Int64, strict=False).fill_null(least - 1).to_numpy()
    place = keys - least
    found = table.take(place, mode="clip")
    inside = (place >= 0) & (place < len(table))
    return found if inside.all() else np.where(inside, found, -1)
