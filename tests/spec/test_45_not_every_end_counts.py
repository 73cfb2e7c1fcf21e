"""Deleted after five minutes: in no share and no volume of resolved, shown as "left out: 1"."""

import polars as pl
import pytest

from engine.contracts import Delivery, TicketOutcome
from engine.outcomes import Figure
from pipelines.app.container import App
from pipelines.marts.registry import MARTS
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered, later


@pytest.mark.parametrize("outcome", sorted(set(TicketOutcome) - {TicketOutcome.SOLVED}))
def test_left_out_of_every_figure(app: App, outcome: TicketOutcome) -> None:
    ended = {"status": "closed", "closed_at": later(1 / 12), "outcome": outcome}
    app.store.ingest(Delivery(tickets=(delivered(1, **ended), delivered(2))), at=later(1))
    snapshot = Snapshot(app, later(2))
    assert set(snapshot.counted(Figure.ATTAINMENT)["ticket"]) == {"web:2"}
    assert MARTS["volume"].frame(snapshot).select(pl.sum("resolved", "left_out")).row(0) == (0, 1)
    left_out = MARTS["source_outcomes"].frame(snapshot).filter(~pl.col("counts_in_attainment"))
    assert left_out["tickets"].to_list() == [1]


def test_an_open_ticket_counts_whatever_it_was(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, status="in_progress", outcome="duplicate"),)), at=later(1))
    assert set(Snapshot(app, later(2)).counted(Figure.ATTAINMENT)["ticket"]) == {"web:1"}
