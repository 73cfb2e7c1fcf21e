"""A clock of a ticket that is in no mart: nothing is published, and its key is named."""

import polars as pl
import pytest

from engine.contracts import Delivery
from engine.shared.errors import RuleBroken
from pipelines.app.container import App
from pipelines.jobs.publish import publish
from pipelines.marts import current
from pipelines.snapshot import Snapshot
from tests.engine.people import delivered, later


def test_a_clock_without_its_ticket_stops_the_publication(app: App) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1), delivered(2))), at=later(1))
    publish(app, Snapshot(app, later(1)))
    snapshot = Snapshot(app, later(2))
    lost = snapshot.ticket_clocks.with_columns(ticket=pl.col("ticket").replace("web:2", "web:9"))
    with pytest.raises(RuleBroken, match=r"sla_clocks breaks its rule .*web:9"):
        publish(app, snapshot.with_parts(ticket_clocks=lost))
    assert current(app.settings.marts_folder).as_of == later(1)
