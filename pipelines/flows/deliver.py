"""Send what waits for the handler's system."""

from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.shared.errors import Busy
from pipelines.app.container import open_app
from pipelines.jobs.deliver import deliver as job


@flow(name="deliver")
def deliver() -> Any:
    """Send every decision whose time has come; returns counts, or ends as skipped while another deliverer is at it."""
    with open_app(keep_last_good=True) as app:
        try:
            return job(app, at=app.now())._asdict()
        except Busy as busy:
            return Completed(name="Skipped", message=str(busy))
