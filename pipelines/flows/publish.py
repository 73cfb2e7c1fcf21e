"""Publish the marts."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.publish import publish as job


@flow(name="publish")
def publish() -> dict[str, int]:
    """Publish every mart as of now; returns rows per mart."""
    with open_app(keep_last_good=True) as app:
        return job(app, as_of=app.now()).rows
