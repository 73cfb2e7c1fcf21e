"""Replay every SLA clock as of one instant, and raise each warning and breach once."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from engine.contracts import CLOCK_KINDS
from pipelines.app.container import App
from pipelines.compute import over_partitions, partitioned, parts_for
from pipelines.jobs.alerts import Raised, raise_and_queue

if TYPE_CHECKING:
    from sla.calendar.calendars import Calendar
    from sla.policy.model import Policies

DASK_PARTS = 8
AS_CREATED = {
    "id": "id",
    "created_at": "created_at",
    "priority": "created_priority",
    "tier": "created_tier",
    "type": "created_type",
    "team": "group_id",
    "channel": "channel",
    "status": "created_status",
}
"""What the SLA engine calls a ticket's values at creation, and where the store has them."""
AS_RECORDED = {"ticket": "ticket_id", "ts": "at", "kind": "kind", "value": "value", "seq": "version"}
"""The same for events."""


class Evaluated(NamedTuple):
    """All clocks as of one instant (schema `sla.contracts.CLOCKS`) and what was told about them."""

    clocks: pl.DataFrame
    raised: Raised

    def counts(self) -> dict[str, int]:
        by_state = self.clocks.filter("is_current").group_by("state").len().sort("state").iter_rows()
        return {str(state): count for state, count in by_state} | {
            "new_alerts": self.raised.alerts,
            "new_nudges": self.raised.nudges,
            "messages": self.raised.messages,
        }


def evaluate_sla(app: App, *, as_of: datetime) -> Evaluated:
    """Evaluate the whole store; what is new is kept in `sla_alerts` and queued for whom it concerns, each once."""
    clocks = replay(app, as_of=as_of)
    return Evaluated(clocks, raise_and_queue(app, clocks, as_of=as_of))


def replay(app: App, *, as_of: datetime) -> pl.DataFrame:
    """Every clock of every ticket as of one instant, from the history; writes nothing.

    A large backlog is cut into partitions for this machine's threads, or for Dask where an address is set.
    """
    tickets, events = tickets_as_created(app), clock_events(app)
    address = app.settings.dask_address
    parts = max(parts_for(tickets.height), DASK_PARTS if address else 1)
    cut = zip(partitioned(tickets, "id", parts), partitioned(events, "ticket", parts), strict=True)
    rules = app.policies.sla
    work = partial(evaluated, policies=rules.policies, calendars=rules.calendars, as_of=as_of)
    return over_partitions(work, list(cut), dask_address=address)


def evaluated(
    part: tuple[pl.DataFrame, pl.DataFrame],
    *,
    policies: "Policies",
    calendars: "Mapping[str, Calendar]",
    as_of: datetime,
) -> pl.DataFrame:
    """One partition's clocks (schema `sla.contracts.CLOCKS`)."""
    from sla.clocks.batch.evaluate import evaluate

    return evaluate(*part, policies, calendars, as_of)


def tickets_as_created(app: App, *, ticket: str | None = None) -> pl.DataFrame:
    """All tickets, or the one with this key, with their values at creation (schema `sla.contracts.TICKETS`)."""
    wanted = None if ticket is None else {"id": [ticket]}
    return app.store.frame("tickets", list(AS_CREATED.values()), where=wanted).select(**AS_CREATED)


def clock_events(app: App, *, ticket: str | None = None) -> pl.DataFrame:
    """The events that move clocks (schema `sla.contracts.EVENTS` without `id`: the store keeps each once), of all
    tickets or the one with this key, in no particular order: `seq` is theirs."""
    kinds = {"kind": [kind.value for kind in CLOCK_KINDS]}
    wanted = kinds if ticket is None else {**kinds, "ticket_id": [ticket]}
    return app.store.frame("events", list(AS_RECORDED.values()), where=wanted).select(**AS_RECORDED)
