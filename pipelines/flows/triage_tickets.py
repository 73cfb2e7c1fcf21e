"""Classify and draft for what has not been looked at yet."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.triage_tickets import triage_tickets as job


@flow(name="triage-tickets")
def triage_tickets() -> Any:
    """Classify new tickets and draft replies; returns how many of each."""
    return run_alone("triage", lambda app: job(app, at=app.now()).counts())
