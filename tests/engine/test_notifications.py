"""News reach agents by their wishes: channel, batch, digest, quiet hours, and no second notice too soon."""

from datetime import UTC, datetime, time
from typing import Any

import pytest

from engine import notifications
from engine.notifications import News, NotificationPreference, QueuedNotification, QuietHours
from engine.shared.errors import BadInput
from tests.engine.people import ANA, EVA, MONDAY, POLICIES, later

POLICY = notifications.load(POLICIES / "notifications.yaml")
PARIS = ANA.model_copy(update={"timezone": "Europe/Paris"})


def news(name: str = "n1", event: str = "assigned", ticket: str | None = "web:1") -> News:
    return News(id=name, event_type=event, ticket_id=ticket)


def wish(**changes: Any) -> NotificationPreference:
    return NotificationPreference(id="ana/assigned", agent_id="ana", event_type="assigned", **changes)


def route(what: News | None = None, *, at: datetime = MONDAY, to: Any = ANA, **more: Any) -> notifications.Routed:
    return notifications.route(what or news(), to=to, at=at, policy=POLICY, **more)


def queued(what: News | None = None, **more: Any) -> QueuedNotification:
    row = route(what, **more).notification
    assert row is not None
    return row


def test_teams_is_the_default_and_waits_for_its_batch() -> None:
    row = queued()
    assert (row.channel, row.scheduled_for, row.id) == ("teams", later(minutes=5), "n1/ana")


def test_notices_within_five_minutes_go_as_one_batch() -> None:
    first = queued()
    second = queued(news("n2", ticket="web:2"), at=later(minutes=3), queue=[first])
    third = queued(news("n3", ticket="web:3"), at=later(minutes=5), queue=[first, second])
    assert second.batch_id == first.batch_id != third.batch_id
    batches = notifications.due_batches([third, second, first], at=later(minutes=5))
    assert [[row.id for row in batch] for batch in batches] == [["n1/ana", "n2/ana"]]


def test_sent_rows_are_not_due_again() -> None:
    sent = notifications.sent([queued()], at=later(1))
    assert sent[0].sent_at == later(1)
    assert notifications.due_batches(sent, at=later(2)) == []


@pytest.mark.parametrize(("minutes", "is_told"), [(1, False), (29.9, False), (30, True)])
def test_no_second_notice_of_a_ticket_within_half_an_hour(minutes: float, is_told: bool) -> None:
    routed = route(news("n2"), at=later(minutes=minutes), queue=[queued()])
    assert (routed.notification is not None) is is_told
    assert is_told or "within 30 minutes" in routed.reason


def test_the_same_fact_is_queued_once() -> None:
    assert route(at=later(99), queue=[queued()]) == (None, "queued already")


def test_silence_lasts_an_hour_for_that_ticket() -> None:
    quiet = notifications.silence(agent_id="ana", ticket_id="web:1", at=MONDAY, policy=POLICY)
    assert route(at=later(0.99), silences=[quiet]).reason == "Ana is working on it"
    assert route(at=later(1), silences=[quiet]).notification
    assert route(news(ticket="web:2"), at=later(0.5), silences=[quiet]).notification


def test_inactive_agents_are_not_told() -> None:
    assert route(to=EVA).reason == "Eva is not active"


@pytest.mark.parametrize(
    ("timing", "channel", "zone", "expected"),
    [
        ("hourly_digest", "email", "UTC", "2026-03-02T10:00"),
        ("immediate", "digest", "UTC", "2026-03-02T10:00"),
        ("daily_digest", "email", "UTC", "2026-03-03T08:00"),
        ("daily_digest", "email", "America/New_York", "2026-03-02T13:00"),
        ("daily_digest", "email", "Europe/Paris", "2026-03-03T07:00"),
    ],
)
def test_digests_wait_for_their_hour(timing: str, channel: str, zone: str, expected: str) -> None:
    agent = ANA.model_copy(update={"timezone": zone})
    row = queued(to=agent, preference=wish(timing=timing, channel=channel))
    assert row.scheduled_for == datetime.fromisoformat(expected).replace(tzinfo=UTC)


NIGHT = QuietHours(start=time(22), end=time(7))


@pytest.mark.parametrize(
    ("at", "scheduled"),
    [
        ("2026-03-02T20:54", "2026-03-02T20:59"),
        ("2026-03-02T20:55", "2026-03-03T06:00"),
        ("2026-03-02T23:30", "2026-03-03T06:00"),
        ("2026-03-03T03:00", "2026-03-03T06:00"),
        ("2026-03-03T05:55", "2026-03-03T06:00"),
        ("2026-03-28T22:00", "2026-03-29T05:00"),
    ],
)
def test_quiet_hours_run_past_midnight_in_the_agents_zone(at: str, scheduled: str) -> None:
    start = datetime.fromisoformat(at).replace(tzinfo=UTC)
    row = queued(at=start, to=PARIS, preference=wish(quiet_hours=NIGHT))
    assert row.scheduled_for == datetime.fromisoformat(scheduled).replace(tzinfo=UTC)


def test_quiet_hours_within_a_day() -> None:
    lunch = QuietHours(start=time(9), end=time(10))
    assert queued(preference=wish(quiet_hours=lunch)).scheduled_for == later(1)
    assert not lunch.holds(time(10))


@pytest.mark.parametrize(
    ("channel", "louder"),
    [("email", "teams"), ("teams", "push"), ("push", "push"), ("in_app", "push"), ("digest", "push")],
)
def test_breach_goes_one_channel_up_at_once(channel: str, louder: str) -> None:
    told = queued()
    row = queued(news("n2", "sla_breach"), at=later(minutes=1), preference=wish(channel=channel), queue=[told])
    assert (row.channel, row.scheduled_for) == (louder, later(minutes=1))
    assert row.batch_id != told.batch_id


def test_unknown_time_zone_is_named() -> None:
    with pytest.raises(BadInput, match="'Mars/Olympus' is no time zone"):
        route(to=ANA.model_copy(update={"timezone": "Mars/Olympus"}))
