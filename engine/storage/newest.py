"""A table by pages, the newest rows first: what is too long to be read whole at every look."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, func, select

from engine.storage.connect import reading
from engine.storage.rows import table_named


class Leaf(NamedTuple):
    """The rows of one page, and how many fit in all."""

    rows: list[dict[str, Any]]
    total: int


def newest(
    engine: Engine,
    table: str,
    columns: Sequence[str],
    *,
    by: Sequence[str],
    page: int = 1,
    size: int = 50,
    where: Mapping[str, Collection[str]] | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Leaf:
    """Page `page` (from 1) of the rows whose columns hold one of the words, ordered by `by`, the largest first; with
    `since` and `until` those whose `at` lies in between, the end not included."""
    held = table_named(table)
    fits: list[ColumnElement[bool]] = [held.c[name].in_(list(words)) for name, words in (where or {}).items()]
    fits += [held.c.at >= since] if since else []
    fits += [held.c.at < until] if until else []
    chosen = select(*(held.c[name] for name in columns)).where(*fits).order_by(*(held.c[name].desc() for name in by))
    with reading(engine) as connection:
        total = connection.execute(select(func.count()).select_from(held).where(*fits)).scalar_one()
        rows = connection.execute(chosen.limit(size).offset((page - 1) * size)).mappings()
        return Leaf([dict(row) for row in rows], total)
