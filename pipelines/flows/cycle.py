"""The whole cycle in one flow run: each stage a task, so that a run shows where it is and where it failed."""

from datetime import datetime

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pipelines.inbox import take_in
from pipelines.jobs.allocate import allocate
from pipelines.jobs.enrich_tickets import enrich_tickets
from pipelines.jobs.evaluate_sla import evaluate_sla
from pipelines.jobs.publish import publish
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.wiring import House, open_house


@flow(name="cycle", validate_parameters=True)
def cycle(as_of: datetime | None = None) -> dict[str, dict[str, int]]:
    """Ingest, triage, allocate, evaluate, enrich, publish as of one instant (default: now); counts per stage."""
    with open_house(keep_last_good=True) as house:
        house.take_up_policies()
        return {stage: run(house, as_of or house.now()) for stage, run in _STAGES.items()}


@task(name="ingest", cache_policy=NO_CACHE)
def _ingest(house: House, at: datetime) -> dict[str, int]:  # noqa: ARG001 - a stage takes (house, at)
    return take_in(house).model_dump()


@task(name="triage-tickets", cache_policy=NO_CACHE)
def _triage(house: House, at: datetime) -> dict[str, int]:
    return triage_tickets(house, at=at).counts()


@task(name="allocate", cache_policy=NO_CACHE)
def _allocate(house: House, at: datetime) -> dict[str, int]:
    return allocate(house, at=at)._asdict()


@task(name="evaluate-sla", cache_policy=NO_CACHE)
def _evaluate(house: House, at: datetime) -> dict[str, int]:
    return evaluate_sla(house, as_of=at).counts()


@task(name="enrich-tickets", cache_policy=NO_CACHE)
def _enrich(house: House, at: datetime) -> dict[str, int]:
    return enrich_tickets(house, at=at)._asdict()


@task(name="publish", cache_policy=NO_CACHE)
def _publish(house: House, at: datetime) -> dict[str, int]:
    return publish(house, as_of=at).rows


_STAGES = {
    "ingest": _ingest,
    "triage": _triage,
    "allocate": _allocate,
    "evaluate": _evaluate,
    "enrich": _enrich,
    "publish": _publish,
}
