"""INC-1 comes with .9 and is weighed by it; INC-2 without one by the .27 that its text shows, not by the default .5."""

from engine.allocation.factors import profile_of
from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.allocate import backlog
from pipelines.jobs.enrich_tickets import enrich_tickets
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later

TEXT = {
    "title": "Tunnel and proxy fail",
    "description": "ZTNA-301 on the connector, SWG-210 on the proxy. Is it the same cause? What do we change first?",
}


def weighed(app: App, snapshot: Snapshot) -> dict[str, float]:
    return {t.reference: profile_of(t, (), app.policies.allocation).complexity for t in backlog(app, snapshot)}


def test_the_source_is_heard_before_the_text(app: App) -> None:
    said = delivered(1, **TEXT, external_metadata={"estimated_complexity": 0.9})
    app.store.ingest(Delivery(tickets=(said, delivered(2, **TEXT))), at=MONDAY)
    snapshot = Snapshot(app, later(1))
    assert weighed(app, snapshot) == {"INC-1": 0.9, "INC-2": 0.5}
    assert weighed(app, enrich_tickets(app, snapshot).snapshot) == {"INC-1": 0.9, "INC-2": 0.27}
