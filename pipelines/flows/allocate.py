"""Give the waiting backlog to groups."""

from prefect import flow

from pipelines.jobs.allocate import allocate as job
from pipelines.wiring import open_house


@flow(name="allocate")
def allocate() -> dict[str, int]:
    """Allocate the whole waiting backlog at once; returns decisions by outcome."""
    with open_house(keep_last_good=True) as house:
        return job(house, at=house.now())._asdict()
