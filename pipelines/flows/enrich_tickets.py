"""Say what a ticket's text and facts tell beside its product."""

from prefect import flow

from pipelines.jobs.enrich_tickets import enrich_tickets as job
from pipelines.wiring import open_house


@flow(name="enrich-tickets")
def enrich_tickets() -> dict[str, int]:
    """Enrich new and changed tickets; returns how many."""
    with open_house(keep_last_good=True) as house:
        return job(house, at=house.now())._asdict()
