"""INC-1, critical, goes to the seniors once, though two sweeps run at once; of last winter's tickets nobody hears."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest

from engine.contracts import Kind
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.doctor import rules_of_the_desk
from pipelines.jobs.sweep import sweep
from pipelines.snapshot import Snapshot
from tests.pipelines.test_sweep import DAY, INSTANT, MONDAY, a_ticket, fill, swept, told

TELL = """
name: tell_dirk
trigger: {event: ticket.created}
action: {type: notify, to: "agent:dirk", message: "{ticket.reference} came in"}
"""
CRITICAL = {"priority": "critical"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with open_app(home=tmp_path) as app:
        app.store.counts()  # migrated
    return tmp_path


@pytest.mark.parametrize(("age", "rows"), [(DAY - INSTANT, 1), (DAY, 0)])
def test_nobody_hears_of_what_is_a_day_old(home: Path, age: timedelta, rows: int) -> None:
    data = Path(shutil.copytree(shipped_data(), home / "data", ignore=shutil.ignore_patterns("tickets", "knowledge")))
    (data / "policies" / "rules.yaml").write_text(TELL, encoding="utf-8")
    with open_app(home=home, data=data) as app:
        fill(app, a_ticket(1, created_at=MONDAY - age))
        swept(app)
        assert told(app)["dirk", "rule"] == rows


def test_an_old_ticket_that_is_open_and_nobodys_is_assigned_all_the_same(home: Path) -> None:
    past = {"created_at": MONDAY - 90 * DAY, **CRITICAL}
    with open_app(home=home) as app:
        ended = a_ticket(2, **past, status="resolved", resolved_at=MONDAY - 60 * DAY)
        fill(app, a_ticket(1, **past), ended, a_ticket(3, **past, assignee="Ana"))
        assert swept(app).rules == 1
        assert [ticket.group_id for ticket in app.store.tickets()] == ["seniors", None, None]


def test_two_sweeps_at_once_do_it_once(home: Path) -> None:
    meet = Barrier(2)

    def run(app: App) -> int:
        snapshot = Snapshot(app, MONDAY)
        assert snapshot.tickets_now.height == 1
        meet.wait(timeout=60)
        return sweep(app, snapshot).rules

    with open_app(home=home) as one, open_app(home=home) as other, ThreadPoolExecutor() as pool:
        fill(one, a_ticket(1, **CRITICAL))
        assert sorted(pool.map(run, (one, other))) == [0, 1]
        assert [event.kind for event in one.store.history("web:1")].count(Kind.RULE) == 1


def test_a_rule_that_can_never_act_is_skipped_and_named(home: Path) -> None:
    with open_app(home=home) as app:
        assert set(app.desk.rules_that_never_act()) == {"route_critical_to_senior", "escalation_timeout_warning"}
        assert "there is no active group senior-support" in rules_of_the_desk(app)[1]
        assert swept(app).rules == 0
