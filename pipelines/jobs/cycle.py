"""One full cycle: every stage of STAGES once, in its order and as of one instant."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

import polars as pl

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


class CycleRun:
    """What one cycle hands on from stage to stage: the app, the instant spoken of, and the clocks as of it."""

    def __init__(self, app: App, at: datetime, progress: Progress = silent) -> None:
        self.app, self.at, self.progress = app, at, progress
        self.clocks: pl.DataFrame | None = None


Stage = Callable[[CycleRun], dict[str, int]]
"""Does its work and says how much of what there was."""


def _evaluate(run: CycleRun) -> dict[str, int]:
    evaluated = evaluate_sla(run.app, as_of=run.at)
    run.clocks = evaluated.clocks
    return evaluated.counts()


STAGES: Mapping[str, Stage] = {
    "ingest": lambda run: take_in(run.app, progress=run.progress).model_dump(),
    "triage": lambda run: triage_tickets(run.app, at=run.at, progress=run.progress).counts(),
    "allocate": lambda run: allocate(run.app, at=run.at)._asdict(),
    "deliver": lambda run: deliver(run.app, at=run.app.now())._asdict(),
    "evaluate": _evaluate,
    "enrich": lambda run: enrich_tickets(run.app, at=run.at, clocks=run.clocks, progress=run.progress)._asdict(),
    "publish": lambda run: publish(run.app, as_of=run.at, clocks=run.clocks).rows,
}
_SILENT = {"allocate": "allocate", "evaluate": "evaluate SLA", "publish": "publish"}
"""Stages that report no progress of their own, and what a reader calls them."""


def cycle(app: App, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """Run every stage once as of one instant; returns the new publication. Running again changes nothing more.

    Raises Busy while another cycle, triage, enrichment or training works on this store; BadInput before anything runs,
    for a model file that is not there and for a broken policy file unless a last good version of it is in force.
    """
    prepare(app)
    with alone(app, "cycle"):
        return walk(CycleRun(app, as_of, progress), list(STAGES))


def prepare(app: App) -> None:
    """What has to be right before anything runs. Raises BadInput."""
    app.settings.check_model()
    app.policies.take_up()


def walk(run: CycleRun, names: list[str]) -> MartReader:
    """These stages one after the other; returns the publication in force afterwards."""
    for name in names:
        label = _SILENT.get(name)
        if label:
            run.progress(label, 0, 1)
        STAGES[name](run)
        if label:
            run.progress(label, 1, 1)
    return MartReader(run.app.settings.marts_folder)


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
