"""Give the waiting backlog to groups."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.allocate import allocate as job


@flow(name="allocate")
def allocate() -> Any:
    """Allocate the whole waiting backlog at once; returns decisions by outcome."""
    return run_alone("allocate", lambda app: job(app, at=app.now())._asdict())
