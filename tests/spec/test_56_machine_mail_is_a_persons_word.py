""" "Automatic reply: your request", accepted by Mia, solved by the source on Thursday: left out as machine_mail."""

from engine.contracts import Delivery
from engine.outcomes import Figure
from pipelines.app.container import App
from pipelines.jobs.outcomes import accept_outcomes, proposed
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered, later

MAIL = {"title": "Automatic reply: your request", "status": "resolved", "resolved_at": later(1)}


def told(app: App, days: float, outcome: str | None = None) -> tuple[str | None, int]:
    """Its outcome after a delivery of then, and how many tickets count."""
    ticket = delivered(1, **MAIL, outcome=outcome, updated_at=later(2, days=days))
    app.store.ingest(Delivery(tickets=(ticket,)), at=later(2, days=days))
    counted = Snapshot(app, later(3, days=days)).counted(Figure.ATTAINMENT)
    return app.store.ticket("web:1").outcome, counted["ticket"].n_unique()


def test_counts_until_somebody_accepts_it(app: App) -> None:
    assert told(app, 0)[1] == 1
    assert proposed(app, at=later(4))["ticket"].to_list() == ["web:1"]
    accept_outcomes(app, None, by="mia", at=later(5))
    assert told(app, 3, "solved") == ("machine_mail", 0)
    assert app.store.history("web:1")[-1].actor == "mia"


def test_a_source_that_no_longer_says_solved_takes_it_back(app: App) -> None:
    told(app, 0, "solved")
    accept_outcomes(app, ["web:1"], by="mia", at=later(5))
    assert told(app, 3) == (None, 1)


def test_a_source_that_says_more_than_solved_takes_it_back(app: App) -> None:
    told(app, 0)
    accept_outcomes(app, ["web:1"], by="mia", at=later(5))
    assert told(app, 3, "merged") == ("merged", 0)
