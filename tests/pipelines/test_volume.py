"""What went out is no longer open: the volume of each day meets the state of the tickets."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from engine.contracts import Delivery, Event, Kind, StandardTicket
from pipelines.app.container import App, open_app
from pipelines.marts.registry import MARTS
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
    return MARTS["volume"].frame(Snapshot(app, FRIDAY))


@pytest.mark.parametrize(
    ("ended", "gone"),
    [
        ({"status": "closed", "closed_at": TUESDAY}, TUESDAY),
        ({"status": "closed", "resolved_at": TUESDAY, "closed_at": FRIDAY}, TUESDAY),
    ],
)
def test_ticket_closed_without_being_resolved_is_open_no_longer(
    ended: dict[str, object], gone: datetime, app: App
) -> None:
    found = volume(app, **ended).rows()
    assert found == [(MONDAY.date(), 1, 0, 0, 0, 1), (gone.date(), 0, 1, 0, 0, 0)]


@pytest.mark.parametrize("ended", [{"status": "closed"}, {"status": "closed", "updated_at": TUESDAY}])
def test_ticket_closed_at_an_unknown_instant_is_left_out_where_it_was_created(
    ended: dict[str, object], app: App
) -> None:
    assert volume(app, **ended).rows() == [(MONDAY.date(), 1, 0, 0, 1, 0)]


def test_day_stays_as_it_was_published_when_a_ticket_is_reopened_later(app: App) -> None:
    volume(app, status="resolved", resolved_at=TUESDAY)
    moves = [("in_progress", TUESDAY + timedelta(days=1)), ("resolved", FRIDAY - timedelta(hours=1))]
    events = [Event(ticket_id="web:1", kind=Kind.STATUS, at=at, value=to) for to, at in moves]
    app.store.ingest(Delivery(events=tuple(events)), at=FRIDAY)
    found = MARTS["volume"].frame(Snapshot(app, FRIDAY))
    assert found["resolved"].to_list() == [0, 1, 0, 0, 1]
    assert found["reopened"].to_list() == [0, 0, 1, 0, 0]
    assert found["open_at_end"].to_list() == [1, 0, 1, 1, 0]


def test_spam_is_left_out_on_the_day_it_ended(app: App) -> None:
    found = volume(app, status="closed", closed_at=TUESDAY, outcome="spam")
    assert found.select("resolved", "left_out", "open_at_end").rows() == [(0, 0, 1), (0, 1, 0)]


def test_days_are_those_of_the_desks_zone(tmp_path: Path) -> None:
    with open_app(home=tmp_path, time_zone="Europe/Berlin") as app:
        late = MONDAY.replace(hour=22, minute=30)  # 00:30 on Tuesday in Berlin
        assert volume(app, created_at=late)["day"].to_list() == [TUESDAY.date()]


def test_open_ticket_stays_open(app: App) -> None:
    assert volume(app, status="in_progress").rows() == [(MONDAY.date(), 1, 0, 0, 0, 1)]
