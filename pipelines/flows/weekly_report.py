"""Mail the weekly report."""

from typing import Any

from prefect import flow
from prefect.states import Completed

from engine.shared.errors import Busy, NotFound
from pipelines.app.container import open_app
from pipelines.jobs.weekly_report.figures import weekly_report as figures
from pipelines.jobs.weekly_report.sending import post


@flow(name="weekly-report")
def weekly_report() -> Any:
    """Queue the report of the last settled week for who is to read it, once a week and person; returns how many wait
    for `deliver`, were taken by the inbox, had it before, and can't be reached."""
    with open_app(keep_last_good=True) as app:
        try:
            report = figures(app, at=app.now())
            posted = post(app, report, at=app.now())
        except (Busy, NotFound) as reason:
            return Completed(name="Skipped", message=str(reason))
    counts = {"waiting": len(posted.waiting), "in_inbox": posted.in_inbox, "before": posted.before}
    return {"week": str(report.monday), **counts, "unreached": len(posted.unreached)}
