"""Opened Monday 9:00, no column for answers, solved 11:00: first response not measured, resolution met."""

from datetime import timedelta

import polars as pl

from engine.contracts import Delivery, Responses
from pipelines.app.container import App
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered, later


def test_no_answers_told_and_solved_in_time(app: App) -> None:
    solved = delivered(1, status="resolved", resolved_at=later(2), responses=Responses.NONE)
    app.store.ingest(Delivery(tickets=(solved,)), at=later(3))
    clocks = Snapshot(app, later(3)).clocks.select(pl.col("clock", "state").cast(pl.String))
    assert dict(clocks.iter_rows()) == {"first_response": "not_measured", "resolution": "met"}


def test_an_empty_cell_of_an_open_ticket_waits(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, responses=Responses.COLUMN),)), at=later(0))
    found = Snapshot(app, later(0) + timedelta(minutes=1)).clocks.filter(pl.col("clock") == "first_response")
    assert found["state"].to_list() == ["on_track"]
