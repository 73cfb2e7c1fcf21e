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


def test_rows_that_are_in_a_notice_or_sent_are_not_due_again() -> None:
    row = queued()
    for done in ({"notice_id": "n"}, {"sent_at": later(1)}):
        assert notifications.due_batches([row.model_copy(update=done)], at=later(2)) == []


def test_what_is_due_late_goes_as_one_message() -> None:
    first = queued()
    second = queued(news("n2", ticket="web:2"), at=later(minutes=20))
    breach = queued(news("n3", "sla_breach"), at=later(minutes=21))
    batches = notifications.due_batches([breach, second, first], at=later(1))
    assert [[row.id for row in batch] for batch in batches] == [["n1/ana", "n2/ana"], ["n3/ana"]]


@pytest.mark.parametrize(
    ("minutes", "goes_at"),
    [(0, 5), (1, 5), (4.9, 5), (5, 35), (6, 35), (29.9, 35), (30, 35), (34, 39), (35, 40), (36, 41)],
)
def test_what_comes_within_half_an_hour_of_a_notice_goes_at_its_end(minutes: float, goes_at: float) -> None:
    second = queued(news("n2"), at=later(minutes=minutes), queue=[queued()])
    assert second.scheduled_for == later(minutes=goes_at)


def test_all_of_a_pause_is_one_message() -> None:
    rows = [queued()]
    for n, minutes in enumerate((6, 10, 20, 34), start=2):
        rows.append(queued(news(f"n{n}", "reminder"), at=later(minutes=minutes), queue=rows))
    assert [row.scheduled_for for row in rows] == [later(minutes=m) for m in (5, 35, 35, 35, 35)]
    assert len({row.batch_id for row in rows}) == 2
    assert len(notifications.due_batches(rows[1:], at=later(minutes=35))) == 1


def test_the_pause_of_a_ticket_is_not_cut_short_by_a_batch_of_another() -> None:
    first = queued()
    other = queued(news("n2", ticket="web:2"), at=later(minutes=7), queue=[first])
    assert queued(news("n3"), at=later(minutes=8), queue=[first, other]).scheduled_for == later(minutes=35)


def test_news_about_no_ticket_know_no_pause() -> None:
    first = queued(news(ticket=None))
    assert queued(news("n2", ticket=None), at=later(minutes=6), queue=[first]).scheduled_for == later(minutes=11)


def test_the_same_fact_is_queued_once() -> None:
    assert route(at=later(99), queue=[queued()]) == (None, "queued already")


def test_silence_lasts_an_hour_for_that_ticket() -> None:
    quiet = notifications.silence(agent_id="ana", ticket_id="web:1", at=MONDAY, policy=POLICY)
    rows = [queued(silences=[quiet]), queued(news("n2"), at=later(0.9), silences=[quiet])]
    assert [row.scheduled_for for row in rows] == [later(1), later(1)]
    assert queued(at=later(1), silences=[quiet]).scheduled_for == later(1, minutes=5)
    assert queued(news(ticket="web:2"), silences=[quiet]).scheduled_for == later(minutes=5)
    assert queued(news("n3", "sla_breach"), silences=[quiet]).scheduled_for == MONDAY


def test_what_was_queued_before_the_silence_waits_for_its_end() -> None:
    row, breach = queued(), queued(news("n2", "sla_breach"))
    quiet = notifications.silence(agent_id="ana", ticket_id="web:1", at=later(minutes=2), policy=POLICY)

    def due(minutes: float) -> list[str]:
        at = later(minutes=minutes)
        found = notifications.due_batches([row, breach], at=at, urgent=POLICY.urgent, silences=[quiet])
        return [one.id for batch in found for one in batch]

    assert (due(61.9), due(62)) == (["n2/ana"], ["n2/ana", "n1/ana"])


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


@pytest.mark.parametrize(
    ("at", "scheduled"),
    [
        ("2026-03-29T00:30", "2026-03-29T05:00"),  # the hour from two to three is left out in Paris
        ("2026-10-24T22:00", "2026-10-25T06:00"),
        ("2026-10-25T00:30", "2026-10-25T06:00"),  # twice between two and three
        ("2026-10-25T01:30", "2026-10-25T06:00"),
        ("2026-10-25T05:55", "2026-10-25T06:00"),
        ("2026-10-25T06:00", "2026-10-25T06:05"),
    ],
)
def test_quiet_hours_end_by_the_clock_on_the_wall(at: str, scheduled: str) -> None:
    start = datetime.fromisoformat(at).replace(tzinfo=UTC)
    row = queued(at=start, to=PARIS, preference=wish(quiet_hours=NIGHT))
    assert row.scheduled_for == datetime.fromisoformat(scheduled).replace(tzinfo=UTC)


@pytest.mark.parametrize(("comes_through", "goes_at"), [(True, "2026-03-02T23:30"), (False, "2026-03-03T06:00")])
def test_breaches_come_through_quiet_hours_unless_that_is_not_wanted(comes_through: bool, goes_at: str) -> None:
    night = NIGHT.model_copy(update={"urgent_comes_through": comes_through})
    at = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)
    row = queued(news(event="sla_breach"), at=at, to=PARIS, preference=wish(quiet_hours=night))
    assert row.scheduled_for == datetime.fromisoformat(goes_at).replace(tzinfo=UTC)


def test_all_of_a_night_is_one_message_in_the_morning() -> None:
    night = {"to": PARIS, "preference": wish(quiet_hours=NIGHT)}
    first = queued(at=datetime(2026, 3, 2, 22, tzinfo=UTC), **night)
    second = queued(news("n2"), at=datetime(2026, 3, 3, 4, tzinfo=UTC), queue=[first], **night)
    assert first.batch_id == second.batch_id


def test_a_digest_takes_along_what_comes_within_a_pause() -> None:
    hourly = wish(timing="hourly_digest")
    first = queued()
    assert queued(news("n2"), at=later(minutes=50), queue=[first], preference=hourly).scheduled_for == later(1)


def test_unknown_urgent_event_is_refused() -> None:
    with pytest.raises(ValueError, match="urgent: sla_breach is not among the events"):
        notifications.NotificationPolicy(events={"assigned": "yours"})


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
