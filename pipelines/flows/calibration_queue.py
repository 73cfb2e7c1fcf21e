"""Fill the week's calibration queue."""

from prefect import flow

from pipelines.jobs.calibration_queue import calibration_queue as job
from pipelines.wiring import open_house


@flow(name="calibration-queue")
def calibration_queue() -> int:
    """Sample last week's resolutions for review; returns how many items were added."""
    with open_house(keep_last_good=True) as house:
        return job(house, at=house.now())
