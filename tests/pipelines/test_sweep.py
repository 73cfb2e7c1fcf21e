"""The sweep of a store: what is new meets the rules once, and an archive wakes nobody."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from engine.contracts import Agent, AssignmentGroup, Delivery, StandardTicket, Status, Team
from engine.escalations import Side
from engine.flags import CaseFlag
from engine.notifications import QueuedNotification
from engine.reminders import Reminder
from pipelines.app.container import App, open_app
from pipelines.jobs.rules import rules_in_force, try_rules
from pipelines.jobs.sweep import SweepCounts, sweep
from pipelines.snapshot import Snapshot
from tests.processes import meet

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)
STORM = 60


def fill(app: App, *tickets: StandardTicket) -> App:
    app.store.put([
        Team(id="senior-support", name="Seniors", manager_id="dirk"),
        Team(id="escalation-managers", name="Managers", manager_id="dirk"),
        AssignmentGroup(group_id="seniors", name="Seniors", max_bandwidth=0, team_id="senior-support"),
        Agent(id="ana", email="ana@desk.example", name="Ana"),
        Agent(id="dirk", email="dirk@desk.example", name="Dirk"),
    ])  # fmt: skip
    app.store.ingest(Delivery(tickets=tickets), at=MONDAY)
    return app


def a_ticket(number: int, **facts: Any) -> StandardTicket:
    known = {"source": "web", "ticket_id": str(number), "ticket_number": f"INC-{number}", "created_at": MONDAY, **facts}
    return StandardTicket(**known)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    with open_app(home=tmp_path) as opened:
        yield opened


def swept(app: App, at: datetime = MONDAY) -> SweepCounts:
    return sweep(app, Snapshot(app, at))


def told(app: App) -> Counter[tuple[str, str]]:
    return Counter((row.agent_id, row.event_type) for row in app.store.all(QueuedNotification))


def test_who_waits_for_a_customer_is_reminded_once_a_wait(app: App) -> None:
    fill(app, a_ticket(1, priority="high", requester="rob"))
    app.desk.accept("web:1", by="ana", at=MONDAY)
    app.desk.change_status("web:1", to=Status.WAITING_CUSTOMER, by="ana", at=MONDAY)
    assert [swept(app, MONDAY + timedelta(minutes=minutes)).reminders for minutes in (119, 120, 121, 600)] == [
        0,
        1,
        0,
        0,
    ]
    (reminder,) = app.store.all(Reminder)
    assert (reminder.agent_id, reminder.message) == ("ana", "INC-1 waits for the customer: remind them.")
    assert ("ana", "reminder") in told(app)
    app.desk.receive("web:1", author=None, text="here it is", at=MONDAY + timedelta(hours=11))
    app.desk.change_status("web:1", to=Status.WAITING_CUSTOMER, by="ana", at=MONDAY + timedelta(hours=12))
    assert swept(app, MONDAY + timedelta(hours=14)).reminders == 1


def test_a_critical_incident_goes_to_the_seniors_once(app: App) -> None:
    fill(app, a_ticket(1, priority="critical"), a_ticket(2))
    assert (swept(app).rules, swept(app).rules) == (1, 0)
    assert [ticket.group_id for ticket in app.store.tickets()] == ["seniors", None]
    waiting = app.outbox.next_due("outbox", at=app.now())
    assert waiting is not None
    assert "seniors" in str(waiting.payload), waiting.payload


@pytest.mark.parametrize(("age", "flags"), [(DAY - INSTANT, 1), (DAY, 0)])
def test_who_came_back_a_day_ago_is_history(app: App, age: timedelta, flags: int) -> None:
    rob = {"requester": "rob", "category": "vpn"}
    earlier = [a_ticket(n, created_at=MONDAY - 3 * DAY, status="closed", **rob) for n in (1, 2)]
    fill(app, *earlier, a_ticket(3, created_at=MONDAY - age, **rob))
    assert (swept(app).marked, swept(app).marked) == (flags, 0)
    assert len(app.store.all(CaseFlag)) == flags


def test_an_archive_wakes_nobody(app: App) -> None:
    past = {"created_at": MONDAY - 90 * DAY, "updated_at": MONDAY - 60 * DAY, "assignee": "Ana"}
    done = {**past, "status": "resolved", "resolved_at": MONDAY - 60 * DAY}
    fill(app, a_ticket(1, **past, status="in_progress"), a_ticket(2, **done), a_ticket(3, **done, priority="critical"))
    assert swept(app) == SweepCounts()
    assert told(app) == {}
    assert [ticket.status for ticket in app.store.tickets()].count(Status.RESOLVED) == 2


def test_what_was_resolved_here_closes_by_itself(app: App) -> None:
    fill(app, a_ticket(1))
    swept(app)
    app.desk.accept("web:1", by="ana", at=MONDAY)
    app.desk.resolve("web:1", by="ana", summary="done", at=MONDAY)
    ends = [swept(app, MONDAY + 14 * DAY + shift).closed for shift in (-INSTANT, timedelta(), INSTANT)]
    assert ends == [0, 1, 0]


def test_a_reminder_rings_once(app: App) -> None:
    fill(app, a_ticket(1))
    app.desk.accept("web:1", by="ana", at=MONDAY)
    found = [swept(app, MONDAY + 5 * DAY + shift) for shift in (-INSTANT, timedelta(), INSTANT)]
    assert [(one.reminders, one.rung) for one in found] == [(0, 0), (1, 1), (0, 0)]
    assert told(app) == {("ana", "reminder"): 1}


def test_a_silent_team_rings_once_for_each_update(app: App) -> None:
    fill(app, a_ticket(1, priority="critical", group="seniors"))
    app.store.put(
        [Team(id="engineering", name="E"), Agent(id="eli", email="e@x.example", name="E", teams=("engineering",))]
    )
    app.desk.accept("web:1", by="ana", at=MONDAY)
    app.desk.escalate("web:1", side=Side.ENGINEERING, component="DLP", reason="stalls", by="ana", at=MONDAY)
    found = [swept(app, MONDAY + timedelta(hours=4) + shift) for shift in (-INSTANT, timedelta(), INSTANT)]
    assert [(one.reminders, one.rung) for one in found] == [(0, 0), (1, 1), (0, 0)]
    assert told(app)["ana", "reminder"] == 1


def test_a_look_back_changes_nothing(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "now", lambda: MONDAY + DAY)
    fill(app, a_ticket(1))
    swept(app, MONDAY + timedelta(hours=1))
    fill(app, a_ticket(2, priority="critical"))
    assert swept(app, MONDAY) == SweepCounts()
    assert app.store.ticket("web:2").group_id is None
    assert swept(app, MONDAY + timedelta(hours=1)).rules == 1


def test_a_trial_asks_tickets_as_they_were_created_and_changes_nothing(app: App) -> None:
    fill(app, a_ticket(1, priority="critical"), a_ticket(2))
    app.desk.accept("web:2", by="ana", at=MONDAY)
    app.desk.store.put([AssignmentGroup(group_id="seniors", name="Seniors", max_bandwidth=0, status="inactive")])
    before = app.store.counts()
    route, overdue = try_rules(app, app.desk.policies.rules)
    assert (route.fired, route.facts, route.tickets) == (1, 2, ["INC-1"])
    assert route.why_never == "there is no active group senior-support, and no team senior-support with one"
    assert (overdue.fired, overdue.facts, overdue.why_never) == (0, 0, None)
    assert app.store.counts() == before
    assert [(one.rule, one.acted) for one in rules_in_force(app)] == [
        ("route_critical_to_senior", 0), ("escalation_timeout_warning", 0),
    ]  # fmt: skip


def sweep_as_process(home: Path, database_url: str) -> SweepCounts:
    with open_app(home=home, database_url=database_url) as app:
        snapshot = Snapshot(app, MONDAY + 5 * DAY)
        assert snapshot.tickets_now.height == 2 * STORM
        meet()
        return sweep(app, snapshot)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{request.getfixturevalue('sqlite_file')}"
    return str(request.getfixturevalue("new_database")(request.getfixturevalue("postgres_template")))


def test_two_sweeps_at_once_do_things_once(
    tmp_path: Path, database_url: str, process_pool: ProcessPoolExecutor
) -> None:
    fresh = [a_ticket(n, priority="critical", created_at=MONDAY + 5 * DAY) for n in range(STORM)]
    with open_app(home=tmp_path, database_url=database_url) as app:
        fill(app, *fresh, *(a_ticket(STORM + n) for n in range(STORM)))
        for n in range(STORM):
            app.desk.remind(f"web:{STORM + n}", by="ana", trigger_at=MONDAY + DAY, message="call", at=MONDAY)
    running = [process_pool.submit(sweep_as_process, tmp_path, database_url) for _ in range(2)]
    found = [future.result(timeout=120) for future in running]
    with open_app(home=tmp_path, database_url=database_url) as app:
        found.append(swept(app, MONDAY + 5 * DAY))
        assert (sum(one.rules for one in found), sum(one.rung for one in found)) == (STORM, STORM)
        assert told(app) == {("ana", "reminder"): STORM}
        assert [one.status for one in app.store.all(Reminder)] == ["triggered"] * STORM
        kinds = app.store.frame("events")["kind"].value_counts()
        assert dict(kinds.iter_rows())["rule"] == dict(kinds.iter_rows())["allocated"] == STORM
