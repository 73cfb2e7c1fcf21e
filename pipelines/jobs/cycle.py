"""One full cycle: ingest, triage, allocate, evaluate the SLA, publish."""

from datetime import datetime

from pipelines.inbox import take_in
from pipelines.jobs.allocate import allocate
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.marts import MartReader
from pipelines.progress import Progress, silent
from pipelines.wiring import House


def cycle(house: House, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """Run every stage once as of one instant; returns the new publication. Running again changes nothing more."""
    take_in(house, progress=progress)
    return after_ingest(house, as_of=as_of, progress=progress)


def after_ingest(house: House, *, as_of: datetime, progress: Progress = silent) -> MartReader:
    """The stages after ingest."""
    triage_tickets(house, at=as_of, progress=progress)
    progress("allocate", 0, 1)
    allocate(house, at=as_of)
    progress("allocate", 1, 1)
    progress("evaluate SLA", 0, 1)
    evaluated = evaluate_sla(house, as_of=as_of)
    progress("evaluate SLA", 1, 1)
    progress("publish", 0, 1)
    publish(house, as_of=as_of, clocks=evaluated.clocks)
    progress("publish", 1, 1)
    return house.marts()
