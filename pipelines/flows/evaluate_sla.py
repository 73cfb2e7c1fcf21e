"""Replay every SLA clock and raise what is new."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.evaluate_sla import evaluate_sla as job


@flow(name="evaluate-sla")
def evaluate_sla() -> dict[str, int]:
    """Evaluate all clocks as of now; returns clocks by state and new alerts."""
    with open_app(keep_last_good=True) as app:
        return job(app, as_of=app.now()).counts()
