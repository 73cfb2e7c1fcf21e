"""Solved on the 2nd, reopened on the 4th, solved on the 5th: one solved on the 2nd and one on the 5th."""

from datetime import UTC, datetime

import polars as pl

from engine.contracts import Delivery, Event, Kind
from pipelines.app.container import App
from pipelines.marts.registry import MARTS
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered


def march(day: int, hour: int = 10) -> datetime:
    return datetime(2026, 3, day, hour, tzinfo=UTC)


def test_each_end_counts_on_its_day(app: App) -> None:
    moves = {2: "resolved", 4: "in_progress", 5: "resolved"}
    events = [Event(ticket_id="web:1", kind=Kind.STATUS, at=march(day), value=to) for day, to in moves.items()]
    ticket = delivered(1, created_at=march(1), status="resolved", updated_at=march(5))
    app.store.ingest(Delivery(tickets=(ticket,), events=tuple(events)), at=march(6))
    for published in (march(3), march(6)):
        found = MARTS["volume"].frame(Snapshot(app, published)).filter(pl.col("resolved") > 0)
        assert found["day"].dt.day().to_list() == ([2] if published == march(3) else [2, 5])
