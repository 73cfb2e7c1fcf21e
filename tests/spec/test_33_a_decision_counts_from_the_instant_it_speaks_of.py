"""A cycle as of Monday 9:00 that runs on Tuesday: the group has the ticket from Monday 9:00 on."""

from datetime import datetime, timedelta

import pytest

from engine.contracts import AllocationDecision, Delivery, Event, Kind, Outcome
from tests.engine.people import MONDAY, delivered, later, stood
from tests.ports.memory_store import MemoryStore

INSTANT = timedelta(microseconds=1)


@pytest.mark.parametrize(("at", "group"), [(MONDAY - INSTANT, None), (MONDAY, "net"), (MONDAY + INSTANT, "net")])
def test_the_group_has_it_from_monday_nine_on(at: datetime, group: str | None) -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1, created_at=later(-1)),)), at=later(-1))
    decision = AllocationDecision(
        ticket_id="web:1", decided_at=MONDAY, outcome=Outcome.ALLOCATED, group_id="net", rationale="", policy="p"
    )
    store.record_decisions([decision], at=later(days=1))
    store.append([Event(ticket_id="web:1", kind=Kind.MESSAGE, at=later(days=1))], at=later(days=1))
    assert stood(store, at)["group_id"].to_list() == [group]
