"""A what-if question: who asks, what of, and whether it was asked for as it stands now."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from pipelines.app.container import App
from pipelines.figures import words
from pipelines.figures.selection import Selection
from pipelines.marts import MartReader

BEFORE, AFTER = "in force", "under the change"


class Question(NamedTuple):
    """`period` is the bar's in words; `names` are by id."""

    app: App
    reader: MartReader
    chosen: Selection
    period: str
    names: Mapping[str, str]


def is_compared(key: str, *other: Any) -> bool:
    """Whether the reader clicked Compare for just this; what is changed since has to be compared again."""
    at = f"compared {key}"
    if st.button("Compare", type="primary", key=f"compare {key}"):
        st.session_state[at] = other
    if at in st.session_state and st.session_state[at] != other:
        st.caption("The question has changed since: compare again.")
    return bool(st.session_state.get(at) == other)


def percent(column: str) -> pl.Expr:
    """A column of shares as a reader sees it."""
    return pl.col(column).map_elements(lambda share: words.percent(share, 1), return_dtype=pl.String).fill_null("–")


def with_interval(share: str, low: str, high: str) -> pl.Expr:
    """A share and its 95 % interval in one cell."""
    cell = pl.format("{} ({}–{})", percent(share), *(percent(one).str.strip_suffix(" %") for one in (low, high)))
    return pl.when(pl.col(share).is_null()).then(pl.lit("–")).otherwise(cell)
