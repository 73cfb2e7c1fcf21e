"""0.41 for DLP: allocated by its category, shown as a guess of 41 % for a person."""

from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.allocate import backlog
from pipelines.marts.registry import build
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later
from tests.triage.test_store import claim
from triage.contracts import TicketText


def test_an_unsure_guess_is_shown_and_not_used(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, source="desk", category="network"),)), at=MONDAY)
    guess = claim(1, at=later(1), product="DLP", confidence=0.41, needs_review=True)
    app.triage.store.save_classifications([TicketText(ticket_id="desk:1", content="?")], [guess], at=later(1))
    snapshot = Snapshot(app, later(2))
    marts = build(snapshot)
    assert marts["tickets"]["product"].to_list() == [None]
    assert marts["work_queue"].select("product", "confidence", "needs_review").rows() == [("DLP", 0.41, True)]
    assert [(ticket.product, ticket.category) for ticket in backlog(app, snapshot)] == [(None, "network")]
