"""Replay every SLA clock and raise what is new."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.evaluate_sla import evaluate_sla as job


@flow(name="evaluate-sla")
def evaluate_sla() -> Any:
    """Evaluate all clocks as of now; returns clocks by state and new alerts."""
    return run_alone("evaluate", lambda app: job(app, as_of=app.now()).counts())
