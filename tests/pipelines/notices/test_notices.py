"""News reach people: once, when somebody took them, merged and never lost, through failures, kills and storms."""

import json
import os
import signal
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import typer
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

from engine.contracts import Agent
from engine.notices import Notice
from engine.notifications import NotificationPreference
from engine.shared.errors import BadInput, Busy, NotFound
from engine.storage.outbox import Breaker, Outbox
from pipelines.app.container import App, open_app
from pipelines.commands.deliver import deliver as deliver_command
from pipelines.commands.desk import desk as desk_commands
from pipelines.jobs.deliver import Delivered, deliver
from tests.engine.plugins.test_notifiers import Postbox, free_port
from tests.pipelines.handler_system import HandlerSystem
from tests.pipelines.notices import MINUTE, MONDAY, desk, tell, unsent
from tests.processes import ended, meet

commands = typer.Typer()
commands.command("deliver")(deliver_command)
commands.add_typer(desk_commands, name="desk")


class TestInbox:
    def test_channel_without_an_address_is_read_in_the_inbox(self, app: App) -> None:
        tell(app, "n1", "ana", "ben")
        assert deliver(app, at=MONDAY + 4 * MINUTE) == Delivered(0, 0, 0, 0)
        assert deliver(app, at=MONDAY + 5 * MINUTE) == Delivered(0, 0, 0, 0, notices_in_inbox=2)
        assert deliver(app, at=MONDAY + 6 * MINUTE) == Delivered(0, 0, 0, 0)
        [notice] = app.desk.inbox(by="ana")
        assert (notice.subject, notice.destination, notice.channel) == ("n1 happened", "inbox", "teams")
        assert (notice.sent_at, unsent(app)) == (MONDAY + 5 * MINUTE, set())

    def test_is_marked_read_by_its_agent_alone(self, app: App) -> None:
        tell(app, "n1", "ana")
        tell(app, "n2", "ana", ticket="web:1", event="sla_breach")
        deliver(app, at=MONDAY)
        deliver(app, at=MONDAY + 5 * MINUTE)
        newest, older = app.desk.inbox(by="ana")
        with pytest.raises(NotFound, match="ben has no notice"):
            app.desk.mark_read(by="ben", at=MONDAY, notice_ids=[older.id])
        assert app.desk.mark_read(by="ana", at=MONDAY, notice_ids=[older.id]) == [
            older.model_copy(update={"read_at": MONDAY})
        ]
        assert app.desk.mark_read(by="ana", at=MONDAY + MINUTE, notice_ids=[older.id]) == []
        assert app.desk.inbox(by="ana", unread=True) == [newest]
        assert [one.id for one in app.desk.mark_read(by="ana", at=MONDAY)] == [newest.id]

    def test_says_all_that_a_notice_sums_up(self, app: App) -> None:
        for n in range(8):
            tell(app, f"n{n}", "ana", ticket=f"web:{n}")
        deliver(app, at=MONDAY + 5 * MINUTE)
        [notice] = app.desk.inbox(by="ana")
        assert notice.subject == "8 notices: 8 flagged"
        assert notice.text.splitlines() == [
            *(f"n{n} happened" for n in range(5)), "and 3 more",
            f"All of it: helmdesk desk notice news {notice.id} --by ana",
        ]  # fmt: skip
        assert [row.ticket_id for row in app.desk.news_in(notice.id, by="ana")] == [f"web:{n}" for n in range(8)]

    def test_by_command(self, app: App) -> None:
        tell(app, "n1", "ana")
        deliver(app, at=MONDAY + 5 * MINUTE)
        [notice] = app.desk.inbox(by="ana")
        assert notice.id in run(app, "desk", "inbox", "--by", "ana")
        assert "n1 happened" in run(app, "desk", "notice", "news", notice.id, "--by", "ana")
        assert notice.id in run(app, "desk", "read", "--notice-id", notice.id, "--by", "ana")
        [listed] = json.loads(run(app, "desk", "inbox", "--by", "ana", "--json"))
        assert (listed["id"], listed["read_at"] is None) == (notice.id, False)
        assert run(app, "desk", "read", "--by", "ana") == "0 rows\n"


def run(app: App, *words: str) -> str:
    os.environ["HELMDESK_DATABASE_URL"] = app.settings.database_url
    try:
        return str(CliRunner().invoke(commands, list(words), obj={"home": app.settings.home}).output)
    finally:
        del os.environ["HELMDESK_DATABASE_URL"]


class TestOutbox:
    def test_sent_is_what_the_other_side_took(self, here: App, system: HandlerSystem) -> None:
        tell(here, "n1")
        system.answers = [(503, {}, "")] * 3
        assert deliver(here, at=MONDAY + 5 * MINUTE) == Delivered(0, 0, 0, 0, notices_delayed=1)
        assert (unsent(here), here.desk.inbox(by="ana")[0].sent_at) == ({"n1/ana"}, None)
        assert deliver(here, at=MONDAY + 6 * MINUTE) == Delivered(0, 0, 0, 0, notices_sent=1)
        assert (unsent(here), here.desk.inbox(by="ana")[0].sent_at) == (set(), MONDAY + 6 * MINUTE)
        assert len(set(system.keys)) == 1

    def test_what_is_refused_waits_for_a_person(self, here: App, system: HandlerSystem) -> None:
        tell(here, "n1")
        system.answers = [(410, {}, "no such room")]
        assert deliver(here, at=MONDAY + 5 * MINUTE).notices_refused == 1
        assert "answered 410 Gone" in run(here, "deliver", "--refused")
        assert run(here, "deliver", "--refused").endswith("refused: 1 notice\n")
        assert run(here, "deliver", "--retry", "all") == "waiting again: 1 notice\n"
        assert (deliver(here, at=here.now()).notices_sent, unsent(here)) == (1, set())

    def test_channel_that_lost_its_address_is_named(self, here: App, system: HandlerSystem) -> None:
        tell(here, "n1")
        system.answers = [(503, {}, "")] * 3
        deliver(here, at=MONDAY + 5 * MINUTE)
        left = run(here, "deliver", "--refused")
        assert (
            "1 unsent for notice:teams, which is a channel without an address: give it one in HELMDESK_NOTIFY" in left
        )
        assert run(here, "deliver", "--drop", "notice:teams") == "dropped: 1 notice for notice:teams\n"

    def test_breaker_opens_after_five_and_tries_one_after_a_minute(self, here: App, system: HandlerSystem) -> None:
        people = [Agent(id=f"a{n}", email=f"a{n}@desk.example", name=f"A{n}") for n in range(9)]
        here.store.put(people)
        tell(here, "n1", *(agent.id for agent in people))
        system.answers = [(500, {}, "")] * 3 * 6
        at = MONDAY + 5 * MINUTE
        assert deliver(here, at=at) == Delivered(0, 0, 0, 0, notices_delayed=5)
        assert here.outbox.breaker("notice:teams") == Breaker(5, at + MINUTE)
        tell(here, "n2", "ben", event="sla_breach", at=at)
        assert deliver(here, at=at + MINUTE - timedelta(seconds=1)) == Delivered(0, 0, 0, 0)
        assert len(system.got) == 15
        assert deliver(here, at=at + MINUTE) == Delivered(0, 0, 0, 0, notices_delayed=1)
        assert [deliver(here, at=at + n * MINUTE).notices_sent for n in (2, 3)] == [9, 1]
        assert here.outbox.breaker("notice:teams") == Breaker(0, None)

    def test_pause_asked_for_holds_new_notices_too(self, here: App, system: HandlerSystem) -> None:
        tell(here, "n1")
        at = MONDAY + 5 * MINUTE
        system.answers = [(429, {"Retry-After": "600"}, "")]
        assert deliver(here, at=at).notices_delayed == 1
        tell(here, "n2", "ben", at=at)
        assert deliver(here, at=at + 9 * MINUTE) == Delivered(0, 0, 0, 0)
        assert deliver(here, at=at + 10 * MINUTE).notices_sent == 2

    def test_one_channel_in_trouble_holds_up_no_other(self, tmp_path: Path, system: HandlerSystem) -> None:
        with desk(
            tmp_path, teams=system.url, email=f"mailto://127.0.0.1:{free_port()}?from=a@b.example&to={{email}}"
        ) as app:
            app.store.put([NotificationPreference(id="ben/*", agent_id="ben", event_type="*", channel="email")])
            tell(app, "n1", "ana", "ben")
            assert deliver(app, at=MONDAY + 5 * MINUTE) == Delivered(0, 0, 0, 0, notices_sent=1, notices_delayed=1)

    def test_mail_and_webhook_get_each_notice_once(self, tmp_path: Path, system: HandlerSystem) -> None:
        box, port = Postbox(), free_port()
        server = Controller(box, hostname="127.0.0.1", port=port)
        server.start()
        try:
            mail = f"mailto://127.0.0.1:{port}?from=desk@desk.example&to={{email}}"
            with desk(tmp_path, teams=system.url, email=mail) as app:
                app.desk.prefer(by="ben", event_type="flagged", channel="email")
                tell(app, "n1", "ana", "ben")
                assert [deliver(app, at=MONDAY + n * MINUTE).notices_sent for n in (4, 5, 6)] == [0, 2, 0]
        finally:
            server.stop()
        [(to, message)] = box.mails
        assert (to, message["subject"]) == (["ben@desk.example"], "n1 happened")
        assert [body["to"]["id"] for _, body in system.got] == ["ana"]

    def test_counts_by_command(self, here: App) -> None:
        tell(here, "n1")
        run_with = {"HELMDESK_NOTIFY_URLS": "{}"}
        shown = CliRunner().invoke(commands, ["deliver"], obj={"home": here.settings.home}, env=run_with).output
        assert shown == "sent 0, delayed 0, refused 0, replaced 0\nnotices: sent 0, delayed 0, refused 0, in inbox 1\n"
        assert json.loads(run(here, "deliver", "--json"))["notices_sent"] == 0


def die_at(step: str, home: Path, database_url: str, url: str, at: datetime) -> None:
    """A delivery that kills its process instead of this step."""
    setattr(Outbox, step, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
    with desk(home, database_url=database_url, teams=url) as app:
        deliver(app, at=at)


class TestKills:
    @pytest.mark.parametrize(("step", "sends"), [("queue_notices", 1), ("sent", 2), ("notice_sent", 2)])
    def test_killed_between_two_steps_sends_again_under_the_same_key(
        self, tmp_path: Path, database_url: str, system: HandlerSystem, step: str, sends: int
    ) -> None:
        at = MONDAY + 5 * MINUTE
        with desk(tmp_path, database_url=database_url, teams=system.url) as app:
            tell(app, "n1", "ana")
            done = ended(die_at, step, tmp_path, database_url, system.url, at)
            assert done.code == -signal.SIGKILL, done.text
            assert unsent(app) == {"n1/ana"}
            assert deliver_when_free(app, at + MINUTE).notices_sent == 1
            assert (len(system.keys), len(set(system.keys)), unsent(app)) == (sends, 1, set())
            assert len(app.store.all(Notice)) == 1

    def test_two_deliverers_send_once(
        self, tmp_path: Path, database_url: str, system: HandlerSystem, process_pool: ProcessPoolExecutor
    ) -> None:
        with desk(tmp_path, database_url=database_url, teams=system.url) as app:
            tell(app, "n1", "ana", "ben", "cleo")
        words = tmp_path, database_url, system.url
        running = [process_pool.submit(deliver_as_process, *words) for _ in range(2)]
        assert sum(future.result(timeout=120) for future in running) == 3
        assert len(system.keys) == len(set(system.keys)) == 3


def deliver_when_free(app: App, at: datetime) -> Delivered:
    """PostgreSQL sees a killed session a moment later."""
    for _ in range(200):
        try:
            return deliver(app, at=at)
        except Busy:
            continue
    raise AssertionError("the lock outlived its process")


def deliver_as_process(home: Path, database_url: str, url: str) -> int:
    with desk(home, database_url=database_url, teams=url) as app:
        meet()
        try:
            return deliver(app, at=MONDAY + 5 * MINUTE).notices_sent
        except Busy:
            return 0


@pytest.mark.parametrize("given", ["{", "[1]", '{"E-Mail": "x"}', '{"email": 7}'])
def test_setting_that_is_wrong_is_named_and_not_repeated(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELMDESK_NOTIFY_URLS", given.replace("{", '{"s3cret": "s3cret",', 1) if given == "{" else given)
    with pytest.raises(BadInput, match="HELMDESK_NOTIFY_URLS: ") as caught:
        open_app()
    assert "s3cret" not in str(caught.value)
