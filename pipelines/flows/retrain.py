"""Learn from what people answered, where that is due."""

from prefect import flow

from pipelines.jobs.retrain import retrain as job
from pipelines.wiring import open_house


@flow(name="retrain")
def retrain() -> dict[str, str | bool | int]:
    """Train where drift or enough answers ask for it; returns why, and whether the new model took over."""
    with open_house(keep_last_good=True) as house:
        done = job(house, at=house.now())
    took_over = done.run is not None and done.run.took_over
    return {"reason": done.reason or "not due", "new_answers": done.new_answers, "took_over": took_over}
