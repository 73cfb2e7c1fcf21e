"""Publish the marts."""

from prefect import flow

from pipelines.jobs.publish import publish as job
from pipelines.wiring import open_house


@flow(name="publish")
def publish() -> dict[str, int]:
    """Publish every mart as of now; returns rows per mart."""
    with open_house(keep_last_good=True) as house:
        return job(house, as_of=house.now()).rows
