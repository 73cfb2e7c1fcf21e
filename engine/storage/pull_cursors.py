"""How far each system's tickets were fetched: written after each page, once its tickets are in the store."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, select

from engine.shared.columns import insert_into
from engine.storage.connect import reading, writing
from engine.storage.tables import pull_cursors


class PullCursors:
    """A cursor for each source and stream; what it means is the source's affair."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last(self, source: str, stream: str) -> dict[str, Any] | None:
        there = (pull_cursors.c.source == source) & (pull_cursors.c.stream == stream)
        with reading(self._engine) as connection:
            return connection.execute(select(pull_cursors.c.cursor).where(there)).scalar_one_or_none()

    def move(self, source: str, stream: str, cursor: Mapping[str, Any], *, at: datetime) -> None:
        row = {"source": source, "stream": stream, "cursor": dict(cursor), "updated_at": at}
        with writing(self._engine) as connection:
            statement = insert_into(pull_cursors, connection).values(row)
            changed = {name: statement.excluded[name] for name in ("cursor", "updated_at")}
            connection.execute(statement.on_conflict_do_update(index_elements=["source", "stream"], set_=changed))
