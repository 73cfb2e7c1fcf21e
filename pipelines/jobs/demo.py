"""The shipped sample through every room."""

from datetime import UTC, datetime
from pathlib import Path

from engine.shared.errors import BadInput, NotFound
from engine.shared.policy_file import read_yaml
from engine.storage.last_instant import last_instant
from pipelines import marts
from pipelines.app import clock, identity
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.cycle import STAGES, CycleRun
from pipelines.jobs.demo_past import live_through
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent


def demo(app: App, *, progress: Progress = silent) -> MartReader:
    """Ingest the shipped synthetic tickets and people and run one cycle as of the sample's own last morning, in whose
    time the home lives from then on. Raises BadInput for a home with tickets of its own."""
    folder = app.settings.data / "tickets"
    as_of = _as_of(folder / "sample.yaml")
    if not app.is_demo and app.store.ticket_count():
        raise BadInput(
            f"{app.settings.home} has tickets, and the demo's are not mixed with them: give another --home, or remove "
            "this one if it is an older demo's"
        )
    _set_time(app, as_of)
    bring_people(app, app.settings.data / "people")
    here = identity.local_user(app)
    identity.set_user(app, "AUD-01", by=here, roles=[identity.UserRole.AUDITOR], name="Ines Aalto")
    ingest(app, folder, source="helmdesk", at=app.now(), progress=progress)
    with alone(app, "cycle"):
        live_through(app, as_of, folder / "labels.csv")
        CycleRun(app, as_of, progress).walk([name for name in STAGES if name != "ingest"])
    _set_time(app, as_of)
    return MartReader(app.settings.marts_folder)


def start_again(app: App, *, if_at_rest: bool = False) -> None:
    """Begin a demo's time anew, at the sample's instant or the last one that anything was recorded at since; with
    `if_at_rest` only where nobody did for long. A home that is no demo's has the machine's time."""
    found = clock.demo_clock(app.settings)
    if found and (found.is_at_rest(datetime.now(UTC)) or not if_at_rest):
        _set_time(app, found.began_at)


def _set_time(app: App, as_of: datetime) -> None:
    """To the sample's instant, but never to before anything that was recorded or published."""
    seen = [as_of, last_instant(app.store.engine), _published_at(app)]
    clock.set_demo_clock(app.settings, began_at=as_of, at=max(each for each in seen if each is not None))


def _published_at(app: App) -> datetime | None:
    try:
        return marts.current(app.settings.marts_folder).published_at
    except NotFound:
        return None


def _as_of(file: Path) -> datetime:
    """The instant the sample speaks of."""
    sample = read_yaml(file, what="sample (is HELMDESK_DATA right?)")
    try:
        return datetime.fromisoformat(str(sample["as_of"])).astimezone(UTC)
    except (ValueError, KeyError, TypeError, OverflowError):
        raise BadInput(f"{file}: as_of: expected an instant with its zone, such as 2026-10-01T08:00:00Z") from None
