"""A storm of breaches: every alert is kept, few messages are queued, and doing it twice does nothing twice."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from structlog.testing import capture_logs

from engine.alert_matrix import Nudge
from engine.contracts import Agent, AssignmentGroup, Delivery, Role, StandardTicket, Team
from engine.desk.notification_routing import NotificationRouting
from engine.desk.nudges import NudgeDecision
from engine.notifications import News, NotificationPreference, QueuedNotification, Silence, due_batches
from engine.shared.errors import BadInput, NotAllowed
from pipelines.app.container import App, open_app
from pipelines.jobs.alerts import (
    Raised,
    acknowledge,
    nudge,
    on_calendars,
    queue_messages,
    raise_alerts,
    raise_and_queue,
)
from pipelines.marts.alerts import Alerts, build
from pipelines.snapshot import Snapshot
from sla.contracts import CLOCKS

MONDAY = datetime(2026, 7, 13, 9, tzinfo=UTC)
LATER = MONDAY + timedelta(days=9)
TEAM = Team(id="cloud", name="Cloud", supervisor_id="cleo", manager_id="dirk")
AGENTS = [
    Agent(id="ana", email="ana@desk.example", name="Ana", teams=("cloud",)),
    Agent(id="cleo", email="cleo@desk.example", name="Cleo", role=Role.TEAM_LEAD, teams=("cloud",)),
    Agent(id="dirk", email="dirk@desk.example", name="Dirk", role=Role.MANAGER, teams=("cloud",)),
]


def minutes(number: float) -> timedelta:
    return timedelta(minutes=number)


def fill(app: App, tickets: int, **fields: Any) -> App:
    """Tickets of Monday morning that Ana owns, unless told otherwise."""
    app.store.put([TEAM, *AGENTS])
    made = [
        StandardTicket.model_validate(
            {"ticket_id": str(n), "source": "web", "ticket_number": f"INC-{n}", "created_at": MONDAY} | fields
        )
        for n in range(tickets)
    ]
    app.store.ingest(Delivery(tickets=tuple(made)), at=MONDAY)
    for ticket in app.store.tickets() if tickets < 50 else []:
        app.desk.accept(ticket.id, by="ana", at=MONDAY)
    return app


@pytest.fixture
def app(sqlite_file: Path) -> Iterator[App]:
    with open_app(home=sqlite_file.parent) as opened:
        yield opened


def breached(tickets: int, *, over: float = 60, state: str = "breached") -> pl.DataFrame:
    row = {
        "clock": "resolution", "window": 1, "is_current": True, "state": state, "target": 3600,
        "elapsed": int(3600 + over), "paused": 0, "remaining": int(-over), "due_at": MONDAY + minutes(60),
        "window_start": MONDAY, "stopped_at": None, "is_paused": False, "policy": "p", "calendar": "24x7",
    }  # fmt: skip
    return pl.DataFrame([{"ticket": f"web:{n}"} | row for n in range(tickets)], schema=CLOCKS)


def tickets_of(app: App) -> pl.DataFrame:
    return Snapshot(app, LATER).tickets_now


def queue(app: App, kind: str = "sla_breach") -> list[QueuedNotification]:
    return app.store.all(QueuedNotification, event_type=kind)


def in_a_group(app: App, tickets: int) -> App:
    app.store.put([AssignmentGroup(group_id="g", name="G", max_bandwidth=9, team_id="cloud")])
    return fill(app, tickets, group="g", priority="medium")


def test_storm_keeps_every_alert_and_sends_a_digest(app: App) -> None:
    in_a_group(app, 1200)
    assert raise_and_queue(app, breached(1200), tickets_of(app), as_of=LATER) == Raised(
        alerts=1200, nudges=0, messages=2
    )
    kept = app.store.frame("sla_alerts")
    assert (kept.height, kept["notification_sent"].any()) == (1200, False)
    assert [(row.agent_id, row.ticket_id, row.payload["alerts"]) for row in queue(app)] == [
        ("cleo", None, 1200),
        ("dirk", None, 1200),
    ]
    assert raise_and_queue(app, breached(1200), tickets_of(app), as_of=LATER + minutes(1)) == Raised(0, 0, 0)
    assert len(queue(app)) == 2


def test_pass_cut_short_is_finished_by_the_next(app: App) -> None:
    in_a_group(app, 60)
    assert raise_alerts(app, breached(60), tickets_of(app), as_of=LATER) == 60
    assert raise_and_queue(app, breached(60), tickets_of(app), as_of=LATER + minutes(1)) == Raised(0, 0, 2)
    assert raise_and_queue(app, breached(60), tickets_of(app), as_of=LATER + minutes(2)) == Raised(0, 0, 0)
    assert len(queue(app)) == 2


def test_queuing_that_fails_leaves_nothing_half_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(app, 3)
    raise_alerts(app, breached(3), tickets_of(app), as_of=LATER)

    def dies(*_: Any, **__: Any) -> int:
        raise ConnectionError

    with monkeypatch.context() as patch:
        patch.setattr(app.alert_store, "mark_queued", dies)
        with pytest.raises(ConnectionError):
            queue_messages(app, tickets_of(app), as_of=LATER)
    assert queue(app) == []
    assert queue_messages(app, tickets_of(app), as_of=LATER + minutes(1)) == 9
    assert queue_messages(app, tickets_of(app), as_of=LATER + minutes(2)) == 0


def test_alert_row_says_what_was_raised(app: App) -> None:
    fill(app, 1)
    raise_and_queue(app, breached(1), tickets_of(app), as_of=LATER)
    assert app.store.frame("sla_alerts").drop("id").row(0, named=True) == {
        "ticket_id": "web:0",
        "ticket_external_id": "0",
        "sla_type": "resolution",
        "alert_type": "breach",
        "triggered_at": LATER,
        "deadline": MONDAY + minutes(60),
        "remaining_seconds": -60.0,
        "state": "breached",
        "escalation_level": 3,
        "notification_sent": False,
        "notification_sent_at": None,
        "dedupe_key": "web:0:resolution:1:breach",
        "acknowledged_by": None,
        "acknowledged_at": None,
    }


def test_breach_reaches_owner_lead_and_manager(app: App) -> None:
    fill(app, 1)
    raise_and_queue(app, breached(1), tickets_of(app), as_of=LATER)
    assert [(row.agent_id, row.ticket_id) for row in queue(app)] == [
        ("ana", "web:0"),
        ("cleo", "web:0"),
        ("dirk", "web:0"),
    ]
    assert queue(app)[0].payload["channel"] == "#escalations"


def test_alert_without_anybody_to_tell_waits_for_a_day(app: App) -> None:
    in_a_group(app, 0)
    app.store.ingest(Delivery(tickets=(StandardTicket(ticket_id="0", source="web", created_at=MONDAY),)), at=MONDAY)
    assert raise_and_queue(app, breached(1), tickets_of(app), as_of=LATER) == Raised(1, 0, 0)
    app.desk.accept("web:0", by="ana", at=LATER)
    assert queue_messages(app, tickets_of(app), as_of=LATER + timedelta(days=2)) == 0
    assert queue_messages(app, tickets_of(app), as_of=LATER + minutes(1)) == 3


def test_archive_wakes_nobody(app: App) -> None:
    fill(app, 1)
    old = breached(1).with_columns(stopped_at=pl.lit(MONDAY).cast(pl.Datetime("us", "UTC")))
    assert raise_alerts(app, old, tickets_of(app), as_of=LATER) == 0


def test_nudges_follow_the_resolution_clock_once(app: App) -> None:
    fill(app, 2, priority="high")
    soon = breached(2, over=-3000, state="on_track").with_columns(
        remaining=pl.Series([3000, 9000], dtype=pl.Int64)  # high: one hour before due
    )
    at = MONDAY + minutes(5)
    assert nudge(app, soon, tickets_of(app), as_of=at) == 1
    assert nudge(app, soon, tickets_of(app), as_of=at + minutes(1)) == 0
    assert [alert.id for alert in app.store.all(Nudge)] == ["web:0/not_completed/1/1"]
    assert app.store.ticket("web:0").updated_at == MONDAY
    assert app.store.history("web:0")[-1].kind == "alert"


def test_nudges_that_nobody_hears_are_said_so(app: App) -> None:
    """They count from the first pass, in which no ticket has a group yet."""
    fill(app, 1, priority="critical")
    facts = {"ticket_id": "9", "source": "web", "created_at": MONDAY, "priority": "critical"}
    app.store.ingest(Delivery(tickets=(StandardTicket.model_validate(facts),)), at=MONDAY)
    with capture_logs() as lines:
        nudge(app, breached(0), tickets_of(app), as_of=MONDAY + minutes(16))
    (said,) = [line for line in lines if line["event"] == "nobody hears of nudges"]
    assert said["nudges"] == len([one for one in app.store.all(Nudge) if one.ticket_id == "web:9"]) > 0
    assert {row.ticket_id for row in app.store.all(QueuedNotification)} == {"web:0"}


def test_nudge_that_ended_may_come_again(app: App) -> None:
    fill(app, 1, priority="high")
    near, far = breached(1, over=-3000, state="on_track"), breached(1, over=-9000, state="on_track")
    found = [
        nudge(app, clocks, tickets_of(app), as_of=MONDAY + minutes(n))
        for n, clocks in enumerate([near, far, near, near])
    ]
    assert found == [1, 0, 1, 0]
    assert [alert.id[-2:] for alert in app.store.all(Nudge)] == ["/1", "/2"]


def test_ticket_that_moved_on_is_left_to_the_next_sweep(app: App) -> None:
    fill(app, 2, priority="high")
    at = MONDAY + minutes(2)
    alerts = [
        Nudge(
            id=f"web:{n}/not_completed/1/1",
            ticket_id=f"web:{n}",
            condition="not_completed",
            level=1,
            recipients=("tech",),
            triggered_at=at,
        )
        for n in range(2)
    ]
    nudges = [
        NudgeDecision(ticket, [alert], [alert]) for ticket, alert in zip(app.store.tickets(), alerts, strict=True)
    ]
    app.desk.resolve("web:0", by="ana", summary="done", at=MONDAY + minutes(1))
    assert app.store.note(nudges, at=at) == nudges[1:]
    assert app.store.all(Nudge) == alerts[1:]
    assert [app.store.history(f"web:{n}")[-1].kind for n in range(2)] != ["alert", "alert"]


def test_nudges_of_a_storm_go_out_as_few_messages(app: App) -> None:
    in_a_group(app, 0)
    made = (StandardTicket(ticket_id=str(n), source="web", created_at=MONDAY, priority="critical", group="g")
            for n in range(300))  # fmt: skip
    app.store.ingest(Delivery(tickets=tuple(made)), at=MONDAY)
    assert nudge(app, breached(300), tickets_of(app), as_of=MONDAY + minutes(60)) == 2700
    batches = due_batches(app.store.all(QueuedNotification), at=MONDAY + minutes(90))
    assert sorted(len(batch) for batch in batches) == [300, 300]


def test_nudges_stand_in_the_list_of_alerts_with_who_has_seen_them(app: App) -> None:
    fill(app, 1, priority="critical")
    at = MONDAY + minutes(60)
    raise_and_queue(app, breached(1), tickets_of(app), as_of=at)
    nudged = app.store.all(Nudge)
    app.desk.acknowledge(nudged[0].id, by="dirk", at=at + minutes(1))
    rows = {seen: build(Snapshot(app, at + minutes(seen))).rows(named=True) for seen in (0, 1)}
    assert {row["kind"] for row in rows[1]} == {"sla", "nudge"}
    shown = [[row["acknowledged_by"] for row in rows[seen] if row["alert"] == nudged[0].id] for seen in (0, 1)]
    assert shown == [[None], ["dirk"]]
    assert Alerts.validate(pl.DataFrame(rows[1]).select(Alerts.column_names()), cast=True).height == len(rows[1])


@pytest.mark.parametrize("assignee", ["ana", "somebody of the source"])
def test_an_assignee_is_somebody_who_has_it(app: App, assignee: str) -> None:
    fill(app, 60, priority="critical", assignee=assignee)
    nudge(app, breached(60, over=-9e3), tickets_of(app), as_of=MONDAY + minutes(6))
    assert app.store.all(Nudge) == []


def test_of_a_clock_that_runs_out_its_alert_tells_and_not_the_matrix(app: App) -> None:
    fill(app, 60, priority="critical", status="in_progress", assignee="ana")
    at = MONDAY + minutes(6)
    assert nudge(app, breached(60, over=-1700), tickets_of(app), as_of=at) == 60
    assert app.store.all(QueuedNotification) == []


def test_matrix_counts_on_the_named_calendar(app: App) -> None:
    elapsed = on_calendars(app.policies.sla.calendars)
    friday, monday = datetime(2026, 7, 17, 16, tzinfo=UTC), datetime(2026, 7, 20, 10, tzinfo=UTC)
    assert elapsed("business", friday, monday) == 2 * 3600
    assert elapsed(None, friday, monday) == 66 * 3600
    with pytest.raises(BadInput, match="no calendar 'lunar'"):
        elapsed("lunar", friday, monday)


def test_real_clocks_warn_breach_and_nudge(app: App) -> None:
    fill(app, 2, priority="critical")
    counts = []
    for at in (MONDAY + minutes(1), LATER, LATER + minutes(1)):
        counts.append(raise_and_queue(app, Snapshot(app, at).clocks, tickets_of(app), as_of=at))
    assert (counts[0].alerts, counts[0].messages) == (0, 0)
    assert counts[1].alerts > 0
    assert counts[1].messages > 0
    assert counts[1].nudges > 0
    assert counts[2] == Raised(0, 0, 0)


@pytest.mark.parametrize("ticket_id", ["web:0", "web:1", None])
def test_routing_answer_as_the_desk_does(app: App, ticket_id: str | None) -> None:
    fill(app, 2, priority="critical")
    app.store.put(
        [
            NotificationPreference(id="dirk/flagged", agent_id="dirk", event_type="flagged", channel="email"),
            Silence(id="cleo/web:0", agent_id="cleo", ticket_id="web:0", until=LATER + minutes(30)),
        ]
    )
    told = app.desk.queued(News(id="old", event_type="flagged", ticket_id="web:1"), ["ana"], at=LATER - minutes(3))
    app.store.put(told)
    people = ["dirk", "nobody", "cleo", "ana", "dirk"]
    news = [News(id=f"n{n}", event_type=kind, ticket_id=ticket_id) for n, kind in enumerate(["flagged", "sla_breach"])]
    routing = NotificationRouting(app.store, app.desk.policies.notifications, at=LATER)
    rows: list[QueuedNotification] = []
    for one in [*news, news[0], News(id="old", event_type="flagged", ticket_id="web:1")]:
        expected = app.desk.queued(one, people, at=LATER, beside=rows)
        assert routing.queued([(one, people)]) == expected
        rows += expected
    assert rows


@pytest.mark.postgres
def test_storm_on_postgresql(tmp_path: Path, new_database: Callable[..., str], postgres_template: str) -> None:
    with open_app(home=tmp_path, database_url=new_database(postgres_template)) as app:
        in_a_group(app, 600)
        assert raise_and_queue(app, breached(600), tickets_of(app), as_of=LATER) == Raised(
            alerts=600, nudges=0, messages=2
        )
        assert raise_and_queue(app, breached(600), tickets_of(app), as_of=LATER + minutes(1)) == Raised(0, 0, 0)
        assert nudge(app, breached(600), tickets_of(app), as_of=LATER) == 0
        assert queue_messages(app, tickets_of(app), as_of=LATER) == 0


def test_an_alert_of_a_clock_is_acknowledged_once(app: App) -> None:
    fill(app, 1)
    raise_and_queue(app, breached(1), tickets_of(app), as_of=LATER)
    [key] = app.store.frame("sla_alerts")["id"]
    seen = acknowledge(app, key, by="ana", at=LATER)
    assert (seen.acknowledged_by, seen.acknowledged_at) == ("ana", LATER)
    assert app.store.history("web:0")[-1].data == {"clock": "resolution", "alert_type": "breach", "level": 3}
    with pytest.raises(NotAllowed, match="was acknowledged by ana already"):
        acknowledge(app, key, by="cleo", at=LATER)
    assert app.store.history("web:0")[-1].actor == "ana"
