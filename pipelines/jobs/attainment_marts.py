"""How well promises were kept, by whom, how long it took, why not, and what that costs: the marts about attainment."""

import polars as pl

from pipelines.marts import conform
from pipelines.snapshot import DIMENSIONS as OF_A_TICKET
from pipelines.snapshot import Snapshot

DIMENSIONS = (*OF_A_TICKET[:4], "agent_id", "company_id", "week")
"""Columns of the mart `sla_clocks` by which promises are counted; priority, tier, type, group as of then."""


def attainment_marts(snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """All marts of this file, by name."""
    from sla.reporting.attainment import attainment, reopens, response_times
    from sla.reporting.credits import credited_breaches, sla_credits

    clocks = snapshot.ticket_clocks
    presets = snapshot.policies.credits
    credited = credited_breaches(clocks, presets.preset())
    named = pl.lit(presets.use).alias("preset")
    return {
        "attainment": conform("attainment", attainment(clocks, DIMENSIONS)),
        "response_times": conform("response_times", response_times(clocks, DIMENSIONS)),
        "reopens": conform("reopens", reopens(clocks, DIMENSIONS)),
        "time_in_state": time_in_state_mart(snapshot),
        "breach_reasons": reason_mart(snapshot),
        "credited_breaches": conform("credited_breaches", _with_reference(credited, clocks).with_columns(named)),
        "sla_credits": conform("sla_credits", sla_credits(credited, presets.preset()).with_columns(named)),
        "names": name_mart(snapshot),
    }


def time_in_state_mart(snapshot: Snapshot) -> pl.DataFrame:
    """Time per status, business time on the calendar of the ticket's current resolution clock."""
    from sla.reporting.time_in_state import spells, time_in_state

    current = snapshot.ticket_clocks.filter("is_current", pl.col("clock") == "resolution").select(
        "ticket", "calendar", *OF_A_TICKET
    )
    stays = spells(snapshot.standings, current, snapshot.policies.sla.calendars, snapshot.as_of)
    about = current.drop("calendar")
    return conform("time_in_state", time_in_state(stays.join(about, on="ticket", how="left"), OF_A_TICKET))


def reason_mart(snapshot: Snapshot) -> pl.DataFrame:
    """Every breached window with its reason, the worst first."""
    from sla.reporting.breach_reasons import breach_reasons

    clocks, rules = snapshot.ticket_clocks, snapshot.policies.sla
    found = breach_reasons(
        clocks,
        snapshot.standings,
        rule=snapshot.policies.breach_reasons,
        policies=rules.policies,
        calendars=rules.calendars,
        as_of=snapshot.as_of,
    )
    return conform("breach_reasons", _with_reference(found, clocks).sort("over_by", "ticket", descending=[True, False]))


def name_mart(snapshot: Snapshot) -> pl.DataFrame:
    """Names by dimension and id."""
    groups = pl.DataFrame(
        [(group.group_id, group.name) for group in snapshot.groups], schema=["id", "name"], orient="row"
    )
    frames = {"group_id": groups, "agent_id": snapshot.agents, "company_id": snapshot.companies}
    parts = [
        frame.select(
            dimension=pl.lit(dimension), value=pl.col("id").cast(pl.String), name=pl.col("name").cast(pl.String)
        )
        for dimension, frame in frames.items()
    ]
    return conform("names", pl.concat(parts).sort("dimension", "value"))


def _with_reference(found: pl.DataFrame, clocks: pl.DataFrame) -> pl.DataFrame:
    references = clocks.select("ticket", "reference").unique("ticket", keep="any")
    return found.join(references, on="ticket", how="left", maintain_order="left")
