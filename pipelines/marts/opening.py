"""The marts for whoever asks by program: `open_marts()` in a notebook, wherever it stands."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from engine.access import Right
from engine.shared.closing import Closing
from engine.shared.errors import HelmdeskError, Unavailable
from pipelines.marts.publication import MartReader, current

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from pipelines.app.container import App


class Column(NamedTuple):
    """What a column means; `unit` is empty where it has none."""

    meaning: str
    unit: str
    dtype: pl.DataType
    is_nullable: bool


class MartTable:
    """One mart, lazily: nothing is read before it is asked for."""

    def __init__(self, name: str, reader: MartReader) -> None:
        from pipelines.marts.registry import MARTS

        self.name, self._reader, self._file = name, reader, reader.file(name)
        self._mart = MARTS[name]

    @property
    def question(self) -> str:
        return self._mart.question

    @property
    def columns(self) -> Mapping[str, Column]:
        """The data dictionary: what each column means."""
        return {
            name: Column(about.description or "", (about.metadata or {}).get("unit", ""), about.dtype, about.nullable)
            for name, about in self._mart.rules.columns().items()
        }

    def lazy(self) -> pl.LazyFrame:
        return pl.scan_parquet(self._file)

    def frame(self) -> pl.DataFrame:
        return self._reader.frame(self.name)

    def relation(self) -> "duckdb.DuckDBPyRelation":
        return self._reader.relation(self.name)

    def pandas(self) -> "pd.DataFrame":
        """Raises Unavailable where pandas is not installed."""
        try:
            return self.frame().to_pandas()
        except ModuleNotFoundError as error:
            raise Unavailable(f"{error.name} is not installed here: `pip install pandas pyarrow`") from error

    def __repr__(self) -> str:
        rows = self._reader.publication.rows[self.name]
        return f"{self.name}: {self.question} ({rows:,} rows; columns {', '.join(self._mart.schema)})"


class Marts(Closing):
    """All marts of one publication that the reader has the right to; each is an attribute of its name."""

    def __init__(self, reader: MartReader, app: "App") -> None:
        self.reader, self._app = reader, app

    @property
    def as_of(self) -> datetime:
        """The instant that they speak of."""
        return self.reader.publication.as_of

    @property
    def time_zone(self) -> str:
        """Whose days, weeks and months they count."""
        return self.reader.publication.time_zone

    @cached_property
    def goals(self) -> Any:
        """What share of its promises the desk wants to keep: `goals.yaml`."""
        return self._app.policies.goals

    def sql(self, query: str) -> pl.DataFrame:
        """The answer to a DuckDB query in which each mart is a view of its name. Raises BadInput for one that can't be
        understood, NotFound and NotAllowed as `[]`."""
        import duckdb

        from pipelines.marts.closed_sql import not_understood

        try:
            return self.reader.query(query)
        except duckdb.Error as error:
            raise not_understood(error, self.reader) from None

    def __getattr__(self, name: str) -> MartTable:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return MartTable(name, self.reader)
        except HelmdeskError as error:
            raise AttributeError(str(error)) from None

    def __getitem__(self, name: str) -> MartTable:
        """Raises NotFound for a name that is no mart's, NotAllowed where its right is missing."""
        return MartTable(name, self.reader)

    def __iter__(self) -> Iterator[str]:
        return iter(self.reader.marts)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self.reader.marts]

    def __repr__(self) -> str:
        return f"Marts as of {self.as_of.isoformat()}: {', '.join(self)}"

    def close(self) -> None:
        self.reader.close()
        self._app.close()


def open_marts(home: str | Path | None = None, *, user: str | None = None) -> Marts:
    """The marts in force of a home (without one that of HELMDESK_HOME, else `var`), with the rights of a user (without
    one whoever works on this machine). That somebody opened them is noted.

    Raises NotFound where nothing was published, NotAllowed for a user without the right to read.
    """
    from pipelines.app import identity
    from pipelines.app.container import open_app

    app = open_app() if home is None else open_app(home=Path(home))
    try:
        current(app.settings.marts_folder)  # before the store is asked, which would be made where there is none
        reader_of_marts = identity.local_user(app, user)
        identity.require(app, reader_of_marts, Right.READ, doing="opening the marts")
        rights = {right for right in Right if identity.has(app, reader_of_marts, right)}
        marts = Marts(MartReader(app.settings.marts_folder, rights=rights), app)
        identity.saw(app, reader_of_marts, door="open_marts")
    except BaseException:
        app.close()
        raise
    return marts
