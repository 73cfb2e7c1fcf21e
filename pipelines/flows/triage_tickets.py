"""Classify and draft for what has not been looked at yet."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.triage_tickets import triage_tickets as job


@flow(name="triage-tickets")
def triage_tickets() -> dict[str, int]:
    """Classify new tickets and draft replies; returns how many of each."""
    with open_app(keep_last_good=True) as app:
        return job(app, at=app.now()).counts()
