"""Take in what lies in the inbox."""

from prefect import flow

from pipelines.inbox import take_in
from pipelines.wiring import open_house


@flow(name="ingest")
def ingest() -> dict[str, int]:
    """Ingest every file waiting in the inbox; returns the counts of the report."""
    with open_house(keep_last_good=True) as house:
        return take_in(house).model_dump()
