"""The groups of the handler's system, with the load that they carry there and not here (DECISIONS 14)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from engine.contracts import AssignmentGroup
from engine.shared.errors import BadInput, NotAllowed, Unavailable
from engine.standings import OPEN
from engine.storage.outbox import ALLOCATION
from pipelines.app.container import App
from pipelines.jobs.people import bring_groups
from pipelines.snapshot import Snapshot

FRESH = timedelta(minutes=5)
"""How long groups are not asked for again (seed S3-09)."""
SOURCE = "handler"


def bring_handler_groups(app: App, snapshot: Snapshot, *, at: datetime) -> bool:
    """Ask the handler's system for its groups, at most every five minutes, and keep them; returns whether that was
    done. If it does not answer, the last known ones stay, and the log says so."""
    if not (address := app.settings.handler_url):
        return False
    stream, cursors = f"{app.handler.name} {address}", app.pull_cursors
    last = cursors.last(SOURCE, stream)
    if last and at - datetime.fromisoformat(last["at"]) < FRESH:
        return False
    since = f"those of {last['at']}" if last else "those that are here"
    try:
        rows = app.handler.groups()
    except (Unavailable, NotAllowed, BadInput) as trouble:
        app.log.warning("groups not renewed", handler=app.handler.name, instead=since, reason=str(trouble))
        return False
    brought = bring_groups(app, _as_here(rows, snapshot.groups, held(app, snapshot)))
    for line in brought.refused:
        app.log.warning("group refused", handler=app.handler.name, reason=line)
    cursors.move(SOURCE, stream, {"at": at.isoformat()}, at=at)
    return True


def held(app: App, snapshot: Snapshot) -> dict[str, int]:
    """How many open tickets of a group the system counts that are here as well: all but those it was not sent yet."""
    unsent = app.store.frame("outbox", ["ticket_id"], where={"state": ("pending", "refused"), "kind": (ALLOCATION,)})
    there = snapshot.tickets_now.filter(pl.col("status").is_in(OPEN), pl.col("group_id").is_not_null())
    there = there.join(unsent, left_on="ticket", right_on="ticket_id", how="anti")
    return dict(there.group_by("group_id").len().iter_rows())


def _as_here(
    rows: Sequence[Mapping[str, Any]], known: Sequence[AssignmentGroup], held: Mapping[str, int]
) -> list[dict[str, Any]]:
    """With the load elsewhere in place of all that is open there; a new group without `max_bandwidth` takes nothing
    until somebody says how much it can hold."""
    ids = {group.group_id for group in known}
    found = []
    for row in rows:
        group = dict(row)
        if isinstance(load := group.get("current_load"), int):
            group["current_load"] = max(0, load - held.get(str(group.get("group_id")), 0))
        if group.get("group_id") not in ids:
            group.setdefault("max_bandwidth", 0)
        found.append(group)
    return found
