"""A look at the past or ahead tells nobody: alerts are news of the present, raised once."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from engine.alert_matrix import Nudge
from pipelines.app.container import App, open_app
from pipelines.jobs.alerts import Raised, nudge, raise_and_queue
from pipelines.jobs.publish import publish
from pipelines.snapshot import Snapshot
from tests.pipelines.test_alerts import LATER, MONDAY, breached, fill, minutes, tickets_of

THEN = LATER - timedelta(hours=3)


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    """Three tickets, an hour after LATER."""
    with open_app(home=tmp_path) as opened:
        monkeypatch.setattr(opened, "now", lambda: LATER + minutes(60))
        yield fill(opened, 3)


def test_look_back_raises_no_alert(app: App) -> None:
    assert raise_and_queue(app, breached(1), tickets_of(app), as_of=LATER).alerts == 1
    assert raise_and_queue(app, breached(3), tickets_of(app), as_of=THEN) == Raised(0, 0, 0)
    assert app.store.frame("sla_alerts")["triggered_at"].to_list() == [LATER]


def test_instant_that_raised_nothing_was_looked_at_too(app: App) -> None:
    raise_and_queue(app, breached(0), tickets_of(app), as_of=LATER)
    for as_of in (LATER, MONDAY):
        publish(app, Snapshot(app, as_of).with_parts(clocks=breached(0)))
    assert raise_and_queue(app, breached(3), tickets_of(app), as_of=THEN) == Raised(0, 0, 0)


def test_first_look_raises_also_long_after(app: App) -> None:
    assert raise_and_queue(app, breached(3), tickets_of(app), as_of=THEN).alerts == 3


def test_present_after_a_look_back_is_told(app: App) -> None:
    raised = [raise_and_queue(app, breached(n), tickets_of(app), as_of=at).alerts for n, at in ((1, LATER), (3, THEN))]
    assert [*raised, raise_and_queue(app, breached(3), tickets_of(app), as_of=LATER + minutes(1)).alerts] == [1, 0, 2]


def test_look_ahead_silences_nobody(app: App) -> None:
    ahead = LATER + timedelta(days=9)
    raise_and_queue(app, breached(1), tickets_of(app), as_of=ahead)
    publish(app, Snapshot(app, ahead).with_parts(clocks=breached(1)))
    assert raise_and_queue(app, breached(3), tickets_of(app), as_of=LATER).alerts == 2


def test_look_back_nudges_nobody_again(tmp_path: Path) -> None:
    near, far = breached(1, over=-3000, state="on_track"), breached(1, over=-9000, state="on_track")
    now, then = MONDAY + minutes(5), MONDAY + minutes(1)
    with open_app(home=tmp_path) as app:
        fill(app, 1, priority="high")
        found = [
            nudge(app, clocks, tickets_of(app), as_of=at) for clocks, at in ((near, now), (far, then), (near, now))
        ]
        assert found == [1, 0, 0]
        assert [alert.cleared_at for alert in app.store.all(Nudge)] == [None]
