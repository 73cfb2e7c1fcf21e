"""Events as they were delivered: put in order, and those that came twice counted once."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from sla.calendar.business_intervals import Seconds

Codes = NDArray[Any]

_TIE = 64
"""Up to so many events a ticket, repeated ids are found by comparing neighbours."""


def in_order(owner: Codes, at: Seconds, seq: pl.Series | None) -> Seconds | None:
    """By ticket, second, seq (a missing one as 0), then as delivered; None if that is so already."""
    if not len(owner):
        return None
    after = (owner[1:] > owner[:-1]) | ((owner[1:] == owner[:-1]) & (at[1:] >= at[:-1]))
    order = None if after.all() else _by_ticket(owner, at)
    return order if seq is None else _by_seq(order, owner, at, seq)


def _by_ticket(owner: Codes, at: Seconds) -> Seconds:
    """A stable argsort by ticket and second: a sparse matrix counts rows into place, then sorts within each."""
    from scipy.sparse import csr_matrix  # noqa: PLC0415

    size, since, bits = len(owner), int(at.min()), len(owner).bit_length()
    if (int(at.max()) - since).bit_length() + bits > 62:
        return np.lexsort((at, owner))
    weight = np.ones(size, np.int8)
    tickets = int(owner.max()) + 1
    delivered = csr_matrix((weight, owner, np.arange(size + 1, dtype=owner.dtype)), shape=(size, tickets)).tocsc()
    if (at[1:] >= at[:-1]).all():
        return np.asarray(delivered.indices)
    key = (at.take(delivered.indices) - since) << bits | delivered.indices.astype(np.int64)
    lines = csr_matrix((weight, key, delivered.indptr), shape=(tickets, 1 << 62))
    lines.sort_indices()
    return np.asarray(lines.indices & ((1 << bits) - 1))


def _by_seq(order: Seconds | None, owner: Codes, at: Seconds, seq: pl.Series) -> Seconds | None:
    """The same order, but within a second of a ticket by seq."""
    if order is not None:
        owner, at = owner[order], at[order]
    tied = np.flatnonzero((owner[1:] == owner[:-1]) & (at[1:] == at[:-1]))
    if not len(tied):
        return order
    number = seq.fill_null(0).to_numpy()
    order = np.arange(len(owner)) if order is None else order
    groups = np.union1d(tied, tied + 1)
    rows = order[groups]
    order[groups] = rows[np.lexsort((rows, number[rows], at[groups], owner[groups]))]
    return order


def once(owner: Codes, event_id: pl.Series | None) -> NDArray[np.bool_] | None:
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
