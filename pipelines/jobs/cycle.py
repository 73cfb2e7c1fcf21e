"""One full cycle: every stage of STAGES once, in its order, on one snapshot as of one instant."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from engine.shared.errors import Busy, HelmdeskError, StageFailed, in_a_line, translate_file_errors
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.allocate import allocate
from pipelines.jobs.deliver import deliver
from pipelines.jobs.enrich_tickets import enrich_tickets
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.inbox import take_in
from pipelines.jobs.publish import publish
from pipelines.jobs.receipts import take_in_all_receipts
from pipelines.jobs.sweep import sweep
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent
from pipelines.snapshot import Snapshot

Counts = Mapping[str, int]
"""How much of what a stage did, by name."""


class Stage(NamedTuple):
    """What is done on what a snapshot has, and which of its parts are then to be read again. `label` names a stage to
    a reader that reports no progress of its own."""

    work: Callable[[App, Snapshot, Progress], Counts]
    writes: tuple[str, ...] = ()
    label: str | None = None


STAGES: Mapping[str, Stage] = {
    "ingest": Stage(
        lambda app, _, progress: (take_in(app, progress=progress) + take_in_all_receipts(app)).model_dump(),
        writes=("rejected", "agents", "companies", "groups"),
    ),
    "triage": Stage(
        lambda app, snapshot, progress: triage_tickets(app, snapshot, progress=progress).counts(),
        writes=("claims", "drafts"),
    ),
    "evaluate": Stage(
        lambda app, snapshot, _: evaluate_sla(app, snapshot).counts(), writes=("alerts", "nudges"), label="evaluate SLA"
    ),
    "enrich": Stage(
        lambda app, snapshot, progress: enrich_tickets(app, snapshot, progress=progress)._asdict(),
        writes=("enrichments", "related"),
    ),
    "allocate": Stage(
        lambda app, snapshot, _: allocate(app, snapshot)._asdict(), writes=("decisions", "groups"), label="allocate"
    ),
    "sweep": Stage(
        lambda app, snapshot, _: sweep(app, snapshot)._asdict(), writes=("decisions", "flags"), label="sweep"
    ),
    "deliver": Stage(lambda app, *_: deliver(app, at=app.now())._asdict()),
    "publish": Stage(lambda app, snapshot, _: publish(app, snapshot).rows, label="publish"),
}
"""A stage's writes to tickets and their events need no naming: each stage begins with a look at the versions."""


class CycleRun:
    """One walk over the stages: the snapshot as the stages so far left it, and what became of each stage."""

    def __init__(self, app: App, as_of: datetime, progress: Progress = silent) -> None:
        self.app, self.progress = app, progress
        self.snapshot = Snapshot(app, as_of)
        self.counts: dict[str, Counts] = {}
        self.failures: dict[str, Exception] = {}

    def stage(self, name: str) -> Counts:
        """Do this stage alone on its store, with what others changed meanwhile. If it fails, the next one starts from
        what is then in the store, and the error is raised; so is Busy where somebody else is at it, which is no
        failure."""
        stage = STAGES[name]
        if stage.label:
            self.progress(stage.label, 0, 1)
        try:
            with translate_file_errors(f"{name} can't go on"), alone(self.app, name):
                snapshot = self.snapshot.caught_up()
                self.counts[name] = stage.work(self.app, snapshot, self.progress)
            self.snapshot = snapshot.read_again(*stage.writes)
        except Busy:
            raise
        except Exception as error:
            self.failures[name] = error
            self.snapshot = Snapshot(self.app, self.snapshot.as_of)
            raise
        if stage.label:
            self.progress(stage.label, 1, 1)
        return self.counts[name]

    def walk(self, names: list[str]) -> None:
        """These stages one after the other; one that fails holds up no other. Raises StageFailed once all had their
        turn."""
        for name in names:
            try:
                self.stage(name)
            except Busy as busy:
                self.app.log.warning("stage skipped", stage=name, reason=in_a_line(busy))
            except Exception as error:
                self.app.log.warning("stage failed", stage=name, reason=in_a_line(error), exc_info=_is_bug(error))
        self.check()

    def check(self) -> None:
        """Raises StageFailed if a stage failed, with the place of the first."""
        if not self.failures:
            return
        reasons = "; ".join(f"{name}: {in_a_line(error)}" for name, error in self.failures.items())
        place = min(list(STAGES).index(name) for name in self.failures)
        raise StageFailed(f"{reasons} (done: {', '.join(self.counts) or 'nothing'})", place=place)


def _is_bug(error: Exception) -> bool:
    return not isinstance(error, HelmdeskError)


def cycle(app: App, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """Run every stage once as of one instant; returns the new publication. Running again changes nothing more.

    Raises Busy while another cycle, triage, enrichment or training works on this store; BadInput before anything runs,
    for a model file that is not there and for a broken policy file unless a last good version of it is in force;
    StageFailed after the last stage if one failed.
    """
    prepare(app)
    with alone(app, "cycle"):
        CycleRun(app, as_of, progress).walk(list(STAGES))
    return MartReader(app.settings.marts_folder)


def prepare(app: App) -> None:
    """What has to be right before anything runs. Raises BadInput."""
    app.settings.check_model()
    app.policies.take_up()


def repeat(
    app: App,
    *,
    every: timedelta,
    wait: Callable[[float], object],
    report: Callable[[str], object],
    progress: Progress = silent,
) -> None:
    """A cycle now and then every so often, until `wait` raises; a failed round is reported and the next one tried.

    `wait` is given the seconds to the next round, 0 if the last one took longer.
    """
    while True:
        began = app.now()
        app.triage.forget_classifier()  # a training may have put another model in force
        try:
            reader = cycle(app, as_of=began, progress=progress)
            report(f"{began:%Y-%m-%d %H:%M:%SZ} published {sum(reader.publication.rows.values()):,} rows")
            reader.close()
        except Busy as busy:
            report(f"{began:%Y-%m-%d %H:%M:%SZ} skipped: {in_a_line(busy)}")
        except Exception as error:
            report(f"{began:%Y-%m-%d %H:%M:%SZ} failed: {in_a_line(error)}")
        wait(max(0.0, (every - max(app.now() - began, timedelta())).total_seconds()))
