"""INC-8, sure but not drawn, is answered otherwise: the report says what it said before."""

from pipelines import actions
from pipelines.app.container import App
from pipelines.jobs.publish import publish
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.pipelines.review_desk import app, claimed, drawn, run

__all__ = ["app"]


def test_report_speaks_for_the_slice_first(app: App) -> None:
    claimed(app, 400, unsure=20)
    publish(app, Snapshot(app, app.now()))
    size = len(drawn(app))
    assert run(app, "report").output.splitlines()[1] == (
        f"when it is sure (380 of 400 tickets): not known yet: 0 of {size} of the random slice answered: "
        "helmdesk triage review"
    )
    for place, ticket in enumerate(sorted(drawn(app))[:10]):
        actions.answer_review(app, ticket, label="DLP" if place == 0 else "SWG", by="ana")
    outside = next(c.ticket_id for c, _ in app.triage.feedback.sure(lambda _: True) if c.ticket_id not in drawn(app))
    actions.answer_review(app, outside, label="DLP", by="ana")
    publish(app, Snapshot(app, app.now()))
    told = run(app, "report").output.splitlines()
    assert told[1] == (
        f"when it is sure (380 of 400 tickets), people agree 90% [60%–98%], n = 10 of the random slice of {size}"
    )
    assert "over all its claims" not in told[2]
    with MartReader(app.settings.marts_folder) as reader:
        rows = {row["claims"]: row for row in reader.frame("honesty").to_dicts()}
    assert (rows["sure"]["answered"], rows["sure"]["agreed"], rows["unsure"]["drawn"]) == (10, 9, 20)
    assert rows["all"]["share_agreed"] is None
