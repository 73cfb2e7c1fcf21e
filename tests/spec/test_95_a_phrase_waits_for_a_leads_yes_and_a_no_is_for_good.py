"""Six texts about DLP tell of a grey heron: the phrase is proposed, and used or refused by a lead alone."""

import pytest

from engine.access import User, UserRole
from engine.contracts import Agent, Contact, Delivery
from engine.shared.errors import Conflict, NotAllowed
from engine.storage.audit import verify
from pipelines import actions
from pipelines.app.container import App
from pipelines.jobs.audit import COVERED
from pipelines.jobs.triage_tickets import triage_tickets
from pipelines.snapshot import Snapshot
from tests.pipelines.review_desk import app, delivered, run
from tests.pipelines.small_desk import AS_OF

__all__ = ["app"]


def learned(app: App) -> None:
    """Answers on 24 tickets, six a label; those about DLP tell of a grey heron of Petra's."""
    about = {
        "DLP": "the grey heron of Petra",
        "SWG": "the white page",
        "CFW": "the hidden rule",
        "CASB": "the lost share",
    }
    texts = [(label, f"{words} stands in office {chr(97 + n)}{chr(98 + n)}") for label, words in about.items()
             for n in range(6)]  # fmt: skip
    app.store.ingest(Delivery(tickets=tuple(delivered(n, "Help", text) for n, (_, text) in enumerate(texts))), at=AS_OF)
    app.store.put(
        [
            Contact(id="p", name="Petra Novak", email="p@acme.example"),
            Agent(id="cleo", name="Cleo", email="cleo@desk.example"),
        ]
    )
    app.store.put([User(id="cleo", name="Cleo", roles=(UserRole.SUPERVISOR,)),
                   User(id="ana", name="Ana", roles=(UserRole.AGENT,))])  # fmt: skip
    triage_tickets(app, Snapshot(app, AS_OF))
    for number, (label, _) in enumerate(texts):
        actions.answer_review(app, f"INC-{number}", label=label, by="ana")


def test_a_phrase_is_used_once_a_lead_accepts_it(app: App) -> None:
    learned(app)
    shown = run(app, "phrases").output
    assert "DLP        “grey heron”  6 answered texts, 0 of other labels" in shown
    assert "etra" not in shown
    assert "grey heron" not in app.triage.taught_taxonomy.product.labels["DLP"].phrases
    before = app.triage.classifier
    with pytest.raises(NotAllowed):
        actions.decide_phrase(app, "grey heron", label="DLP", is_accepted=True, user=app.store.get(User, "ana"))
    done = run(app, "phrases", "--accept", "grey heron", "--label", "DLP", "--by", "cleo")
    assert done.output == "“grey heron” for DLP is used from the next triage on\n"
    assert "grey heron" in app.triage.taught_taxonomy.product.labels["DLP"].phrases
    assert app.triage.classifier is not before
    app.store.ingest(Delivery(tickets=(delivered(90, "A grey heron", "Grey heron."),)), at=AS_OF)
    triage_tickets(app, Snapshot(app, AS_OF))
    claim = app.triage.store.latest(["northlight:INC-90"])["northlight:INC-90"]
    assert (claim.product, "reads like “grey heron”" in claim.reasoning) == ("DLP", True)
    assert (found := verify(app.store, also=COVERED)).found == 0, found


def test_a_refused_phrase_is_proposed_no_more(app: App) -> None:
    learned(app)
    run(app, "phrases", "--refuse", "grey heron", "--label", "DLP", "--by", "cleo")
    assert "heron" not in run(app, "phrases").output
    assert isinstance(
        run(app, "phrases", "--accept", "grey heron", "--label", "DLP", "--by", "cleo").exception, Conflict
    )
    log = app.store.frame("audit_log", ["kind", "subject", "actor"]).filter(kind="phrase_refused")
    assert log.row(0) == ("phrase_refused", "grey heron", "cleo")
