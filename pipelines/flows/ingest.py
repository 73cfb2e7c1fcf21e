"""Take in what lies in the inbox."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.inbox import take_in


@flow(name="ingest")
def ingest() -> dict[str, int]:
    """Ingest every file waiting in the inbox; returns the counts of the report."""
    with open_app(keep_last_good=True) as app:
        return take_in(app).model_dump()
