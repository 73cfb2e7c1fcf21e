"""EMEA Network carries 12 elsewhere and 30 here: load 42, whatever was allocated in between."""

from engine.contracts import AllocationDecision, AssignmentGroup, Delivery, Outcome
from pipelines.app.container import App
from pipelines.jobs.allocate import current_groups
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later


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
