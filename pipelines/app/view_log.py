"""Who viewed customer data, written beside the work: a page waits for no database, and pays for no row."""

import threading
from collections.abc import Callable
from datetime import datetime

from engine.access import View
from engine.shared.errors import HelmdeskError
from engine.storage.ports import Store

WITHIN_SECONDS = 1.0
"""A view is written at most so much later; a process that is killed loses those of its last second."""
HELD = 100_000
"""Views that wait for a database that does not answer; then the oldest go, which is warned of."""


class ViewLog:
    """Views gather and are written together by a thread of their own; `close` writes what is left."""

    def __init__(self, store: Store, *, now: Callable[[], datetime], warn: Callable[[str], None]) -> None:
        self._store, self._now, self._warn = store, now, warn
        self._waiting: dict[str, View] = {}
        self._turn = threading.Lock()
        self._writing = threading.Lock()
        self._timer: threading.Timer | None = None

    def add(self, user_id: str, *, door: str, ticket_id: str | None = None) -> None:
        at = self._now()
        name = f"{user_id}|{door}|{ticket_id or ''}|{at:%Y-%m-%dT%H:%MZ}"
        with self._turn:
            self._waiting.setdefault(name, View(id=name, user_id=user_id, at=at, door=door, ticket_id=ticket_id))
            self._wake()

    def write(self) -> None:
        """Write what waits; what a database refuses to take waits on."""
        with self._writing:
            with self._turn:
                views, self._waiting, self._timer = self._waiting, {}, None
            if not views:
                return
            try:
                self._store.put(list(views.values()))
            except HelmdeskError as error:
                self._warn(f"{len(views)} views wait: {error}")
                with self._turn:
                    self._waiting = dict(list((views | self._waiting).items())[-HELD:])
                    self._wake()

    def close(self) -> None:
        with self._turn:
            if self._timer is not None:
                self._timer.cancel()
        self.write()
        with self._turn:
            if self._timer is not None:
                self._timer.cancel()

    def _wake(self) -> None:
        if self._timer is None:
            self._timer = threading.Timer(WITHIN_SECONDS, self.write)
            self._timer.daemon = True
            self._timer.start()
