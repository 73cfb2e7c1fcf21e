"""When each stage of a cycle, and each job beside it, ran last on this store, and why it failed."""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine, select

from engine.shared.columns import insert_into
from engine.storage.connect import reading, writing
from engine.storage.tables import last_runs
from engine.storage.text import clean


class Run(NamedTuple):
    """The last run of one kind of work that came to an end; one that was killed leaves the run before it here.

    `error` is None where it did all it had to; `succeeded_at` is when a run last did.
    """

    work: str
    began_at: datetime
    ended_at: datetime
    error: str | None = None
    succeeded_at: datetime | None = None

    @property
    def took(self) -> timedelta:
        return self.ended_at - self.began_at


class LastRuns:
    """One row a kind of work."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, work: str, *, began_at: datetime, ended_at: datetime, error: str | None = None) -> None:
        why = None if error is None else clean(error)
        row = {"work": work, "began_at": began_at, "ended_at": ended_at, "error": why}
        row |= {"succeeded_at": ended_at} if error is None else {}
        with writing(self._engine) as connection:
            statement = insert_into(last_runs, connection).values(row)
            changed = {name: statement.excluded[name] for name in row if name != "work"}
            connection.execute(statement.on_conflict_do_update(index_elements=["work"], set_=changed))

    def every(self) -> list[Run]:
        """The one that ended last comes first."""
        columns = [last_runs.c[name] for name in Run._fields]
        with reading(self._engine) as connection:
            return [Run(*row) for row in connection.execute(select(*columns).order_by(last_runs.c.ended_at.desc()))]
