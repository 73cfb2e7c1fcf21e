"""Draw the week's grant review."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.grant_review import draw as job


@flow(name="grant-review")
def grant_review() -> int:
    """Sample last week's grants for review; returns how many items were added."""
    with open_app(keep_last_good=True) as app:
        return job(app, at=app.now())
