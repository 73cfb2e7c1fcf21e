"""Build every mart from the store and put the publication in force."""

import polars as pl

from engine.standings import volume
from pipelines import marts
from pipelines.app.container import App
from pipelines.jobs.attainment_marts import attainment_marts
from pipelines.jobs.enrichment_marts import enrichment_marts
from pipelines.jobs.triage_marts import triage_marts
from pipelines.marts import chain_heads, conform
from pipelines.snapshot import Snapshot
from pipelines.work_queue import with_load


def publish(app: App, snapshot: Snapshot) -> marts.Publication:
    """Publish all marts as of the snapshot's instant. Raises BadInput for an emptied store."""
    folder = app.settings.marts_folder
    chain_heads.refuse_emptied(app.store, folder)
    frames = build(snapshot)
    heads = chain_heads.to_publish(
        app.store, folder, warn=lambda reason: app.log.warning("chain heads lost", reason=reason)
    )
    return marts.publish(frames, folder, as_of=snapshot.as_of, at=app.now(), heads=heads)


def build(snapshot: Snapshot) -> dict[str, pl.DataFrame]:
    """Every mart with its declared columns."""
    tickets, as_of = snapshot.tickets, snapshot.as_of
    sla_clocks, claims = snapshot.ticket_clocks, snapshot.latest_claims
    allocations = allocation_mart(snapshot.latest_decisions, tickets)
    return {
        "tickets": conform("tickets", tickets),
        "sla_clocks": conform("sla_clocks", sla_clocks),
        **attainment_marts(snapshot),
        "work_queue": queue_mart(snapshot),
        "allocations": allocations,
        "group_load": load_mart(snapshot, allocations),
        "classifications": conform("classifications", claims.sort("created_at", "ticket")),
        **triage_marts(snapshot),
        "suggestions": conform("suggestions", snapshot.latest_drafts.sort("ticket")),
        **enrichment_marts(snapshot),
        "alerts": alert_mart(snapshot.alerts.filter(pl.col("triggered_at") <= as_of)),
        "volume": conform("volume", volume(snapshot.standings)),
        "rejected": conform("rejected", snapshot.rejected),
    }


def queue_mart(snapshot: Snapshot) -> pl.DataFrame:
    """The scored queue with what triage guessed (also where it is unsure) and whether there is a grounded draft."""
    guesses = snapshot.latest_claims.select("ticket", "confidence", "needs_review", guess="product")
    groups = pl.DataFrame(
        [(g.group_id, g.name) for g in snapshot.groups], schema=["group_id", "group_name"], orient="row"
    )
    joined = (
        snapshot.queue.join(guesses, on="ticket", how="left")
        .join(snapshot.latest_drafts.filter("grounded").select("ticket", has_suggestion=True), on="ticket", how="left")
        .join(groups.cast(pl.String), on="group_id", how="left", maintain_order="left")
    )
    return conform(
        "work_queue",
        joined.with_columns(
            pl.col("has_suggestion").fill_null(value=False), product=pl.coalesce("product", "guess")
        ).sort(["score", "created_at", "ticket"], descending=[True, False, False]),
    )


def allocation_mart(decisions: pl.DataFrame, tickets: pl.DataFrame) -> pl.DataFrame:
    """The last decision about each ticket."""
    joined = decisions.join(tickets.select("ticket", "reference"), on="ticket", how="left")
    return conform("allocations", joined.sort("decided_at", "ticket"))


def load_mart(snapshot: Snapshot, allocations: pl.DataFrame) -> pl.DataFrame:
    """Load by the open tickets, split into what allocation put there and what was there before."""
    held = snapshot.tickets.filter("is_open").drop_nulls("group_id").select("ticket", "group_id")
    still = allocations.filter(pl.col("outcome") == "allocated").join(held, on=["ticket", "group_id"], how="semi")
    given = dict(still.group_by("group_id").len().iter_rows())
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
        for group in with_load(snapshot.groups, held)
    ]
    return pl.DataFrame(rows, schema=marts.MARTS["group_load"].schema)


def alert_mart(alerts: pl.DataFrame) -> pl.DataFrame:
    named = alerts.rename(
        {
            "ticket_external_id": "reference",
            "sla_type": "clock",
            "escalation_level": "level",
        }
    )
    return conform("alerts", named.sort("triggered_at", "ticket"))
