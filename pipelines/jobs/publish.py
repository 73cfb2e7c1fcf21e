"""Build every mart from the store and put the publication in force."""

from datetime import datetime

import polars as pl

from engine.standings import volume
from pipelines import marts
from pipelines.app.container import App
from pipelines.jobs.allocate import loaded
from pipelines.jobs.attainment_marts import attainment_marts
from pipelines.jobs.enrichment_marts import enrichment_marts
from pipelines.jobs.evaluate_sla import replay
from pipelines.jobs.triage_marts import triage_marts
from pipelines.jobs.work_queue import scored
from pipelines.marts import chain_heads
from pipelines.ticket_snapshot import conform, latest_claims, ticket_mart, ticket_snapshot


def publish(app: App, *, as_of: datetime, clocks: pl.DataFrame | None = None) -> marts.Publication:
    """Publish all marts as of one instant; `clocks` spares the replay if it was just done for the same instant. Raises
    BadInput for an emptied store."""
    folder = app.settings.marts_folder
    chain_heads.refuse_emptied(app.store, folder)
    frames = build(app, as_of=as_of, clocks=replay(app, as_of=as_of) if clocks is None else clocks)
    heads = chain_heads.to_publish(
        app.store, folder, warn=lambda reason: app.log.warning("chain heads lost", reason=reason)
    )
    return marts.publish(frames, folder, as_of=as_of, at=app.now(), heads=heads)


def build(app: App, *, as_of: datetime, clocks: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Every mart with its declared columns, as of one instant. Rejected rows have no instant of their own: all are
    shown."""
    from sla.reporting.attribution import with_agents

    claims, (stood, standings) = latest_claims(app, as_of), ticket_snapshot(app, as_of)
    tickets = ticket_mart(stood, claims)
    sla_clocks = clock_mart(with_agents(clocks, standings, app.store.frame("agents")["id"].to_list(), as_of), tickets)
    decisions, alerts = app.store.frame("allocation_decisions"), app.store.frame("sla_alerts")
    allocations = allocation_mart(decisions.filter(pl.col("decided_at") <= as_of), tickets)
    suggestions = suggestion_mart(app.triage.store.latest_frame("suggestions", as_of=as_of))
    return {
        "tickets": tickets,
        "sla_clocks": sla_clocks,
        **attainment_marts(app, sla_clocks, standings, as_of=as_of),
        "work_queue": queue_mart(
            scored(app, tickets, clocks, at=as_of), claims, suggestions, app.store.frame("assignment_groups")
        ),
        "allocations": allocations,
        "group_load": load_mart(app, tickets, allocations),
        "classifications": claims,
        **triage_marts(app, tickets, claims, suggestions, as_of=as_of),
        "suggestions": suggestions,
        **enrichment_marts(app, tickets, sla_clocks, as_of=as_of),
        "alerts": alert_mart(alerts.filter(pl.col("triggered_at") <= as_of)),
        "volume": conform("volume", volume(standings)),
        "rejected": conform("rejected", app.store.frame("rejected_rows")),
    }


def clock_mart(clocks: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """The clocks of these tickets; one that did not exist yet has none."""
    about = tickets.select("ticket", "reference", "priority", "tier", "type", "group_id", "company_id")
    week = pl.col("window_start").dt.truncate("1w").dt.date()
    return conform("sla_clocks", clocks.join(about, on="ticket", how="inner").with_columns(week=week))


def queue_mart(
    queue: pl.DataFrame, claims: pl.DataFrame, suggestions: pl.DataFrame, groups: pl.DataFrame
) -> pl.DataFrame:
    """The scored queue with what triage guessed (also where it is unsure) and whether there is a grounded draft."""
    guesses = claims.select("ticket", "confidence", "needs_review", guess="product")
    joined = (
        queue.join(guesses, on="ticket", how="left")
        .join(suggestions.filter("grounded").select("ticket", has_suggestion=True), on="ticket", how="left")
        .join(groups.select("group_id", group_name="name"), on="group_id", how="left", maintain_order="left")
    )
    return conform(
        "work_queue",
        joined.with_columns(
            pl.col("has_suggestion").fill_null(value=False), product=pl.coalesce("product", "guess")
        ).sort(["score", "created_at", "ticket"], descending=[True, False, False]),
    )


def allocation_mart(decisions: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """The last decision about each ticket."""
    latest = decisions.sort("decided_at", "id").unique("ticket_id", keep="last").rename({"ticket_id": "ticket"})
    joined = latest.join(tickets.select("ticket", "reference"), on="ticket", how="left")
    return conform("allocations", joined.sort("decided_at", "ticket"))


def load_mart(app: App, tickets: pl.DataFrame, allocations: pl.DataFrame) -> pl.DataFrame:
    """Load by the open tickets, split into what allocation put there and what was there before."""
    held = tickets.filter("is_open").drop_nulls("group_id").select("ticket", "group_id")
    still = allocations.filter(pl.col("outcome") == "allocated").join(held, on=["ticket", "group_id"], how="semi")
    given = dict(still.group_by("group_id").len().iter_rows())
    open_here = dict(held.group_by("group_id").len().iter_rows())
    rows = [
        {
            "group_id": group.group_id,
            "group_name": group.name,
            "status": group.status.value,
            "capacity": group.max_bandwidth,
            "load_before": group.current_load - given.get(group.group_id, 0),
            "allocated": given.get(group.group_id, 0),
            "load_after": group.current_load,
            "utilisation": group.current_load / group.max_bandwidth if group.max_bandwidth else None,
        }
        for group in loaded(app, open_here)
    ]
    return pl.DataFrame(rows, schema=marts.MARTS["group_load"].schema)


def suggestion_mart(latest: pl.DataFrame) -> pl.DataFrame:
    return conform("suggestions", latest.rename({"ticket_id": "ticket"}).sort("ticket"))


def alert_mart(alerts: pl.DataFrame) -> pl.DataFrame:
    named = alerts.rename(
        {
            "ticket_id": "ticket",
            "ticket_external_id": "reference",
            "sla_type": "clock",
            "escalation_level": "level",
        }
    )
    return conform("alerts", named.sort("triggered_at", "ticket"))
