"""INC-1's row is refused on Monday and taken in on Tuesday: then nothing is listed that could not be taken in."""

from datetime import timedelta
from pathlib import Path

from engine.contracts import Delivery, Rejected, StandardTicket
from pipelines.app.container import open_app
from pipelines.jobs import failures
from tests.engine.people import MONDAY


def test_it_leaves_the_list_once_the_ticket_is_there(sqlite_file: Path) -> None:
    content = {"source": "web", "ticket_id": "1"}
    row = Rejected(source="helmdesk", origin="t.jsonl", row=1, reason="priority: no", content=content)
    ticket = StandardTicket.model_validate(
        {"source": "web", "ticket_id": "1", "title": "INC-1", "created_at": MONDAY, "status": "new", "priority": "low"},
        strict=False,
    )
    with open_app(home=sqlite_file.parent) as app:
        app.store.ingest(Delivery(rejected=(row,)), at=MONDAY)
        assert failures.rejected(app).total == 1
        app.store.ingest(Delivery(tickets=(ticket,)), at=MONDAY + timedelta(days=1))
        assert failures.rejected(app).total == 0
