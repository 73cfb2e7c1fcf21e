"""What happened to a backlog's tickets, each event in one number, by ticket and time.

Optional: importing this needs numba.
"""

from typing import NamedTuple

import numpy as np
import polars as pl

from sla.calendar.business_intervals import Seconds
from sla.clocks.batch.backlog import Codes, Frame, Tickets, Vocabulary, event_columns, kinds_of, micros_of
from sla.clocks.batch.compiled import kernel as compiled
from sla.clocks.batch.compiled.kernel import SHIFT
from sla.clocks.batch.id_join import rows_of
from sla.clocks.delivery import in_order, once


class Story(NamedTuple):
    """Events that count, see `compiled.SHIFT`; `first` has each ticket's first, and the end."""

    events: Seconds
    first: Seconds


def read_story(frame: Frame, tickets: Tickets, words: Vocabulary, as_of: int) -> Story:
    """Events of these tickets up to `as_of`, each id once, in order; those before creation are still at their time."""
    table = event_columns(frame)
    owner, events, extra, is_sorted = _sifted(table, tickets, words, as_of)
    seq, event_id = extra
    if seq is not None or event_id is not None:
        order = in_order(owner, events >> SHIFT, seq)
        if order is not None:
            owner, events = owner.take(order), events.take(order)
            event_id = None if event_id is None else event_id.gather(order)
        unique = once(owner, event_id)
        if unique is not None:
            owner, events = owner[unique], events[unique]
    first = np.zeros(len(tickets.created) + 1, np.int64)
    compiled.count(owner, first)
    if seq is None and event_id is None and not is_sorted:
        delivered, events = events, np.empty_like(events)
        compiled.arrange(owner, delivered, first, first.copy(), events)
    return Story(events, first)


def _sifted(
    table: pl.DataFrame, tickets: Tickets, words: Vocabulary, as_of: int
) -> tuple[Codes, Seconds, list[pl.Series | None], bool]:
    """The events that count with their tickets' rows, their columns `seq` and `id`, and whether all are in order."""
    size = len(table)
    extra = [table[c] if c in table.columns and table[c].dtype != pl.Null else None for c in ("seq", "id")]
    if table["ts"].dtype == pl.Null:
        return np.zeros(0, np.int32), np.zeros(0, np.int64), [None, None], True
    micros, null = micros_of(table["ts"], "events.ts"), bool(table["ts"].null_count())
    known = table["ts"].is_not_null().to_numpy() if null else np.empty(0, np.bool_)
    owner = rows_of(table["ticket"], tickets.ids, compiled).astype(np.int32, copy=False)
    kind = kinds_of(table["kind"], compiled)
    blank = np.zeros(size, np.uint8)
    word = words.encode(table["value"], None, compiled) if "value" in table.columns else blank
    owners, events, places = np.empty(size, np.int32), np.empty(size, np.int64), np.empty(size, np.int64)
    some = any(column is not None for column in extra)
    found, is_sorted = compiled.sift(
        owner, micros, known, kind, word, as_of, owners, events, places if some else places[:0]
    )
    extra = [None if column is None else column.gather(places[:found]) for column in extra]
    return owners[:found], events[:found], extra, is_sorted
