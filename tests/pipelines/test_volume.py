"""What went out is no longer open: the volume of each day meets the state of the tickets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine import standings
from engine.contracts import Delivery, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.snapshot import Snapshot

MONDAY = datetime(2026, 7, 13, 9, tzinfo=UTC)
TUESDAY, FRIDAY = MONDAY + timedelta(days=1), MONDAY + timedelta(days=4)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def volume(app: App, **ended: object) -> pl.DataFrame:
    """The mart after one ticket of Monday morning that ended so."""
    made = {"ticket_id": "1", "source": "web", "created_at": MONDAY}
    app.store.ingest(Delivery(tickets=(StandardTicket.model_validate(made | ended),)), at=FRIDAY)
    return standings.volume(Snapshot(app, FRIDAY).standings)


@pytest.mark.parametrize(
    ("ended", "gone"),
    [
        ({"status": "closed", "closed_at": TUESDAY}, TUESDAY),
        ({"status": "closed", "resolved_at": TUESDAY, "closed_at": FRIDAY}, TUESDAY),
        ({"status": "closed", "updated_at": TUESDAY}, TUESDAY),
    ],
)
def test_ticket_closed_without_being_resolved_is_open_no_longer(
    ended: dict[str, object], gone: datetime, app: App
) -> None:
    found = volume(app, **ended).rows()
    assert found == [(MONDAY.date(), 1, 0, 1), (gone.date(), 0, 1, 0)]


def test_open_ticket_stays_open(app: App) -> None:
    assert volume(app, status="in_progress").rows() == [(MONDAY.date(), 1, 0, 1)]
