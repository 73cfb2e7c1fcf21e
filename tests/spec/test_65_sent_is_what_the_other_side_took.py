"""INC-7's breach is queued at 9:00; the server answers 503 at 9:00 and 202 at 9:01: sent at 9:01."""

from pathlib import Path

from engine.contracts import Agent
from engine.notifications import QueuedNotification
from pipelines.jobs.alerts import raise_and_queue
from pipelines.jobs.deliver import deliver
from pipelines.snapshot import Snapshot
from tests.pipelines.handler_system import handler_system
from tests.pipelines.notices import MINUTE, MONDAY, desk
from tests.pipelines.test_alerts import breached

TRIES = 3
"""Of one delivery."""


def test_sent_at_one_minute_past_nine(tmp_path: Path) -> None:
    with handler_system() as system, desk(tmp_path, push=system.url) as app:
        app.store.put([Agent(id="ana", email="ana@desk.example", name="Ana")])  # in no team: nobody else hears
        app.desk.accept("web:7", by="ana", at=MONDAY)
        clock = breached(8).filter(ticket="web:7")
        raise_and_queue(app, clock, Snapshot(app, MONDAY).tickets_now, as_of=MONDAY)
        system.answers = [*[(503, {}, "")] * TRIES, (202, {}, "")]
        assert deliver(app, at=MONDAY).notices_delayed == 1
        found = ["notification_sent", "notification_sent_at"]
        assert app.store.frame("sla_alerts", found).rows() == [(False, None)]
        assert deliver(app, at=MONDAY + MINUTE).notices_sent == 1
        assert app.store.frame("sla_alerts", found).rows() == [(True, MONDAY + MINUTE)]
        assert [row.sent_at for row in app.store.all(QueuedNotification)] == [MONDAY + MINUTE]
        assert system.answers == []
