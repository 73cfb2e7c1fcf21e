"""Ana closes INC-1 with a lesson for docs, and may not accept it; Cleo does, with a title: an article."""

import pytest

from engine import cases
from engine.access import user_of
from engine.contracts import Agent, Delivery
from engine.shared.errors import NotAllowed
from pipelines.app.container import App
from pipelines.operations import OPERATIONS, perform
from tests.engine.people import AGENTS, ANA, CLEO, LIMITS, MONDAY, TEAMS, delivered, later


def accept(app: App, by: Agent) -> None:
    given = {"title": "The tunnel's key"}
    perform(app, OPERATIONS["lesson accept"], user=user_of(by), key="web:1/docs", arguments=given, at=later(4))


def test_a_lesson_of_a_closing_waits_for_a_leads_yes(app: App) -> None:
    app.store.put([*TEAMS, *AGENTS, LIMITS])
    app.store.ingest(Delivery(tickets=(delivered(),)), at=MONDAY)
    app.desk.accept("web:1", by="ana", at=later(1))
    app.desk.resolve("web:1", by="ana", summary="s", at=later(2))
    app.desk.close("web:1", by="ana", lessons={cases.Backlog.DOCS: "Renew the tunnel key first."}, at=later(3))
    with pytest.raises(NotAllowed, match="Ana"):
        accept(app, ANA)
    assert app.triage.index.held() == []
    accept(app, CLEO)
    [[found]] = app.triage.index.search(["tunnel key"])
    assert (found.title, found.text) == ("The tunnel's key", "Renew the tunnel key first.")
