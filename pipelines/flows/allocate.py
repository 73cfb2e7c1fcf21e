"""Give the waiting backlog to groups."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.allocate import allocate as job


@flow(name="allocate")
def allocate() -> dict[str, int]:
    """Allocate the whole waiting backlog at once; returns decisions by outcome."""
    with open_app(keep_last_good=True) as app:
        return job(app, at=app.now())._asdict()
