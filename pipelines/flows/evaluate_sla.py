"""Replay every SLA clock and raise what is new."""

from prefect import flow

from pipelines.jobs.evaluate_sla import evaluate_sla as job
from pipelines.wiring import open_house


@flow(name="evaluate-sla")
def evaluate_sla() -> dict[str, int]:
    """Evaluate all clocks as of now; returns clocks by state and new alerts."""
    with open_house(keep_last_good=True) as house:
        return job(house, as_of=house.now()).counts()
