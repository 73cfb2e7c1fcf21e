"""Learn from what people answered, where that is due."""

from prefect import flow

from pipelines.app.container import open_app
from pipelines.jobs.retrain import retrain as job


@flow(name="retrain")
def retrain() -> dict[str, str | bool | int]:
    """Train where drift or enough answers ask for it; returns why, and whether the new model took over."""
    with open_app(keep_last_good=True) as app:
        done = job(app, at=app.now())
    took_over = done.run is not None and done.run.took_over
    return {"reason": done.reason or "not due", "new_answers": done.new_answers, "took_over": took_over}
