"""An alert is sent with its notice, a storm is one digest, and each hears by their own wishes."""

import gc
import time
from datetime import timedelta
from pathlib import Path

import pytest

from engine.notifications import News, QueuedNotification
from engine.shared.errors import BadInput
from pipelines.app.container import App
from pipelines.jobs.alerts import raise_and_queue
from pipelines.jobs.deliver import deliver
from pipelines.jobs.doctor import notices_to_people
from tests.pipelines.handler_system import HandlerSystem
from tests.pipelines.notices import MINUTE, MONDAY, desk, tell, unsent
from tests.pipelines.test_alerts import breached, in_a_group, tickets_of


class TestAlerts:
    def test_are_sent_when_somebody_took_the_notice(self, sqlite_file: Path, system: HandlerSystem) -> None:
        later = MONDAY + timedelta(days=9)
        with desk(sqlite_file.parent, push=system.url) as app:
            in_a_group(app, 1)
            raise_and_queue(app, breached(1), tickets_of(app), as_of=later)
            system.answers = [(500, {}, "")] * 9
            deliver(app, at=later)
            assert app.store.frame("sla_alerts")["notification_sent"].to_list() == [False]
            deliver(app, at=later + MINUTE)
            [row] = app.store.frame("sla_alerts").iter_rows(named=True)
            assert (row["notification_sent"], row["notification_sent_at"]) == (True, later + MINUTE)

    def test_message_says_what_slack_is_to_show(self, sqlite_file: Path, system: HandlerSystem) -> None:
        """Seed S5-12: priority, tier, type, status, level, what remains; S5-09: a breach is posted in #escalations."""
        later = MONDAY + timedelta(days=9)
        with desk(sqlite_file.parent, slack=system.url) as app:
            in_a_group(app, 1)
            raise_and_queue(app, breached(1), tickets_of(app), as_of=later)
            deliver(app, at=later)
        [(_, body)] = system.got
        assert (body["to"]["id"], body["title"]) == (
            "#escalations",
            "INC-0: resolution 1 min over its target (level 3)",
        )
        assert body["message"].splitlines()[1] == (
            "priority: medium · tier: standard · type: incident · status: in_progress · level: 3 · remaining: -2 %"
        )

    def test_storm_is_one_digest_a_person_in_time_that_grows_with_it(
        self, tmp_path: Path, sqlite_file: Path, system: HandlerSystem
    ) -> None:
        later, spent = MONDAY + timedelta(days=9), []
        for size in (1_000, 5_000):
            home = tmp_path / str(size)
            with desk(home, teams=system.url) as app:
                in_a_group(app, size)
                clocks, tickets = breached(size), tickets_of(app)
                raise_and_queue(app, clocks, tickets, as_of=later)
                gc.collect()  # else the one of the two that meets a full collection pays for all tests before it
                start = time.process_time()
                done = deliver(app, at=later)
                spent.append(time.process_time() - start)
                assert done.notices_sent == 2
                assert app.store.frame("sla_alerts")["notification_sent"].all()
        titles = {body["to"]["id"]: body["title"] for _, body in system.got[2:]}
        assert set(titles) == {"cleo", "dirk"}
        assert all("5,000" in title or "5000" in title for title in titles.values()), titles
        assert spent[1] < 10 * max(spent[0], 0.02)

    def test_storm_of_single_news_is_one_message(self, here: App, system: HandlerSystem) -> None:
        from engine.desk.notification_routing import NotificationRouting

        spent = []
        for size in (1_000, 5_000):
            news = [
                (News(id=f"{size}/{n}", event_type="rule", payload={"message": f"{n}"}), ["ana"]) for n in range(size)
            ]
            at = MONDAY + timedelta(hours=size // 1_000)
            gc.collect()
            start = time.process_time()
            here.store.put(NotificationRouting(here.store, here.desk.policies.notifications, at=at).queued(news))
            assert deliver(here, at=at + 5 * MINUTE).notices_sent == 1
            spent.append(time.process_time() - start)
        assert [body["title"] for _, body in system.got] == ["1,000 notices: 1,000 rule", "5,000 notices: 5,000 rule"]
        assert len(system.got[1][1]["message"].splitlines()) == 7
        assert spent[1] < 10 * spent[0]


class TestWishes:
    def test_breach_goes_down_the_ladder_to_a_channel_with_an_address(self, here: App, system: HandlerSystem) -> None:
        tell(here, "n1", event="sla_breach")
        assert deliver(here, at=MONDAY).notices_sent == 1
        assert here.desk.inbox(by="ana")[0].channel == "push"

    def test_every_type_of_news_has_its_wish_or_the_general_one(self, here: App) -> None:
        here.desk.prefer(by="ana", channel="in_app")
        here.desk.prefer(by="ana", event_type="flagged", timing="daily_digest")
        tell(here, "n1", event="rule")
        tell(here, "n2")
        rows = {row.id: (row.channel, row.scheduled_for) for row in here.store.all(QueuedNotification)}
        assert rows == {
            "n1/ana": ("in_app", MONDAY + 5 * MINUTE),
            "n2/ana": ("in_app", MONDAY + timedelta(hours=23)),
        }

    def test_what_is_no_type_of_news_is_refused(self, here: App) -> None:
        with pytest.raises(BadInput, match=r"no news of type 'asigned'; there is \*, assigned, transferred"):
            here.desk.prefer(by="ana", event_type="asigned")

    def test_silence_holds_what_comes_and_what_was_queued_and_loses_nothing(
        self, here: App, system: HandlerSystem
    ) -> None:
        tell(here, "n1", ticket="web:1")
        here.desk.working_on("web:1", by="ana", at=MONDAY + MINUTE)
        for n in range(2, 5):
            tell(here, f"n{n}", ticket="web:1", at=MONDAY + 10 * n * MINUTE)
        tell(here, "urgent", ticket="web:1", event="sla_breach", at=MONDAY + 20 * MINUTE)
        sent = [deliver(here, at=MONDAY + n * MINUTE).notices_sent for n in (5, 20, 60, 61, 62)]
        assert (sent, unsent(here)) == ([0, 1, 0, 1, 0], set())
        assert system.got[1][1]["title"] == "4 notices: 4 flagged"

    def test_doctor_names_channels_without_an_address(self, here: App) -> None:
        in_use, note = notices_to_people(here)
        assert (in_use, note) == (
            "teams; 0 wait, 0 refused",
            "no address in HELMDESK_NOTIFY_URLS, so in the inbox: email, push",
        )
