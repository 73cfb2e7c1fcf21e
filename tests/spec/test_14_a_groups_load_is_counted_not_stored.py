"""EMEA Network carries 12 elsewhere and 30 here: load 42, whatever was allocated in between."""

from datetime import datetime
from pathlib import Path
from typing import Any

from engine.contracts import AllocationDecision, AssignmentGroup, Delivery, Outcome
from pipelines.app.container import App, open_app
from pipelines.jobs.allocate import current_groups
from pipelines.jobs.deliver import deliver
from pipelines.jobs.handler_groups import bring_handler_groups
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later
from tests.pipelines.vendors import TOKEN, ServiceNow, serving
from tests.pipelines.vendors.servicenow import NETWORK


def test_load_is_what_is_open_here_and_what_is_said_of_elsewhere(app: App) -> None:
    app.store.put([AssignmentGroup(group_id="emea", name="EMEA Network", max_bandwidth=50, current_load=12)])
    here = [delivered(n, group="emea") for n in range(29)] + [delivered(29)]
    done = [delivered(n, group="emea", status="resolved") for n in range(30, 35)]
    app.store.ingest(Delivery(tickets=(*here, *done)), at=MONDAY)
    allocated = AllocationDecision(
        ticket_id="web:29", decided_at=later(1), outcome=Outcome.ALLOCATED, group_id="emea", rationale="", policy="p"
    )
    app.store.record_decisions([allocated], at=later(1))
    assert [group.current_load for group in current_groups(Snapshot(app, later(2)))] == [42]


def test_what_is_open_there_and_here_is_counted_once(tmp_path: Path) -> None:
    system = ServiceNow(43)
    for row in system.tickets[:42]:
        row["assignment_group"] = NETWORK
    here = [delivered(source="servicenow", ticket_id=f"INC{n:07}", group=NETWORK) for n in range(1, 31)]
    account: dict[str, Any] = {"handler_user": "desk@example.com", "handler_token": TOKEN}
    with serving(system), open_app(home=tmp_path, handler="servicenow", handler_url=system.url, **account) as app:
        app.store.ingest(Delivery(tickets=(*here, delivered(source="servicenow", ticket_id="INC0000043"))), at=MONDAY)
        assert loads(app, later(1)) == (12, 42)
        allocated = AllocationDecision(
            ticket_id="servicenow:INC0000043", decided_at=later(2), outcome=Outcome.ALLOCATED, group_id=NETWORK,
            group_name="Network", score=0.9, rationale="", policy="p",
        )  # fmt: skip
        app.store.record_decisions([allocated], at=later(2), destination=app.handler)
        assert loads(app, later(3)) == (12, 43)
        assert deliver(app, at=later(4)).sent == 1
        assert loads(app, later(5)) == (12, 43)


def loads(app: App, at: datetime) -> tuple[int, int]:
    """Of Network: elsewhere, as its system says now, and in all."""
    assert bring_handler_groups(app, Snapshot(app, at), at=at)
    after = Snapshot(app, at)
    elsewhere, whole = (
        {one.group_id: one.current_load for one in found} for found in (after.groups, current_groups(after))
    )
    return elsewhere[NETWORK], whole[NETWORK]
