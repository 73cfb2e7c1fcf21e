"""The shipped sample through every room."""

from datetime import UTC, datetime
from pathlib import Path

from engine.datafiles import read_yaml
from engine.errors import BadInput
from pipelines.jobs.cycle import after_ingest
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent
from pipelines.wiring import House


def demo(house: House, *, progress: Progress = silent) -> MartReader:
    """Ingest the shipped synthetic tickets and people and run one cycle as of the sample's own last morning."""
    folder = house.settings.data / "tickets"
    as_of = _as_of(folder / "sample.yaml")
    bring_people(house, house.settings.data / "people")
    ingest(house, folder, source="helmdesk", at=house.now(), progress=progress)
    return after_ingest(house, as_of=as_of, progress=progress)


def _as_of(file: Path) -> datetime:
    """The instant the sample speaks of."""
    sample = read_yaml(file, what="sample (is HELMDESK_DATA right?)")
    try:
        return datetime.fromisoformat(str(sample["as_of"])).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise BadInput(f"{file}: as_of: expected an instant with its zone, such as 2026-10-01T08:00:00Z") from None
