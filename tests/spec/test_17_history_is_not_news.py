"""An archive of 2016 is ingested today: its breaches count in attainment, and no alert is raised."""

from datetime import UTC, datetime, timedelta

from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.alerts import Raised, raise_and_queue
from pipelines.snapshot import Snapshot
from sla.reporting.attainment import attainment
from tests.engine.people import MONDAY, delivered
from tests.pipelines.test_alerts import tickets_of

LONG_AGO = datetime(2016, 2, 29, 9, tzinfo=UTC)


def test_an_archive_wakes_nobody(app: App) -> None:
    ended = {"status": "closed", "resolved_at": LONG_AGO + timedelta(days=90), "created_at": LONG_AGO}
    app.store.ingest(Delivery(tickets=tuple(delivered(n, **ended) for n in range(20))), at=MONDAY)
    clocks = Snapshot(app, MONDAY).clocks
    assert attainment(clocks).filter(clock="resolution", dimension="all")["breached"].to_list() == [20]
    assert raise_and_queue(app, clocks, tickets_of(app), as_of=MONDAY) == Raised(alerts=0, nudges=0, messages=0)
