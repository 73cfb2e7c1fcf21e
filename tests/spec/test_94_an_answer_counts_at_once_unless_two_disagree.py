"""INC-11 reads as INC-10, which Ana answered; once Ben answers INC-10 otherwise, INC-12 stands by its own words."""

from engine.contracts import Delivery
from pipelines import actions
from pipelines.app.container import App
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.snapshot import Snapshot
from tests.pipelines.review_desk import app, delivered
from tests.pipelines.small_desk import AS_OF

__all__ = ["app"]

WORDS = "The heron of our office in Graz is grey since Monday and nobody here knows what it should be"


def test_an_answer_counts_in_the_very_next_triage(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, "Grey heron", WORDS),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    before = app.triage.store.latest(["northlight:INC-1"])["northlight:INC-1"]
    label = "DLP" if before.product != "DLP" else "CASB"
    actions.answer_review(app, "INC-1", label=label, by="ana")
    app.store.ingest(Delivery(tickets=(delivered(2, "Grey heron!", WORDS.replace("Graz", "Linz")),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    claim = app.triage.store.latest(["northlight:INC-2"])["northlight:INC-2"]
    assert (claim.product, claim.needs_review) == (label, False)
    assert "answered so before (ticket northlight:INC-1)" in claim.reasoning
    actions.answer_review(app, "INC-1", label=before.product, by="ben")
    app.store.ingest(Delivery(tickets=(delivered(3, "Grey heron", WORDS),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    assert "answered so before" not in app.triage.store.latest(["northlight:INC-3"])["northlight:INC-3"].reasoning
