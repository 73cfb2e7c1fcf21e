"""`HELMDESK_SLA_POLICY=companyos` replays the same history under the other table."""

import pytest

from engine.contracts import Delivery
from pipelines.app.container import App, open_app
from pipelines.snapshot import Snapshot
from tests.engine.people import MONDAY, delivered, later

HOUR = 3600


def test_another_table_over_the_same_history(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    app.store.ingest(Delivery(tickets=(delivered(1, priority="high"),)), at=MONDAY)
    monkeypatch.setenv("HELMDESK_SLA_POLICY", "companyos")
    with open_app(home=app.settings.home, database_url=app.settings.store_url) as other:
        first = [Snapshot(one, later(1)).clocks.filter(clock="first_response") for one in (app, other)]
        assert [clock["policy"].item() for clock in first] == ["high", "P1"]
        assert [clock["target"].item() for clock in first] == [HOUR, HOUR]
        assert [Snapshot(one, later(1)).clocks.filter(clock="resolution")["state"].item() for one in (app, other)] == [
            "on_track",
            "no_clock",  # that table counts from the accept
        ]
