"""The whole cycle in one flow run: each stage a task, so that a run shows where it is and where it failed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pipelines.app.container import App
from pipelines.flows.alone import run_alone
from pipelines.jobs.cycle import STAGES, CycleRun, prepare


@flow(name="cycle", validate_parameters=True)
def cycle(as_of: datetime | None = None) -> Any:
    """Every stage as of one instant (default: now); counts per stage."""
    return run_alone("cycle", lambda app: _every_stage(app, as_of or app.now()))


def _every_stage(app: App, at: datetime) -> dict[str, Mapping[str, int]]:
    prepare(app)
    run = CycleRun(app, at)
    for name in STAGES:
        task(name=name, cache_policy=NO_CACHE)(run.stage)(name, return_state=True)
    run.check()
    return run.counts
