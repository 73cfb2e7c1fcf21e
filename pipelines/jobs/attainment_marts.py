"""How well promises were kept, by whom, how long it took, why not, and what that costs: the marts about attainment."""

from datetime import datetime

import polars as pl

from pipelines.app.container import App
from pipelines.jobs.evaluate_sla import AS_RECORDED, tickets_as_created
from pipelines.ticket_snapshot import conform, tickets_at

DIMENSIONS = ("priority", "tier", "type", "group_id", "agent_id", "company_id", "week")
"""Columns of the mart `sla_clocks` by which promises are counted; priority, tier, type, group as of then."""

OF_A_TICKET = ("priority", "tier", "type", "group_id", "company_id")
TOLD_KINDS = (
    "status", "response", "priority", "tier", "type", "pause", "resume", "accepted", "assignee", "transferred",
    "released",
)  # fmt: skip


def with_agents(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> pl.DataFrame:
    """The clocks with `agent_id` and `agent_because`: whose they were, and how that is known."""
    from sla.reporting.attribution import with_agents as told

    now = tickets_at(app, as_of).select("id", assignee_id=pl.coalesce("assignee_id", "owner_id"))
    tickets = tickets_as_created(app).join(now, on="id", how="left", maintain_order="left")
    return told(clocks, tickets, events_told(app), app.store.frame("agents")["id"].to_list(), as_of)


def attainment_marts(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> dict[str, pl.DataFrame]:
    """All marts of this file from the mart `sla_clocks`, by name."""
    from sla.reporting.attainment import attainment, reopens, response_times
    from sla.reporting.credits import credited_breaches, sla_credits

    presets = app.policies.credits
    credited = credited_breaches(clocks, presets.preset())
    named = pl.lit(presets.use).alias("preset")
    return {
        "attainment": conform("attainment", attainment(clocks, DIMENSIONS)),
        "response_times": conform("response_times", response_times(clocks, DIMENSIONS)),
        "reopens": conform("reopens", reopens(clocks, DIMENSIONS)),
        "time_in_state": time_in_state_mart(app, clocks, as_of=as_of),
        "breach_reasons": reason_mart(app, clocks, as_of=as_of),
        "credited_breaches": conform("credited_breaches", _with_reference(credited, clocks).with_columns(named)),
        "sla_credits": conform("sla_credits", sla_credits(credited, presets.preset()).with_columns(named)),
        "names": name_mart(app),
    }


def time_in_state_mart(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> pl.DataFrame:
    """Time per status, business time on the calendar of the ticket's current resolution clock."""
    from sla.reporting.time_in_state import spells, time_in_state

    current = clocks.filter("is_current", pl.col("clock") == "resolution").select("ticket", "calendar", *OF_A_TICKET)
    stays = spells(tickets_as_created(app), events_told(app), current, app.policies.sla.calendars, as_of)
    about = current.drop("calendar")
    return conform("time_in_state", time_in_state(stays.join(about, on="ticket", how="left"), OF_A_TICKET))


def reason_mart(app: App, clocks: pl.DataFrame, *, as_of: datetime) -> pl.DataFrame:
    """Every breached window with its reason, the worst first."""
    from sla.reporting.breach_reasons import breach_reasons

    rule = app.policies.breach_reasons
    tickets, events = tickets_as_created(app), events_told(app)
    found = breach_reasons(
        clocks,
        tickets,
        events,
        rule=rule,
        policies=app.policies.sla.policies,
        calendars=app.policies.sla.calendars,
        as_of=as_of,
    )
    return conform("breach_reasons", _with_reference(found, clocks).sort("over_by", "ticket", descending=[True, False]))


def name_mart(app: App) -> pl.DataFrame:
    """Names by dimension and id."""
    frames = {
        "group_id": ("assignment_groups", "group_id"),
        "agent_id": ("agents", "id"),
        "company_id": ("companies", "id"),
    }
    parts = [
        app.store.frame(table).select(dimension=pl.lit(dimension), value=pl.col(key).cast(pl.String), name="name")
        for dimension, (table, key) in frames.items()
    ]
    return conform("names", pl.concat(parts).sort("dimension", "value"))


def events_told(app: App) -> pl.DataFrame:
    """Who had a ticket and what moved its clocks (schema `sla.contracts.EVENTS` and `actor`, without `id`)."""
    columns = {**AS_RECORDED, "actor": "actor"}
    return app.store.frame("events", list(columns.values()), where={"kind": TOLD_KINDS}).select(**columns)


def _with_reference(found: pl.DataFrame, clocks: pl.DataFrame) -> pl.DataFrame:
    references = clocks.select("ticket", "reference").unique("ticket", keep="any")
    return found.join(references, on="ticket", how="left", maintain_order="left")
