"""Say what a ticket's text and facts tell beside its product."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.enrich_tickets import enrich_tickets as job


@flow(name="enrich-tickets")
def enrich_tickets() -> dict[str, int]:
    """Enrich new and changed tickets; returns how many."""
    with open_app(keep_last_good=True) as app:
        return job(app, at=app.now())._asdict()
