"""Send what waits for the handler's system."""

from typing import Any

from prefect import flow

from pipelines.flows.alone import run_alone
from pipelines.jobs.deliver import deliver as job


@flow(name="deliver")
def deliver() -> Any:
    """Send every decision whose time has come; returns counts, or ends as skipped while another deliverer is at it."""
    return run_alone("deliver", lambda app: job(app, at=app.now())._asdict())
