"""INC-9 is raised from medium to high at noon: as of 11:00 its clocks, priority and alerts are those of 11:00."""

from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.alerts import raise_alerts
from pipelines.marts.registry import build
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later
from tests.pipelines.test_alerts import breached, tickets_of

ELEVEN, NOON, ONE = later(2), later(3), later(4)


def test_as_of_eleven_nothing_of_noon_is_known(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(9, priority="medium"),)), at=MONDAY)
    app.store.ingest(Delivery(tickets=(delivered(9, priority="high", updated_at=NOON),)), at=NOON)
    before, after = (Snapshot(app, at).clocks.filter(clock="resolution").row(0, named=True) for at in (ELEVEN, ONE))
    assert before["target"] > after["target"]
    assert (after["policy"], after["window_start"]) == ("high", MONDAY)
    assert [Snapshot(app, at).tickets["priority"].item() for at in (ELEVEN, ONE)] == ["medium", "high"]


def test_as_of_eleven_there_is_no_alert_of_half_past(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(0),)), at=MONDAY)
    assert raise_alerts(app, breached(1), tickets_of(app), as_of=later(2.5)) == 1
    shown = [build(Snapshot(app, at))["alerts"].height for at in (ELEVEN, later(2.5))]
    assert shown == [0, 1]
