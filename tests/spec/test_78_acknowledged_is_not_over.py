"""INC-1's resolution breaches at 11:00; Ana acknowledges at 11:05: it waits no more, and is over with its clock."""

import pytest

from engine.access import user_of
from engine.contracts import Delivery
from pipelines.app.container import App
from pipelines.jobs.alerts import raise_and_queue
from pipelines.live_alerts import SEEN, WAITS, live_alerts
from pipelines.live_queue import live_queue
from pipelines.operations import OPERATIONS, perform
from pipelines.snapshot import Snapshot
from tests.engine.people import AGENTS, ANA, MONDAY, TEAMS, delivered, later


@pytest.fixture
def desk(app: App) -> App:
    """Nothing was published: what is shown is what the store has."""
    app.store.put([*TEAMS, *AGENTS])
    app.store.ingest(Delivery(tickets=(delivered(1, priority="critical"),)), at=MONDAY)
    return app


def evaluate(app: App, minutes: float) -> None:
    at = later(minutes=minutes)
    snapshot = Snapshot(app, at)
    raise_and_queue(app, snapshot.clocks, snapshot.tickets_now, as_of=at)


def listed(app: App, minutes: float, **which: str) -> list[tuple[int, str, str | None]]:
    at = later(minutes=minutes)
    found = live_alerts(app, live_queue(app, at=at), since=MONDAY).filter(**which).sort("level")
    return list(found.select("level", "state", "acknowledged_by").iter_rows())


def acknowledge(app: App, minutes: float, **which: str) -> None:
    at = later(minutes=minutes)
    for key in live_alerts(app, live_queue(app, at=at), since=MONDAY).filter(**which, state=WAITS)["alert"]:
        perform(app, OPERATIONS["alert acknowledge"], user=user_of(ANA), key=key, at=at)


def test_a_breach_that_was_seen_is_listed_while_its_clock_runs(desk: App) -> None:
    of = {"about": "resolution", "alert_type": "breach"}
    desk.desk.accept("web:1", by="ana", at=later(minutes=1))
    desk.desk.agree_due("web:1", by="ana", due=later(2), reason="agreed", at=later(minutes=2))
    evaluate(desk, 121)
    assert {state for _, state, _ in listed(desk, 121, **of)} == {WAITS}
    acknowledge(desk, 125, **of)
    evaluate(desk, 126)
    assert {row[1:] for row in listed(desk, 126, **of)} == {(SEEN, "ana")}
    desk.desk.resolve("web:1", by="ana", summary="s", at=later(3))
    assert listed(desk, 181, **of) == []


def test_the_next_level_of_a_nudge_rises_all_the_same(desk: App) -> None:
    evaluate(desk, 5)
    acknowledge(desk, 6, about="not_assigned")
    evaluate(desk, 10)
    assert listed(desk, 10, about="not_assigned") == [(1, SEEN, "ana"), (2, WAITS, None)]
