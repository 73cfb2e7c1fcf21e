"""What the mart tells of the groups that did not get a ticket."""

import json

import polars as pl

from engine.contracts import AllocationDecision, Alternative, Delivery, Outcome, StandardTicket
from pipelines.app.container import open_app
from pipelines.marts import allocations
from pipelines.snapshot import Snapshot
from tests.dashboards.marts_by_hand import DAY_BEFORE, NOON


def test_runners_up_and_excluded_groups_are_published(tmp_path, sqlite_file):
    behind = [Alternative(group_id=f"g-{n}", group_name=f"Group {n}", composite=0.9 - n / 10) for n in range(5)]
    full = [Alternative(group_id=f"f-{n}", group_name=f"Full {n}", excluded=f"full ({n} of {n})") for n in range(1, 8)]
    asleep = Alternative(group_id="z", group_name="Łódź", excluded="not active")
    decision = AllocationDecision(
        ticket_id="demo:1", decided_at=NOON, outcome=Outcome.WAITING, rationale="It waits.",
        alternatives=(*behind, asleep, *full),
    )  # fmt: skip
    with open_app(home=tmp_path) as app:
        ticket = StandardTicket(ticket_id="1", source="demo", created_at=DAY_BEFORE)
        app.store.ingest(Delivery(tickets=(ticket,)), at=NOON)
        app.store.record_decisions([decision], at=NOON)
        (row,) = allocations.build(Snapshot(app, NOON)).iter_rows(named=True)
    assert [one["group_name"] for one in json.loads(row["runners_up"])] == ["Group 0", "Group 1", "Group 2"]
    assert json.loads(row["excluded"]) == [
        {"reason": "full", "groups": 7, "names": [f"Full {n}" for n in range(1, 6)]},
        {"reason": "not active", "groups": 1, "names": ["Łódź"]},
    ]


def test_no_decision_is_an_empty_mart_with_its_columns(tmp_path, sqlite_file):
    with open_app(home=tmp_path) as app:
        found = allocations.build(Snapshot(app, NOON))
    assert found.is_empty()
    assert found.schema["excluded"] == pl.String
