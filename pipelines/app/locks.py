"""Which work on a store goes on alone: what classifies and learns shares one lock, all else has one of its own.

Every stage of a cycle goes by its own name here, whether a cycle or a command of its own runs it.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from engine.storage.lock import store_lock
from pipelines.app.container import App

SHARED = dict.fromkeys(("cycle", "triage", "enrich", "retrain"), "triage")
"""Work that pays for the same answers twice if two do it at once; a long classification holds up nothing else."""


@contextmanager
def alone(app: App, work: str) -> Iterator[None]:
    """Do this work on the store alone. Raises Busy at once if somebody else is at it.

    A cycle holds what it shares with triage and enrichment from end to end, and takes the lock of each other stage for
    that stage alone: one that is Busy is left out and said so, the others run.
    """
    holder = f"{work} since {app.now():%Y-%m-%d %H:%M:%SZ}, process {os.getpid()} on {socket.gethostname()}"
    with store_lock(app.store.engine, SHARED.get(work, work), holder=holder):
        yield
