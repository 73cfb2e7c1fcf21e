"""INC-7 was given to Network with a note, and the mark was lost; Ana moved it to Mail: sent again, it stays there."""

from pathlib import Path

import pytest

from engine.contracts import AllocationDecision, Delivery, Outcome
from pipelines.app.container import open_app
from pipelines.jobs.deliver import Delivered, deliver
from tests.engine.people import delivered
from tests.pipelines.test_deliver import kill_before_the_mark
from tests.pipelines.vendors import START, TOKEN, ServiceNow, serving
from tests.pipelines.vendors.servicenow import MAIL, NETWORK
from tests.ports.examples import LATER

INC_7 = AllocationDecision(
    ticket_id="servicenow:INC0000007", decided_at=LATER, outcome=Outcome.ALLOCATED, group_id=NETWORK,
    group_name="Network", score=0.9, rationale="It is a network's.",
)  # fmt: skip


@pytest.mark.parametrize(("notes", "group"), [(1, MAIL), (0, NETWORK)], ids=["noted", "without its note"])
def test_whoever_moved_it_since_is_right_where_the_note_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notes: int, group: str
) -> None:
    system = ServiceNow(7)
    with serving(system):
        account = {"": "servicenow", "_URL": system.url, "_USER": "desk@example.com", "_TOKEN": TOKEN}
        for name, value in account.items():
            monkeypatch.setenv(f"HELMDESK_HANDLER{name}", value)
        with open_app(home=tmp_path) as app:
            ticket = delivered(source="servicenow", ticket_id="INC0000007", created_at=START)
            app.store.ingest(Delivery(tickets=(ticket,)), at=LATER)
            app.store.record_decisions([INC_7], at=LATER, destination=app.handler)
            kill_before_the_mark(app)
            assert (system.tickets[6]["assignment_group"], len(system.notes)) == (NETWORK, 1)
            system.tickets[6]["assignment_group"] = MAIL
            journal = system.tables["sys_journal_field"]
            journal[:] = [row for row in journal if notes or row["element_id"] != f"{7:032x}"]
            assert deliver(app, at=LATER) == Delivered(1, 0, 0, 0)
            assert system.tickets[6]["assignment_group"] == group
            assert len(system.notes) == 2 - notes
