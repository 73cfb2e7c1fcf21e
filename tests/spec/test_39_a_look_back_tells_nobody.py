"""A cycle today, then one as of 5 November: the marts speak of 5 November, and the list of alerts is the same."""

from datetime import UTC, datetime, timedelta

import pytest

from pipelines.app.container import App
from pipelines.jobs.alerts import Raised, raise_and_queue
from pipelines.jobs.publish import publish
from pipelines.jobs.sweep import SweepCounts, sweep
from pipelines.marts import MartReader
from pipelines.snapshot import Snapshot
from tests.pipelines.test_alerts import breached, fill, tickets_of

TODAY, FIFTH = datetime(2026, 11, 20, 9, tzinfo=UTC), datetime(2026, 11, 5, 9, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def pass_of(app: App, at: datetime, broken: int) -> Raised:
    raised = raise_and_queue(app, breached(broken), tickets_of(app), as_of=at)
    publish(app, Snapshot(app, at).with_parts(clocks=breached(broken)))
    return raised


def test_the_past_is_published_and_raises_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "now", lambda: TODAY)
    fill(app, 3)
    assert pass_of(app, TODAY, 1).alerts == 1
    before = app.store.frame("sla_alerts")
    assert pass_of(app, FIFTH, 3) == Raised(0, 0, 0)
    assert sweep(app, Snapshot(app, FIFTH)) == SweepCounts()
    with MartReader(app.settings.marts_folder) as reader:
        assert reader.publication.as_of == FIFTH
    assert app.store.frame("sla_alerts").equals(before)


@pytest.mark.parametrize(("at", "alerts"), [(TODAY - INSTANT, 0), (TODAY, 3), (TODAY + INSTANT, 3)])
def test_before_the_latest_is_a_look_back_and_at_it_is_none(
    app: App, monkeypatch: pytest.MonkeyPatch, at: datetime, alerts: int
) -> None:
    monkeypatch.setattr(app, "now", lambda: TODAY + timedelta(hours=1))
    fill(app, 3)
    publish(app, Snapshot(app, TODAY).with_parts(clocks=breached(0)))
    assert raise_and_queue(app, breached(3), tickets_of(app), as_of=at).alerts == alerts
