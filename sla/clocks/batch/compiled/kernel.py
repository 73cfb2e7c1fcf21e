"""A backlog read in machine code: words, ids and events as numbers, in order, without a column in between.

Optional: importing this needs numba. What each loop promises is said by its NumPy twin in `backlog`, `ids`, `delivery`.
"""

# ruff: noqa: PLR0917 (a loop is handed its columns one by one)
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numba import njit

from sla.clocks.batch.backlog import PAUSE, RESPONSE, Codes

P = ParamSpec("P")
R = TypeVar("R")

WIDE: Any = np.int64
_UNCOUNTED: Any = {"nogil": True, "error_model": "numpy", "_nrt": False}
"""Without counting who holds which array: that took most of the time of loops that are handed many."""

_MICROS = 1_000_000
_AHEAD = 128
_FEW = 48
"""Up to so many events of a ticket are put in order by insertion."""

SHIFT, WORDS = 26, 1 << 22
"""An event in one number: its second, then 22 bits for the word and 4 for the kind."""
_LONG_AGO = -(1 << 36)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, compiled at its first call and kept on disk. It may not allocate: arrays aren't counted."""
    fast: Callable[P, R] = njit(cache=True, **_UNCOUNTED)(function)
    return fast


def allocating(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, compiled at its first call and kept on disk."""
    fast: Callable[P, R] = njit(cache=True, nogil=True, error_model="numpy")(function)
    return fast


def within(function: Callable[P, R]) -> Callable[P, R]:
    """The same function, compiled into the `compiled` ones that call it."""
    fast: Callable[P, R] = njit(forceinline=True, **_UNCOUNTED)(function)
    return fast


@compiled
def look_up(
    marks: Codes, present: Codes, shift: int, known: Codes, words: Codes, unknown: int, null: int, found: Codes
) -> None:
    """What each hash tells; `present` is empty where nothing is null."""
    mask, some = np.uint64(len(known) - 1), len(present) > 0
    for i in range(len(marks)):
        if some and not present[i]:
            found[i] = null
            continue
        slot = (marks[i] >> np.uint64(shift)) & mask
        found[i] = words[slot] if known[slot] == marks[i] else unknown


@compiled
def numbered(asked: Codes, least: int, table: Codes, rows: Codes) -> None:
    """The row of each number; -1 outside the table."""
    for i in range(len(asked)):
        place = asked[i] - least
        rows[i] = table[place] if 0 <= place < len(table) and asked[i] >= least else -1


@compiled
def shelve(marks: Codes, table: Codes) -> bool:
    """Puts every row, from 1, in a table of 2^n places; False where some hash is there twice."""
    mask, distinct = np.uint64(len(table) - 1), True
    for i in range(len(marks)):
        slot = marks[i] & mask
        while table[slot]:
            if marks[table[slot] - 1] == marks[i]:
                distinct = False
                break
            slot = (slot + np.uint64(1)) & mask
        else:
            table[slot] = i + 1
    return distinct


@compiled
def found(asked: Codes, marks: Codes, table: Codes, rows: Codes) -> None:
    """The row of each hash, -1 for an unknown one. Guesses go ahead: they wait for memory together."""
    mask = np.uint64(len(table) - 1)
    for start in range(0, len(asked), _AHEAD):
        end = min(start + _AHEAD, len(asked))
        for i in range(start, end):
            rows[i] = table[asked[i] & mask] - 1
        for i in range(start, end):
            row, slot = rows[i], asked[i] & mask
            while row >= 0 and marks[row] != asked[i]:
                slot = (slot + np.uint64(1)) & mask
                row = table[slot] - 1
            rows[i] = row


@compiled
def sift(
    owner: Codes,
    ts: Codes,
    known: Codes,
    kind: Codes,
    word: Codes,
    now: int,
    owners: Codes,
    events: Codes,
    places: Codes,
) -> tuple[int, bool]:
    """The events that count, as numbers; how many there are, and whether they came by ticket and time.

    `known` is empty where no time is null, `places` where nobody asks for the places of those that count.
    """
    size, in_order, before, second, some = 0, True, WIDE(-1), WIDE(0), len(known) > 0
    for i in range(len(owner)):
        k = kind[i]
        if owner[i] < 0 or k == 0 or (some and not known[i]):
            continue
        if word[i] == 0 and k != RESPONSE and k < PAUSE:
            continue
        at = ts[i] // _MICROS
        if at > now:
            continue
        at = max(at, _LONG_AGO)
        in_order &= owner[i] > before or (owner[i] == before and at >= second)
        before, second = WIDE(owner[i]), at
        owners[size], events[size] = owner[i], (at << SHIFT) | (WIDE(word[i]) << 4) | k
        if len(places):
            places[size] = i
        size += 1
    return size, in_order


@compiled
def count(owner: Codes, first: Codes) -> None:
    """By ticket the place of its first event, once they lie by ticket, and the end."""
    for i in range(len(owner)):
        first[owner[i] + 1] += 1
    for ticket in range(1, len(first)):
        first[ticket] += first[ticket - 1]


@allocating
def arrange(owner: Codes, events: Codes, first: Codes, place: Codes, out: Codes) -> None:
    """By ticket, second, then as delivered. `place` is a copy of `first`, which it uses up."""
    for i in range(len(owner)):
        out[place[owner[i]]] = events[i]
        place[owner[i]] += 1
    for ticket in range(len(first) - 1):
        lo, hi = first[ticket], first[ticket + 1]
        if hi - lo > _FEW:
            own = out[lo:hi].copy()
            out[lo:hi] = own[np.argsort(own >> SHIFT, kind="mergesort")]
            continue
        for i in range(lo + 1, hi):
            event, j = out[i], i
            while j > lo and out[j - 1] >> SHIFT > event >> SHIFT:
                out[j] = out[j - 1]
                j -= 1
            out[j] = event
