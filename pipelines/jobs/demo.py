"""The shipped sample through every room."""

from datetime import datetime

import yaml

from pipelines.jobs.cycle import after_ingest
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent
from pipelines.wiring import House


def demo(house: House, *, progress: Progress = silent) -> MartReader:
    """Ingest the shipped synthetic tickets and people and run one cycle as of the sample's own last morning."""
    folder = house.settings.data / "tickets"
    sample = yaml.safe_load((folder / "sample.yaml").read_text(encoding="utf-8"))
    as_of = datetime.fromisoformat(str(sample["as_of"]))
    bring_people(house, house.settings.data / "people")
    ingest(house, folder, source="helmdesk", at=house.now(), progress=progress)
    return after_ingest(house, as_of=as_of, progress=progress)
