"""Publish the marts."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.publish import publish as job


@flow(name="publish")
def publish() -> Any:
    """Publish every mart as of now; returns rows per mart."""
    return run_alone("publish", lambda app: job(app, as_of=app.now()).rows)
