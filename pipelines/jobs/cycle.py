"""One full cycle: ingest, triage, allocate, deliver, evaluate the SLA, enrich, publish."""

from collections.abc import Callable
from datetime import datetime, timedelta

from engine.shared.errors import HelmdeskError
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.allocate import allocate
from pipelines.jobs.deliver import deliver
from pipelines.jobs.enrich_tickets import enrich_tickets
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.inbox import take_in
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent


def cycle(app: App, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """Run every stage once as of one instant; returns the new publication. Running again changes nothing more.

    Raises Busy while another cycle, triage, enrichment or training works on this store; BadInput before anything runs,
    for a model file that is not there and for a broken policy file unless a last good version of it is in force.
    """
    app.settings.check_model()
    app.policies.take_up()
    with alone(app, "cycle"):
        take_in(app, progress=progress)
        return after_ingest(app, as_of=as_of, progress=progress)


def after_ingest(app: App, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """The stages after ingest."""
    triage_tickets(app, at=as_of, progress=progress)
    progress("allocate", 0, 1)
    allocate(app, at=as_of)
    progress("allocate", 1, 1)
    deliver(app, at=app.now())
    progress("evaluate SLA", 0, 1)
    evaluated = evaluate_sla(app, as_of=as_of)
    progress("evaluate SLA", 1, 1)
    enrich_tickets(app, at=as_of, clocks=evaluated.clocks, progress=progress)
    progress("publish", 0, 1)
    publish(app, as_of=as_of, clocks=evaluated.clocks)
    progress("publish", 1, 1)
    return MartReader(app.settings.marts_folder)


def repeat(
    app: App,
    *,
    every: timedelta,
    wait: Callable[[float], object],
    told: Callable[[str], object],
    progress: Progress = silent,
) -> None:
    """A cycle now and then every so often, until `wait` raises; a failed round is told of and the next one tried.

    `wait` is given the seconds to the next round, 0 if the last one took longer.
    """
    while True:
        began = app.now()
        app.triage.forget_classifier()  # a training may have put another model in force
        try:
            reader = cycle(app, as_of=began, progress=progress)
            told(f"{began:%Y-%m-%d %H:%M:%SZ} published {sum(reader.publication.rows.values()):,} rows")
            reader.close()
        except HelmdeskError as error:
            told(f"{began:%Y-%m-%d %H:%M:%SZ} failed: {' '.join(str(error).split())}")
        wait(max(0.0, (every - (app.now() - began)).total_seconds()))
