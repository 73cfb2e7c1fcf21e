"""Send what waits for the handler's system."""

from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.errors import Busy
from pipelines.jobs.deliver import deliver as job
from pipelines.wiring import open_house


@flow(name="deliver")
def deliver() -> Any:
    """Send every decision whose time has come; returns counts, or ends as skipped while another deliverer is at it."""
    with open_house(keep_last_good=True) as house:
        try:
            return job(house, at=house.now())._asdict()
        except Busy as busy:
            return Completed(name="Skipped", message=str(busy))
