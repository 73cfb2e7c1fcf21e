"""Every SLA clock of a backlog as of one instant, on this machine's threads or on a Dask cluster."""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from engine.contracts import CLOCK_KINDS
from pipelines.compute import over_partitions, partitioned, parts_for

if TYPE_CHECKING:
    from engine.storage.ports import Store
    from pipelines.app.policies import SlaRules
    from sla.calendar.calendars import Calendar
    from sla.policy.model import Policies

DASK_PARTS = 8
AS_CREATED = {
    "id": "ticket",
    "created_at": "created_at",
    "priority": "created_priority",
    "tier": "created_tier",
    "type": "created_type",
    "team": "group_id",
    "channel": "channel",
    "status": "created_status",
}
"""What the SLA engine calls a ticket's values at creation, and where a snapshot has them."""
AS_RECORDED = {"ticket": "ticket", "ts": "at", "kind": "kind", "value": "value", "seq": "version"}
"""The same for events."""


def replay(
    tickets: pl.DataFrame, events: pl.DataFrame, rules: "SlaRules", *, as_of: datetime, dask_address: str = ""
) -> pl.DataFrame:
    """Every clock of every ticket (schema `sla.contracts.CLOCKS`), from a snapshot's tickets and events.

    A large backlog is cut into partitions for this machine's threads, or for Dask where an address is set.
    """
    born, moves = clock_inputs(tickets, events, rules)
    parts = max(parts_for(born.height), DASK_PARTS if dask_address else 1)
    cut = zip(partitioned(born, "id", parts), partitioned(moves, "ticket", parts), strict=True)
    work = partial(evaluated, policies=rules.policies, calendars=rules.calendars, as_of=as_of)
    return over_partitions(work, list(cut), dask_address=dask_address)


def clock_inputs(tickets: pl.DataFrame, events: pl.DataFrame, rules: "SlaRules") -> tuple[pl.DataFrame, pl.DataFrame]:
    """All that the clocks of these tickets rest on: their values at creation, the team where some promise depends on
    it, and the events that move clocks."""
    needs_team = bool(rules.policies.dims_named()["team"])
    columns = {name: column for name, column in AS_CREATED.items() if name != "team" or needs_team}
    return tickets.select(**columns), clock_events(events)


def clock_events(events: pl.DataFrame) -> pl.DataFrame:
    """The events that move clocks (schema `sla.contracts.EVENTS` without `id`: the store keeps each once), in no
    particular order: `seq` is theirs."""
    kinds = pl.Series([kind.value for kind in CLOCK_KINDS]).implode()
    return events.filter(pl.col("kind").is_in(kinds)).select(**AS_RECORDED)


def read_tickets(store: "Store", *, ticket: str | None = None, also: Collection[str] = ()) -> pl.DataFrame:
    """What a replay needs of all tickets, or of the one with this key, as a snapshot has it; `also` names columns more.

    A replay alone reads these in place of a whole snapshot.
    """
    columns = dict.fromkeys([*AS_CREATED.values(), *also])
    names = ["id" if name == "ticket" else name for name in columns]
    return store.frame("tickets", names, where=None if ticket is None else {"id": [ticket]}).rename({"id": "ticket"})


def read_events(store: "Store", *, ticket: str | None = None) -> pl.DataFrame:
    """The events that move clocks, the same way."""
    wanted = {"kind": CLOCK_KINDS} if ticket is None else {"kind": CLOCK_KINDS, "ticket_id": [ticket]}
    names = ["ticket_id" if name == "ticket" else name for name in AS_RECORDED.values()]
    return store.frame("events", names, where=wanted).rename({"ticket_id": "ticket"})


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
