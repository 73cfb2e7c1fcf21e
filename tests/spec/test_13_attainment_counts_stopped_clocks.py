"""8 met, 1 stopped late, 1 open and late, 5 running: 8 of 10, and 5 running."""

import polars as pl

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.reporting.attainment import attainment
from tests.sla.timelines import CALENDARS, at

POLICIES = [{"calendar": "office", "first_response": None, "resolution": 4 * 3_600}]


def test_eight_of_ten_and_five_running() -> None:
    opened = [*(["Tue 09:00"] * 10), *(["Wed 09:00"] * 5)]
    tickets = [{"id": n, "created_at": at(created)} for n, created in enumerate(opened)]
    ends = dict.fromkeys(range(8), "Tue 12:00") | {8: "Tue 14:00"}
    events = [{"ticket": n, "ts": at(end), "kind": "status", "value": "resolved"} for n, end in ends.items()]
    row = attainment(batch.evaluate(*frames(tickets, events), POLICIES, CALENDARS, at("Wed 10:00")))
    found = row.filter(pl.col("dimension") == "all").row(0, named=True)
    assert (found["met"], found["breached"], found["share_met"]) == (8, 2, 0.8)
    assert (found["running"], found["at_risk"], found["clocks"]) == (5, 0, 15)
