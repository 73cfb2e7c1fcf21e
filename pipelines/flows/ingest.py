"""Take in what lies in the inbox."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.inbox import take_in


@flow(name="ingest")
def ingest() -> Any:
    """Ingest every file waiting in the inbox; returns the counts of the report."""
    return run_alone("ingest", lambda app: take_in(app).model_dump())
