"""Say what a ticket's text and facts tell beside its product."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.enrich_tickets import enrich_tickets as job


@flow(name="enrich-tickets")
def enrich_tickets() -> Any:
    """Enrich new and changed tickets; returns how many."""
    return run_alone("enrich", lambda app: job(app, at=app.now())._asdict())
