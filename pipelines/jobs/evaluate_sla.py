"""Replay every SLA clock as of one instant, and raise each warning and breach once."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from engine.contracts import CLOCK_KINDS
from pipelines.compute import over_partitions, partitioned, parts_for
from pipelines.wiring import House

if TYPE_CHECKING:
    from sla.calendars import Calendar
    from sla.promises import Policies

NEWS = timedelta(days=1)
DASK_PARTS = 8


class Evaluated(NamedTuple):
    """All clocks as of one instant (schema `sla.contracts.CLOCKS`) and how many alerts were new."""

    clocks: pl.DataFrame
    alerts: int

    def counts(self) -> dict[str, int]:
        by_state = self.clocks.filter("is_current").group_by("state").len().sort("state").iter_rows()
        return {str(state): count for state, count in by_state} | {"new_alerts": self.alerts}


def evaluate_sla(house: House, *, as_of: datetime) -> Evaluated:
    """Evaluate the whole store; alerts that are new are kept in `sla_alerts`, each exactly once."""
    clocks = replay(house, as_of=as_of)
    return Evaluated(clocks, raise_alerts(house, clocks, as_of=as_of))


def replay(house: House, *, as_of: datetime) -> pl.DataFrame:
    """Every clock of every ticket as of one instant, from the history; writes nothing.

    A large backlog is cut into partitions for this machine's threads, or for Dask where an address is set.
    """
    tickets, events = tickets_as_created(house), clock_events(house)
    address = house.settings.dask_address
    parts = max(parts_for(tickets.height), DASK_PARTS if address else 1)
    cut = zip(partitioned(tickets, "id", parts), partitioned(events, "ticket", parts), strict=True)
    work = partial(evaluated, policies=house.sla_policies, calendars=house.calendars, as_of=as_of)
    return over_partitions(work, list(cut), dask_address=address)


def evaluated(
    part: tuple[pl.DataFrame, pl.DataFrame],
    *,
    policies: "Policies",
    calendars: "Mapping[str, Calendar]",
    as_of: datetime,
) -> pl.DataFrame:
    """One partition's clocks (schema `sla.contracts.CLOCKS`)."""
    from sla.batch import evaluate

    return evaluate(*part, policies, calendars, as_of)


def tickets_as_created(house: House) -> pl.DataFrame:
    """All tickets with their values at creation (schema `sla.contracts.TICKETS`)."""
    return house.store.frame("tickets").select(
        "id",
        "created_at",
        priority="created_priority",
        tier="created_tier",
        type="created_type",
        team="group_id",
        channel="channel",
        status="created_status",
    )


def clock_events(house: House) -> pl.DataFrame:
    """The events that move clocks (schema `sla.contracts.EVENTS`), in the order they were recorded per ticket."""
    events = house.store.frame("events").filter(pl.col("kind").is_in([kind.value for kind in CLOCK_KINDS]))
    return events.select(
        ticket="ticket_id", ts="at", kind="kind", value="value", id="id", seq=pl.col("version").cast(pl.Int64)
    )


def raise_alerts(house: House, clocks: pl.DataFrame, *, as_of: datetime) -> int:
    """Keep every warning and breach that was not raised before; returns how many. Two evaluators at once raise one.

    A clock that stopped more than a day ago is history, not news: loading an archive wakes nobody.
    """
    from sla.alerts import new_alerts

    is_news = pl.col("stopped_at").is_null() | (pl.col("stopped_at") > pl.lit(as_of - NEWS))
    called_for = new_alerts(clocks.filter(is_news), house.alert_rules, house.alert_store.known_keys(), as_of)
    references = dict(house.store.frame("tickets").select("id", "external_id").iter_rows())
    return house.alert_store.add(called_for, external_ids=references).height
