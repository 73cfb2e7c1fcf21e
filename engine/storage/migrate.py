"""Bringing a database to another revision of its tables, from anywhere the package is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import inspect

from engine.shared.errors import BadInput
from engine.storage import connect
from engine.storage.connect import address, engine_for, reading

if TYPE_CHECKING:
    from alembic.config import Config

_REVISIONS = "alembic_version"


def upgrade(url: str, revision: str = "head") -> None:
    """Idempotent, and safe when several processes start at once: one of them does the work, the others wait.

    Raises BadInput for a revision that this version does not know, asked for or found.
    """
    from alembic import command

    with _known_revisions(url):
        command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """`base` takes every table away, with everything in it. Raises BadInput like `upgrade`."""
    from alembic import command

    with _known_revisions(url):
        command.downgrade(_config(url), revision)


def current(url: str) -> str | None:
    """The revision that the database is at; None if it has never been migrated."""
    from alembic.runtime.migration import MigrationContext

    engine = engine_for(url)
    try:
        with reading(engine) as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()


def head() -> str:
    """The newest revision that this version knows."""
    newest = _scripts().get_current_head()
    assert newest is not None
    return str(newest)


def revisions() -> set[str]:
    return {str(script.revision) for script in _scripts().walk_revisions()}


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


def _scripts() -> Any:
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_config("sqlite:///unused"))
