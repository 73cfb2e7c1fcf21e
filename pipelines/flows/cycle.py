"""The whole cycle in one flow run: each stage a task, so that a run shows where it is and where it failed."""

from datetime import datetime
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pipelines.app.container import App
from pipelines.flows.alone import run_alone
from pipelines.jobs.allocate import allocate
from pipelines.jobs.deliver import deliver
from pipelines.jobs.enrich_tickets import enrich_tickets
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.inbox import take_in
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import triage_tickets


@flow(name="cycle", validate_parameters=True)
def cycle(as_of: datetime | None = None) -> Any:
    """Every stage as of one instant (default: now); counts per stage."""
    return run_alone("cycle", lambda app: _every_stage(app, as_of or app.now()))


def _every_stage(app: App, at: datetime) -> dict[str, dict[str, int]]:
    app.policies.take_up()
    return {stage: run(app, at) for stage, run in _STAGES.items()}


@task(name="ingest", cache_policy=NO_CACHE)
def _ingest(app: App, at: datetime) -> dict[str, int]:  # noqa: ARG001 - a stage takes (app, at)
    return take_in(app).model_dump()


@task(name="triage-tickets", cache_policy=NO_CACHE)
def _triage(app: App, at: datetime) -> dict[str, int]:
    return triage_tickets(app, at=at).counts()


@task(name="allocate", cache_policy=NO_CACHE)
def _allocate(app: App, at: datetime) -> dict[str, int]:
    return allocate(app, at=at)._asdict()


@task(name="deliver", cache_policy=NO_CACHE)
def _deliver(app: App, at: datetime) -> dict[str, int]:  # noqa: ARG001 - what is sent is sent now
    return deliver(app, at=app.now())._asdict()


@task(name="evaluate-sla", cache_policy=NO_CACHE)
def _evaluate(app: App, at: datetime) -> dict[str, int]:
    return evaluate_sla(app, as_of=at).counts()


@task(name="enrich-tickets", cache_policy=NO_CACHE)
def _enrich(app: App, at: datetime) -> dict[str, int]:
    return enrich_tickets(app, at=at)._asdict()


@task(name="publish", cache_policy=NO_CACHE)
def _publish(app: App, at: datetime) -> dict[str, int]:
    return publish(app, as_of=at).rows


_STAGES = {
    "ingest": _ingest,
    "triage": _triage,
    "allocate": _allocate,
    "deliver": _deliver,
    "evaluate": _evaluate,
    "enrich": _enrich,
    "publish": _publish,
}
