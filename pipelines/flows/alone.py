"""A job as a flow runs it: alone on its store, or skipped where somebody else is at it."""

from collections.abc import Callable
from typing import Any

from prefect.states import Completed

from engine.shared.errors import Busy
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone


def run_alone(work: str, job: Callable[[App], Any]) -> Any:
    """What the job returns; a run that finds the work being done ends as Completed with the name Skipped."""
    with open_app(keep_last_good=True) as app:
        try:
            with alone(app, work):
                return job(app)
        except Busy as busy:
            return Completed(name="Skipped", message=str(busy))
