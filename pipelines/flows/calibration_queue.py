"""Fill the week's calibration queue."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.calibration_queue import calibration_queue as job


@flow(name="calibration-queue")
def calibration_queue() -> int:
    """Sample last week's resolutions for review; returns how many items were added."""
    with open_app(keep_last_good=True) as app:
        return job(app, at=app.now())
