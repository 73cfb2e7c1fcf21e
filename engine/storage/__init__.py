"""Where the desk's truth is kept: in a SQLite file or in PostgreSQL, with the same promises."""

from typing import TYPE_CHECKING

from engine.shared.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from engine.storage.sql import SqlStore


def open_store(url: str) -> "SqlStore":
    """The store at `sqlite:///file` or `postgresql+psycopg://…`; an empty database gets its tables.

    Raises Unavailable if it does not answer or was made by an older version, BadInput for one that is not helmdesk's.
    """
    from engine.storage import migrate
    from engine.storage.sql import SqlStore

    # Another process may be making the tables: first look whether there are any, then at their revision.
    if migrate.is_empty(url):
        migrate.upgrade(url)
    at, newest = migrate.current(url), migrate.head()
    if at is None:
        raise BadInput(f"{migrate.shown(url)} holds tables that are not helmdesk's; name an empty database.")
    if at not in migrate.revisions():
        raise BadInput(f"{migrate.shown(url)} is at revision {at}, which this version does not know; use a newer one.")
    if at != newest:
        raise Unavailable(f"{migrate.shown(url)} is at revision {at}, not {newest}; run `helmdesk migrate`.")
    return SqlStore(url)
