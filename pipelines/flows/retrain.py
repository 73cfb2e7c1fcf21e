"""Learn from what people answered, where that is due."""

from typing import Any

from prefect import flow

from pipelines.app.container import App
from pipelines.flows.alone import run_alone
from pipelines.jobs.retrain import retrain as job


@flow(name="retrain")
def retrain() -> Any:
    """Train where drift or enough answers ask for it; returns why, and whether the new model took over."""
    return run_alone("retrain", _retrained)


def _retrained(app: App) -> dict[str, str | bool | int]:
    done = job(app, at=app.now())
    took_over = done.run is not None and done.run.took_over
    return {"reason": done.reason or "not due", "new_answers": done.new_answers, "took_over": took_over}
