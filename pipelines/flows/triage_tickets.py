"""Classify and draft for what has not been looked at yet."""

from prefect import flow

from pipelines.jobs.triage_tickets import triage_tickets as job
from pipelines.wiring import open_house


@flow(name="triage-tickets")
def triage_tickets() -> dict[str, int]:
    """Classify new tickets and draft replies; returns how many of each."""
    with open_house(keep_last_good=True) as house:
        return job(house, at=house.now()).counts()
