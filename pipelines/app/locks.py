"""Which work on a store goes on alone: what classifies and learns shares one lock, all else has one of its own.

Every stage of a cycle goes by its own name here, whether a cycle or a command of its own runs it.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from engine.shared.errors import Busy, HelmdeskError, in_a_line
from engine.storage.lock import store_lock
from pipelines.app.container import App

SHARED = dict.fromkeys(("cycle", "triage", "enrich", "retrain"), "triage")
"""Work that pays for the same answers twice if two do it at once; a long classification holds up nothing else."""

UNRECORDED = {"receipts"}
"""What a service takes up many times a minute; each receipt says itself what became of it."""


@contextmanager
def alone(app: App, work: str) -> Iterator[None]:
    """Do this work on the store alone. Raises Busy at once if somebody else is at it.

    A cycle holds what it shares with triage and enrichment from end to end, and takes the lock of each other stage for
    that stage alone: one that is Busy is left out and said so, the others run.
    """
    holder = f"{work} since {app.now():%Y-%m-%d %H:%M:%SZ}, process {os.getpid()} on {socket.gethostname()}"
    with store_lock(app.store.engine, SHARED.get(work, work), holder=holder), _recorded(app, work):
        yield


@contextmanager
def _recorded(app: App, work: str) -> Iterator[None]:
    """Keep when this work ran and why it failed; what was not begun, for somebody else is at it, is no run."""
    began_at = app.now()
    try:
        yield
    except Busy:
        raise
    except Exception as error:
        _keep(app, work, began_at, in_a_line(error))
        raise
    _keep(app, work, began_at)


def _keep(app: App, work: str, began_at: datetime, error: str | None = None) -> None:
    if work in UNRECORDED:
        return
    try:
        app.last_runs.keep(work, began_at=began_at, ended_at=app.now(), error=error)
    except HelmdeskError as trouble:
        app.log.warning("run not recorded", work=work, reason=str(trouble))
