"""A clock of INC-0 runs out: its alert tells. Nobody answers an envelope: a rule does. Rob is back: his flag does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.alert_matrix import Nudge
from engine.contracts import Priority
from pipelines.app.container import App, open_app
from pipelines.jobs.alerts import raise_and_queue
from tests.pipelines import test_alerts
from tests.pipelines.test_alerts import breached, in_a_group, minutes, tickets_of
from tests.pipelines.test_sweep import DAY, INSTANT, MONDAY, a_ticket, fill, swept, told


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def test_of_a_clock_tells_alerts_yaml(app: App) -> None:
    in_a_group(app, 1)
    now = test_alerts.MONDAY + minutes(2)
    app.desk.reprioritise("web:0", to=Priority.CRITICAL, reason="all of them", by="ana", at=now)
    raise_and_queue(app, breached(1, over=-180, state="at_risk"), tickets_of(app), as_of=now)
    assert {nudge.condition for nudge in app.store.all(Nudge)} == {"not_completed"}
    assert {kind for _, kind in told(app)} == {"sla_warning"}


def test_of_an_envelope_tells_a_rule_when_envelopes_yaml_says_so(app: App) -> None:
    fill(app, a_ticket(1))
    app.desk.accept("web:1", by="ana", at=MONDAY)
    app.desk.open_envelope("web:1", by="ana", reason="DNS", assigned_to="dirk", at=MONDAY)
    before = told(app)
    due = MONDAY + minutes(app.desk.policies.envelopes.response_minutes)
    assert [swept(app, due + shift).rules for shift in (-INSTANT, 0 * INSTANT, INSTANT)] == [0, 1, 0]
    assert told(app) - before == {("dirk", "envelope_overdue"): 1}


def test_of_who_comes_back_tells_flags_yaml(app: App) -> None:
    rob = {"requester": "rob", "category": "vpn", "group": "seniors"}
    earlier = [a_ticket(n, created_at=MONDAY - n * DAY, status="closed", **rob) for n in (2, 3)]
    fill(app, *earlier, a_ticket(1, **rob))
    assert (swept(app).marked, swept(app).marked) == (1, 0)
    assert told(app) == {("dirk", "flagged"): 1}
