"""Bringing a database to another revision of its tables, from anywhere the package is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from engine.shared.errors import BadInput
from engine.storage import connect
from engine.storage.connect import address, engine_for, reading

if TYPE_CHECKING:
    from alembic.config import Config

_REVISIONS = "alembic_version"


def upgrade(url: str, revision: str = "head") -> None:
    """Idempotent, and safe when several processes start at once: one of them does the work, the others wait. At the
    newest revision all records are sealed from now on (`engine.storage.audit.seal_from_now_on`).

    Raises BadInput for a revision that this version does not know, asked for or found.
    """
    from alembic import command

    with _known_revisions(url):
        command.upgrade(_config(url), revision)
    if current(url) == head():
        _seal(url)


def _seal(url: str) -> None:
    from engine.storage.audit import seal_from_now_on

    engine = engine_for(url)
    try:
        seal_from_now_on(engine)
    finally:
        engine.dispose()


def downgrade(url: str, revision: str) -> None:
    """`base` takes every table away, with everything in it. Raises BadInput like `upgrade`."""
    from alembic import command

    with _known_revisions(url):
        command.downgrade(_config(url), revision)


def current(url: str) -> str | None:
    """The revision that the database is at; None if it has never been migrated."""
    engine = engine_for(url)
    try:
        with reading(engine) as connection:
            if not inspect(connection).has_table(_REVISIONS):
                return None
            return connection.execute(text(f"SELECT version_num FROM {_REVISIONS}")).scalar()
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision that this version knows."""
    return max(revisions())


def revisions() -> set[str]:
    """Those that this version knows, from the names of their files: a look at an open store loads no Alembic."""
    names = (file.name for file in (files("engine.storage") / "migrations" / "versions").iterdir())
    return {name.split("_")[0] for name in names if name[0].isdigit()}


def is_empty(url: str) -> bool:
    """Whether there is no table at all but the one of revisions."""
    engine = engine_for(url)
    try:
        with reading(engine) as connection:
            return not set(inspect(connection).get_table_names()) - {_REVISIONS}
    finally:
        engine.dispose()


def shown(url: str) -> str:
    """The address without its password."""
    return connect.shown(address(url))


@contextmanager
def _known_revisions(url: str) -> Iterator[None]:
    from alembic.util import CommandError

    try:
        yield
    except CommandError as error:
        raise BadInput(
            f"{shown(url)} can't be migrated: {error}; this version knows {', '.join(sorted(revisions()))}, and a "
            "database of a newer version needs that one."
        ) from None


def _config(url: str) -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "engine.storage:migrations")
    config.attributes["url"] = url
    return config
