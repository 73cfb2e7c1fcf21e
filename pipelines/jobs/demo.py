"""The shipped sample through every room."""

from datetime import UTC, datetime
from pathlib import Path

from engine.shared.errors import BadInput
from engine.shared.policy_file import read_yaml
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.cycle import STAGES, CycleRun
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent


def demo(app: App, *, progress: Progress = silent) -> MartReader:
    """Ingest the shipped synthetic tickets and people and run one cycle as of the sample's own last morning."""
    folder = app.settings.data / "tickets"
    as_of = _as_of(folder / "sample.yaml")
    bring_people(app, app.settings.data / "people")
    ingest(app, folder, source="helmdesk", at=app.now(), progress=progress)
    with alone(app, "cycle"):
        CycleRun(app, as_of, progress).walk([name for name in STAGES if name != "ingest"])
    return MartReader(app.settings.marts_folder)


def _as_of(file: Path) -> datetime:
    """The instant the sample speaks of."""
    sample = read_yaml(file, what="sample (is HELMDESK_DATA right?)")
    try:
        return datetime.fromisoformat(str(sample["as_of"])).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise BadInput(f"{file}: as_of: expected an instant with its zone, such as 2026-10-01T08:00:00Z") from None
