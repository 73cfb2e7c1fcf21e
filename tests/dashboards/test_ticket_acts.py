"""Each act of the ticket's page does what the desk does; a refusal is the desk's."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import streamlit as st

from engine.alert_matrix import Condition, Nudge
from engine.contracts import EmpowermentConfig
from engine.reminders import Reminder
from engine.resolutions import Resolution
from engine.tasks import Task
from pipelines.app.container import open_app
from tests.dashboards.marts_by_hand import NOON, small_desk, stored_desk
from tests.dashboards.ticket_by_hand import KEY, click, fill, labels, lead, owned, seen_by, texts


@pytest.fixture
def home(tmp_path, monkeypatch, sqlite_file):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    small_desk(tmp_path).close()
    stored_desk(tmp_path)
    owned(tmp_path)
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def ticket(home):
    with open_app(home=home) as parts:
        return parts.store.ticket(KEY)


def records(home, kind):
    with open_app(home=home) as parts:
        return parts.store.all(kind, ticket_id=KEY)


def test_owner_takes_it_through_its_life(home):
    app = seen_by("ana")
    fill(app, "ticket status", "Status", to="waiting_customer")
    assert ticket(home).status == "waiting_customer"
    fill(app, "ticket priority", "Priority", to="critical", reason="all users")
    assert ticket(home).priority == "critical"
    fill(app, "ticket resolve", "Resolve", summary="Restarted.", what_went_wrong="defect")
    assert ticket(home).status == "resolved"
    fill(app, "ticket close", "Close", survey_of_csat=4, survey_of_comment="Thanks", lessons="docs=Say how")
    assert ticket(home).status == "closed"
    click(app, "Release", by="ana")
    fill(app, "ticket reopen", "Reopen", reason="again")
    assert (ticket(home).status, [e.value for e in app.error]) == ("in_progress", [])
    assert "The customer's survey: 4 of 5" in texts(seen_by("ana", "Grants"))


def test_an_end_is_agreed_in_the_readers_zone(home):
    app = seen_by("ana")
    fill(app, "ticket due", "Agree an end", reason="asked for", due=datetime.fromisoformat("2026-12-24T12:00"))
    assert ticket(home).agreed_due_at == datetime.fromisoformat("2026-12-24T12:00:00+00:00")


def test_only_the_moves_of_a_status_are_offered(home):
    app = seen_by("ana")
    (to,) = [box for box in app.selectbox if (box.key or "").startswith("ticket status") and box.key.endswith("/to")]
    assert "waiting customer" in to.options
    assert set(to.options).isdisjoint({"resolved", "closed", "waiting internal", "waiting vendor"})


def test_what_one_can_do_now_stands_first(home):
    lead(home)
    assert {"Status", "Resolve", "Priority", "Agree an end"} <= set(labels(seen_by("ana")))
    assert {"Priority", "Agree an end", "Pause the clocks"} <= set(labels(seen_by("lea")))
    bens = seen_by("ben")
    assert not {"Accept", "Status", "Resolve", "Priority"} & set(labels(bens))
    assert "Resolve" in bens.selectbox(key="more").options


def test_a_lead_pauses_and_the_owner_resumes(home):
    lead(home)
    fill(app := seen_by("lea"), "ticket pause", "Pause the clocks", reason="holidays")
    assert "Pause the clocks" not in labels(app)
    fill(anas := seen_by("ana"), "ticket resume", "Let the clocks run")
    assert "Let the clocks run" not in labels(anas)


def test_refusal_of_a_status_that_is_not_ones_own(home):
    app = seen_by("ben")
    app.selectbox(key="more").select("ticket status").run()
    fill(app, "ticket status", "Status", to="waiting_customer")
    assert app.error[0].value == "` INC-1 is owned by Ana; only the owner may change its status. `"


def test_an_envelope_from_asking_to_its_answer(home):
    app = seen_by("ana", "Help")
    fill(app, "ticket envelope", "Ask for help", reason="Which port?", assigned_to="ben")
    assert "Ana asks Ben" in texts(app)
    bens = click(seen_by("ben", "Help"), "Accept", by="ben")
    key = f"{KEY}/envelope-{_envelope(home).id.rpartition('-')[2]}"
    fill(bens, "ticket note", "Write inside", key=f"{KEY} envelope_id={key}", text="Port 8443.")
    fill(bens, "ticket task", "Task inside", key=f"{KEY} envelope_id={key}", title="Open it", assigned_to="ana")
    fill(bens, "envelope complete", "Complete", key=key, summary="8443 it is.")
    assert {"Ben: Port 8443.", "Answer: 8443 it is.", "Open it"} <= set(texts(bens).splitlines())
    assert ticket(home).status == "in_progress"


def test_a_question_is_taken_back(home):
    app = seen_by("ana", "Help")
    fill(app, "ticket envelope", "Ask for help", reason="Which port?", assigned_to="ben")
    fill(app, "envelope cancel", "Cancel", key=_envelope(home).id, reason="found it")
    assert _envelope(home).is_cancelled


def _envelope(home):
    from engine.envelopes import Envelope

    (found,) = records(home, Envelope)
    return found


def test_a_task_is_given_and_done(home):
    fill(
        seen_by("ana", "Help"),
        "ticket task",
        "Add a task",
        key=f"{KEY} envelope_id=None",
        title="Call",
        assigned_to="ben",
    )
    app = click(seen_by("ben", "Help"), "Start", by="ben")
    click(app, "Done", by="ben")
    assert [task.status for task in records(home, Task)] == ["done"]


def test_a_flag_is_raised_and_taken_off(home):
    app = seen_by("ana", "Marks")
    fill(app, "ticket flag", "Flag it", type="social_media", reason="A post")
    assert "Ana: A post" in texts(app)
    click(app, "Take it off", by="ana")
    assert "Ana: A post, taken off by Ana" in texts(app)


def test_a_reminder_is_ones_own(home):
    app = seen_by("ana", "Marks")
    fill(app, "ticket remind", "Remind me", trigger_at=datetime.fromisoformat("2030-01-02T09:00"), message="Call Kim")
    assert not app.error, app.error[0].value
    assert "Call Kim" in texts(app)
    assert "Call Kim" not in texts(seen_by("ben", "Marks"))
    (reminder,) = records(home, Reminder)
    fill(app := seen_by("ana", "Marks"), "reminder snooze", "Snooze", key=reminder.id, minutes=30)
    click(app, "Done", by="ana")
    assert [one.status for one in records(home, Reminder)] == ["completed"]


def test_an_alert_is_acknowledged(home):
    nudge = Nudge(
        id=f"{KEY}/not_updated/1/1", ticket_id=KEY, condition=Condition.NOT_UPDATED, level=1, recipients=(),
        triggered_at=NOON,
    )  # fmt: skip
    with open_app(home=home) as parts:
        parts.store.save(parts.store.ticket(KEY), [], at=NOON, records=[nudge])
    click(seen_by("ana", "Marks"), "Acknowledge", by="ana")
    assert [one.acknowledged_by for one in records(home, Nudge)] == ["ana"]


def test_a_grant_waits_for_its_approver(home):
    lead(home)
    with open_app(home=home) as parts:
        parts.store.put([EmpowermentConfig(team_id="network", tier1_limit=Decimal(50), tier2_limit=Decimal(200))])
    claim = {
        "claim_of_what_went_wrong": "outage", "claim_of_why_eligible": "goodwill", "claim_of_type": "credit",
        "claim_of_amount": 120.0,
    }  # fmt: skip
    app = fill(seen_by("ana", "Grants"), "grant propose", "Propose a grant", **claim)
    assert "Credit of 120.00 EUR, by Ana" in texts(app)
    assert "Approve" not in labels(app)
    click(seen_by("lea", "Grants"), "Approve", by="lea")
    assert [(one.approval_status, one.approved_by, one.tier) for one in records(home, Resolution)] == [
        ("approved", "lea", "team_lead")
    ]


@pytest.mark.parametrize(
    ("adding", "label", "values", "shown"),
    [
        ("ticket resource", "Add a resource", {"resource": "gw-1", "settings": "mtu=1400"}, "Resource gw-1"),
        ("ticket incident", "Open an incident", {"title": "Paris is down"}, "Paris is down"),
        ("ticket evidence", "Add evidence", {"kind": "log", "uri": "https://logs.example/1"}, "https://logs.example/1"),
        ("ticket runbook", "Add a runbook", {"runbook": "vpn.md"}, "Runbook vpn.md, added by Ana"),
    ],
)
def test_the_case_file_is_added_to(home, adding, label, values, shown):
    app = seen_by("ana", "Case")
    app.selectbox(key="add").select(adding).run()
    fill(app, adding, label, **values)
    assert shown in texts(app)


def test_what_the_customer_says_is_taken_down(home):
    app = seen_by("ana")
    app.selectbox(key="more").select("ticket receive").run()
    fill(app, "ticket receive", "Take down what the customer says", text="It works.", author="kim")
    assert "There is no contact kim" in app.error[0].value


def test_the_page_is_drawn_anew_at_its_next_run(home):
    """What somebody else did shows with the next click."""
    app = seen_by("ana")
    with open_app(home=home) as parts:
        parts.desk.reply(KEY, by="ana", text="From the other tab.", at=NOON + timedelta(minutes=1))
    app.segmented_control(key="section").set_value("History").run()
    assert "Ana answered" in texts(app)
