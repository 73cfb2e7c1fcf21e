"""A source says .2 and enriching found .6: .2 counts. Another source says nothing: .6, and not the policy's .5."""

import polars as pl

from engine.allocation.factors import profile_of
from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.allocate import backlog
from pipelines.jobs.cycle import STAGES
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered, later


def test_the_sources_own_complexity_counts_else_the_one_that_enriching_found(app: App) -> None:
    said = delivered(1, external_metadata={"estimated_complexity": 0.2})
    app.store.ingest(Delivery(tickets=(said, delivered(2), delivered(3))), at=later(1))
    found = pl.DataFrame({"ticket": ["web:1", "web:2"], "complexity": [0.6, 0.604]})
    tickets = backlog(app, Snapshot(app, later(2)).with_parts(enrichments=found))
    policy = app.policies.allocation
    complexity = {ticket.id: profile_of(ticket, (), policy).complexity for ticket in tickets}
    assert complexity == {"web:1": 0.2, "web:2": 0.6, "web:3": policy.default_complexity == 0.5 and 0.5}


def test_a_cycle_evaluates_and_enriches_first() -> None:
    stages = list(STAGES)
    assert stages.index("triage") < stages.index("evaluate") < stages.index("enrich") < stages.index("allocate")
