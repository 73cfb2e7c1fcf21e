"""A mart: the reader's question it answers, the rules its rows keep, and how it is built from a snapshot."""

from collections.abc import Callable
from typing import NamedTuple

import dataframely as dy
import polars as pl

from engine.access import Right
from pipelines.snapshot import Snapshot


class Mart(NamedTuple):
    question: str
    rules: type[dy.Schema]
    build: Callable[[Snapshot], pl.DataFrame]
    right: Right = Right.READ
    """Who lacks it does not open the mart, by whatever door."""

    @property
    def schema(self) -> pl.Schema:
        """The declared columns and types."""
        return pl.Schema({name: column.dtype for name, column in self.rules.columns().items()})

    def frame(self, snapshot: Snapshot) -> pl.DataFrame:
        """The mart with its declared columns and types; what else was built is left out."""
        return self.build(snapshot).select(pl.col(name).cast(dtype) for name, dtype in self.schema.items())
