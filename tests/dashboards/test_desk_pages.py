"""Alerts, inbox, audit and failures as pages: what they show, what they do, and what they are refused."""

import os
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.access import UserRole
from engine.alert_matrix import Condition, Nudge, Recipient
from engine.contracts import Delivery, Rejected
from engine.notices import Notice
from engine.notifications import QueuedNotification
from engine.storage.outbox import Parcel
from engine.storage.receipts import Finding, Posted
from pipelines.app import clock, identity
from pipelines.app.container import App, open_app
from pipelines.app.locks import alone
from sla.alerting.alerts import ALERTS
from tests.dashboards.marts_by_hand import HOSTILE, NOON, small_desk, stored_desk
from tests.dashboards.test_pages import opened, read_as_markdown

HOUR = timedelta(hours=1)


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def button(app: AppTest, label: str):
    return next(one for one in app.button if one.label == label)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    made = tmp_path_factory.mktemp("home")
    small_desk(made).close()
    stored_desk(made)
    with open_app(home=made) as app:
        clock.set_demo_clock(app.settings, began_at=NOON, at=NOON)
        alerts(app)
        people(app)
        troubles(app)
    return made


@pytest.fixture(autouse=True)
def here(home, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("HELMDESK_HOME", str(home))
    monkeypatch.setenv("HELMDESK_USER", "ana")
    yield
    st.cache_resource.clear()
    st.cache_data.clear()


def alerts(app: App) -> None:
    sla = {
        "ticket": "demo:INC-1", "clock": "resolution", "window": 1, "rule": "breach", "alert_type": "breach",
        "level": 3, "state": "breached", "deadline": NOON - HOUR, "remaining_seconds": -60.0,
        "triggered_at": NOON - HOUR, "recipients": ["owner"], "channel": "console", "dedupe_key": "a",
    }  # fmt: skip
    app.alert_store.add(pl.DataFrame([sla], schema=ALERTS))
    app.store.put([
        Nudge(id=f"demo:INC-{n}/not_updated/{level}/1", ticket_id=f"demo:INC-{n}", condition=Condition.NOT_UPDATED,
              level=level, recipients=(Recipient.TECH,), triggered_at=NOON - HOUR)
        for n, level in ((1, 1), (2, 2))
    ])  # fmt: skip


def notice(number: int, to: str, sent: datetime | None) -> Notice:
    return Notice(
        id=f"ana/{number}", agent_id="ana", channel="teams", destination=to, subject=f"Notice {number} {HOSTILE}",
        text="text", news=1, created_at=NOON - number * HOUR, sent_at=sent,
    )  # fmt: skip


def news(number: int, hours: int, within: str | None, ticket: str = "demo:INC-2") -> QueuedNotification:
    return QueuedNotification(id=f"n-{number}/ana", agent_id="ana", event_type="assigned", ticket_id=ticket,
                              channel="teams", payload={"message": HOSTILE}, created_at=NOON,
                              scheduled_for=NOON + hours * HOUR, notice_id=within)  # fmt: skip


def people(app: App) -> None:
    local = identity.local_user(app)
    identity.set_user(app, "ana", by=local, roles=[UserRole.SUPERVISOR, UserRole.AGENT])
    identity.set_user(app, "ines", by=local, roles=[UserRole.AUDITOR], name="Ines")
    app.desk.prefer(by="ana", event_type="assigned", quiet_from=time(18), quiet_to=time(8))
    notices = [
        notice(n, to, sent) for n, to, sent in ((1, "notice:teams", None), (2, "inbox", NOON), (3, "inbox", NOON))
    ]
    app.store.put([*notices, news(1, 0, "ana/2"), news(2, 20, None)])
    with app.store.transaction() as connection:
        app.outbox.queue_notices([Parcel("notice:teams", None, "ana/1", {})], at=NOON, within=connection)


def troubles(app: App) -> None:
    app.outbox.queue_suggestions([Parcel("outbox", "demo:INC-1", "refused", {})], at=NOON)
    for row in list(app.outbox.standings()):
        if row.key == "refused":
            app.outbox.refuse(app.outbox.next_due("outbox", at=NOON).id, why=HOSTILE)
    lost = [
        Rejected(source=source, origin="t.csv", row=n, reason=f"priority: Input should be 'high', got {HOSTILE!r}",
                 content={"n": n})
        for n, source in ((1, "jira"), (2, "jira"), (3, "helmdesk"))
    ]  # fmt: skip
    app.store.ingest(Delivery(rejected=tuple(lost)), at=NOON)
    kept = app.receipts.keep([Posted("servicenow", b"{}", NOON, "k")])
    app.receipts.mark([Finding(kept[0].id, "rejected", "ticket_id: Field required")])
    with pytest.raises(ValueError, match="full"), alone(app, "publish"):
        raise ValueError("the disk is full")
    with alone(app, "evaluate"):
        pass


def store(home: Path, table: str) -> list[dict]:
    with open_app(home=home) as app:
        return app.store.frame(table).to_dicts()


class TestAlerts:
    def test_both_kinds_stand_below_their_ticket(self) -> None:
        app = opened("alerts", state="not acknowledged")
        shown = texts(app)
        assert "Resolution, breach, level 3" in shown
        assert "Not updated, level 1" in shown
        assert HOSTILE in shown
        assert "evil.example" not in read_as_markdown(app)
        assert "3 alerts of 2 tickets hold" in read_as_markdown(app)

    def test_a_number_opens_its_list(self) -> None:
        app = opened("alerts")
        button(app, "Alert matrix, level 2 · 1").click().run()
        assert [app.multiselect(key=key).value for key in ("kind", "level", "state")] == [["nudge"], [2], ["waits"]]
        assert "INC-1 ·" not in texts(app)

    def test_acknowledging_is_kept_with_who_and_when(self, home: Path) -> None:
        app = opened("alerts")
        button(app, "Acknowledge all 2").click().run()
        assert not app.exception
        assert texts(app).count("acknowledged by ana") == 2
        assert [row["acknowledged_by"] for row in store(home, "sla_alerts")] == ["ana"]
        seen = {row["id"]: row["acknowledged_by"] for row in store(home, "alerts")}
        assert seen["demo:INC-1/not_updated/1/1"] == "ana"
        assert [row["actor"] for row in store(home, "events") if row["kind"] == "acknowledged"] == ["ana", "ana"]

    def test_who_may_not_work_is_offered_nothing_to_do(self) -> None:
        os.environ["HELMDESK_USER"] = "ines"
        assert not [one for one in opened("alerts").button if one.label.startswith("Acknowledge")]

    def test_what_is_at_risk_next_is_told_as_of_now(self) -> None:
        assert "As of now, Fri 20 Nov 2026, 12:0" in read_as_markdown(opened("alerts", part="next"))


class TestInbox:
    def test_unread_ones_come_first_and_sent_is_what_was_taken(self) -> None:
        app = opened("inbox")
        told = read_as_markdown(app)
        assert "Notices · 3 unread" in told
        assert "Unread · Fri 20 Nov 2026, 11:00 UTC · waits for teams until Fri 20 Nov 2026, 12:00 UTC" in told
        assert "here, no address for teams is known" in told
        assert f"Notice 1 {HOSTILE}" in texts(app)
        assert "evil.example" not in told

    def test_one_is_marked_as_read_then_all(self, home: Path) -> None:
        app = opened("inbox")
        app.button(key="read ana/3").click().run()
        assert {row["id"] for row in store(home, "notices") if row["read_at"]} == {"ana/3"}
        assert app.button(key="read ana/1")
        button(app, "Mark all as read").click().run()
        assert all(row["read_at"] for row in store(home, "notices"))
        assert not app.exception

    def test_opening_its_ticket_reads_a_notice(self, home: Path) -> None:
        fresh, piece = notice(4, "inbox", NOON), news(4, 0, "ana/4", ticket="demo:INC-1")
        with open_app(home=home) as parts:
            parts.store.put([fresh, piece])
        opened("inbox").button(key="open ana/4").click().run()
        assert {row["id"]: row["read_at"] for row in store(home, "notices")}["ana/4"] is not None

    def test_what_waits_says_until_when_and_why(self) -> None:
        app = opened("inbox", part="waiting")
        row = app.dataframe[0].value.to_dict("records")[0]
        assert (row["until"], row["because"]) == ("Sat 21 Nov 2026, 08:00 UTC", "quiet hours")

    def test_a_wish_is_kept_and_shown(self, home: Path) -> None:
        app = opened("inbox", part="settings")
        app.selectbox(key="channel *").select("email")
        app.selectbox(key="timing *").select("daily_digest")
        button(app, "Save").click().run()
        assert not app.exception
        assert app.dataframe[0].value.to_dict("records")[0]["set by"] == "you"
        kept = {row["event_type"]: (row["channel"], row["timing"]) for row in store(home, "notification_preferences")}
        assert kept["*"] == ("email", "daily_digest")

    def test_a_ticket_is_kept_quiet_and_a_wrong_name_refused(self, home: Path) -> None:
        app = opened("inbox", part="settings")
        app.text_input(key="silenced").set_value("INC-9")
        button(app, "Keep it quiet").click().run()
        assert "INC-9" in app.error[0].value
        app.text_input(key="silenced").set_value("INC-1")
        button(app, "Keep it quiet").click().run()
        assert [row["ticket_id"] for row in store(home, "silences")] == ["demo:INC-1"]

    def test_who_is_no_agent_is_told_whose_inboxes_there_are(self) -> None:
        os.environ["HELMDESK_USER"] = "ines"
        app = opened("inbox")
        assert "Notices go to agents" in app.info[0].value
        assert not app.error


class TestAudit:
    @pytest.fixture(autouse=True)
    def auditor(self, monkeypatch) -> None:
        monkeypatch.setenv("HELMDESK_USER", "ines")

    def test_who_did_what_by_names(self) -> None:
        acts = opened("audit").dataframe[0].value
        assert "set the user Ines: auditor, active" in set(acts["what"])

    def test_the_look_itself_is_on_record(self) -> None:
        seen = opened("audit", part="views", viewer="Ines").dataframe[0].value
        assert ("Ines", "audit") in set(zip(seen["who"], seen["where"], strict=True))

    def test_a_chain_is_shown_and_that_it_is_whole(self, home: Path) -> None:
        app = opened("audit", part="history", chain="INC-2")
        assert "is whole" in app.success[0].value
        assert HOSTILE in " ".join(app.dataframe[0].value["what"])
        with open_app(home=home) as parts:
            parts.view_log.write()
        app.run()
        assert opened("audit", part="views", seen="INC-2").dataframe[0].value["ticket"].to_list() == ["INC-2"]

    def test_verify_says_what_it_does_not_cover(self) -> None:
        app = opened("audit", part="verify")
        assert "Nothing was verified" in app.info[0].value
        app.button(key="verify now").click().run()
        assert not app.exception
        assert "every chain is whole" in texts(app)

    def test_others_are_refused(self) -> None:
        os.environ["HELMDESK_USER"] = "ana"
        assert "has no right to audit" in opened("audit").error[0].value


class TestFailed:
    def test_each_has_its_reason_and_the_way_to_mend_it(self, home: Path) -> None:
        app = opened("failed")
        told = read_as_markdown(app)
        assert "Not taken in · 3" in told
        assert "2 times" in told
        assert "say in data/mappings/jira-csv.yaml what" in texts(app)
        commands = [code.value for code in app.code]
        assert f"uv run helmdesk --home {home} ingest t.csv --source jira --dry-run" in commands

    def test_nothing_is_said_of_what_was_not_looked_at(self) -> None:
        assert "Not looked at: index, models, parts." in opened("failed").warning[0].value

    def test_a_refused_row_is_sent_again_and_a_left_one_dropped(self, home: Path) -> None:
        app = opened("failed", part="sending")
        app.button(key="again refused").click().run()
        assert {row["key"]: row["state"] for row in store(home, "outbox")}["refused"] == "pending"
        button(app, "Give up all of it").click().run()
        assert not app.exception
        assert {row["key"]: row["state"] for row in store(home, "outbox")}["ana/1"] == "replaced"

    def test_who_may_not_supervise_sees_and_mends_nothing(self) -> None:
        os.environ["HELMDESK_USER"] = "ines"
        app = opened("failed", part="sending")
        assert not [one for one in app.button if one.label in ("Send again", "Give up all of it", "Send all again")]

    def test_last_runs_say_what_failed_and_why(self) -> None:
        app = opened("failed", part="stages")
        assert "ValueError the disk is full" in read_as_markdown(app)
        runs = app.dataframe[0].value.set_index("work")["failed because"].to_dict()
        assert (runs["publish"], runs["evaluate"]) == ("ValueError the disk is full", "–")

    def test_a_page_of_a_webhook_that_failed(self) -> None:
        assert "Field required" in read_as_markdown(opened("failed", part="receipts"))
