"""One ticket's page: what is known, what is owed, and steps that the desk may refuse."""

import os
from datetime import timedelta

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.access import User, UserRole
from engine.contracts import Company, Contact
from pipelines import actions
from pipelines.app.container import open_app
from pipelines.snapshot import Snapshot
from tests.dashboards.marts_by_hand import HOSTILE, NOON, published, small_desk, stored_desk
from tests.dashboards.test_pages import opened, read_as_markdown


@pytest.fixture
def home(tmp_path, monkeypatch, sqlite_file):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    small_desk(tmp_path).close()
    stored_desk(tmp_path)
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def texts(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def button(app: AppTest, label: str):
    return next(b for b in app.button if b.label == label)


def acting_as(app: AppTest, agent: str) -> AppTest:
    """The page again, for somebody else on this machine; the fixture of each test takes the setting back."""
    os.environ["HELMDESK_USER"] = agent
    return app.run()


def test_no_ticket_chosen_is_said(home):
    assert "Type a reference" in opened("ticket").info[0].value


@pytest.mark.parametrize("asked", ["INC-9999", HOSTILE, "' OR 1=1 --"])
def test_unknown_ticket_is_one_clear_line(home, asked):
    app = opened("ticket", ticket=asked)
    (error,) = app.error
    assert asked in error.value
    assert error.value.startswith("`")
    assert error.value.endswith("`")


@pytest.mark.parametrize("asked", ["INC-1", "demo:INC-1", "  INC-1 "])
def test_ticket_is_found_by_reference_and_id(home, asked):
    app = opened("ticket")
    app.text_input(key="ticket").input(asked).run()
    assert "The connector shows as offline." in texts(app)


def test_what_is_known_is_shown(home):
    shown = texts(app := opened("ticket", ticket="INC-1"))
    assert "ZTNA, 91 % sure; urgency high" in shown
    assert "Runner-up: SWG, 5 %" in shown
    assert "Network: the shortest wait" in shown
    assert app.code[0].value == "Restart the connector [1]."


def test_what_a_person_confirmed_stands_above_the_claim(home):
    with open_app(home=home) as parts:
        parts.store.save(parts.store.ticket("INC-2").model_copy(update={"product": "SWG"}), [], at=NOON)
    app = opened("ticket", ticket="INC-2")
    assert "Confirmed: SWG" in texts(app)
    assert not [warning for warning in app.warning if "not sure" in warning.value]


def test_a_macro_that_fits_comes_with_its_runbook(home):
    app = opened("ticket", ticket="INC-1")
    assert "Macro that fits: Single sign-on loop" in [expander.label for expander in app.expander]
    assert any("the sign-in log holds the reason" in code.value for code in app.code)
    (link,) = app.get("link_button")
    assert link.proto.url == "https://runbooks.northlight.example/auth/saml-loop"


def test_clocks_say_used_left_and_due(home):
    app = opened("ticket", ticket="INC-1")
    assert [bar.proto.text for bar in app.get("progress")] == ["1 h of 4 h used"] * 2
    assert "3 h left · never paused · due in 1 h 30 min" in read_as_markdown(app)


def test_title_says_that_it_is_one_ticket(home):
    assert opened("ticket").title[0].value == "Ticket: what do we know and owe?"


def test_people_and_customer_are_named(home):
    with open_app(home=home) as parts:
        asking = {"requester_id": "kim", "company_id": "acme", "assignee_id": "ben"}
        parts.store.put([Company(id="acme", name="Acme"), Contact(id="kim", name="Kim Berg", email="kim@example.com")])
        parts.store.save(parts.store.ticket("INC-1").model_copy(update=asking), [], at=NOON)
    published(home, names=[{"dimension": "company_id", "value": "acme", "name": "Acme"}])
    told = texts(opened("ticket", ticket="INC-1")).splitlines()
    assert [name for name in told if name.endswith(")")] == ["Ben (ben)", "Kim Berg (kim)", "Acme (acme)"]


@pytest.mark.parametrize(("status", "said"), [("in_progress", "nobody yet"), ("closed", "nobody accepted it")])
def test_only_an_open_ticket_waits_for_an_owner(home, status, said):
    with open_app(home=home) as parts:
        parts.store.save(parts.store.ticket("INC-1").model_copy(update={"status": status}), [], at=NOON)
    assert said in texts(opened("ticket", ticket="INC-1")).splitlines()


def test_hostile_ticket_is_plain_text(home):
    app = opened("ticket", ticket="INC-2")
    assert texts(app).count(HOSTILE) == 6  # requester, subject, content, reasons, actor and message
    assert "evil.example" not in read_as_markdown(app)


def test_unsure_triage_goes_to_a_person(home):
    assert "a person decides" in opened("ticket", ticket="INC-2").warning[0].value


def test_accepting_sets_the_owner(home):
    app = acting_as(opened("ticket", ticket="INC-1"), "ana")
    button(app, "Accept this ticket").click().run()
    with open_app(home=home) as parts:
        assert parts.store.ticket("INC-1").owner_id == "ana"
    assert "Accept this ticket" not in [b.label for b in app.button]
    assert "Ana (ana) accepted the ticket and owns it" in texts(app)


def test_nobody_acts_without_the_right(home):
    with open_app(home=home) as parts:
        parts.store.put([User(id="aud", name="Aud", roles=(UserRole.AUDITOR,))])
    app = acting_as(opened("ticket", ticket="INC-1"), "aud")
    assert "no right to work, which work on tickets takes" in app.error[0].value
    assert button(app, "Accept this ticket").disabled
    assert button(app, "Change status").disabled


def test_desk_refuses_in_one_line(home):
    app = acting_as(opened("ticket", ticket="INC-1"), "ben")
    button(app, "Accept this ticket").click().run()
    assert "Ben has 0 open tickets of at most 0" in app.error[0].value
    assert not app.exception


def test_slower_agent_is_told_who_was_faster(home):
    app = acting_as(opened("ticket", ticket="INC-1"), "ben")
    with open_app(home=home) as parts:
        parts.desk.accept("demo:INC-1", by="ana", at=NOON)
    button(app, "Accept this ticket").click().run()
    assert "ana" in app.error[0].value


def test_owner_changes_the_status(home):
    with open_app(home=home) as parts:
        parts.desk.accept("demo:INC-1", by="ana", at=NOON)
    app = acting_as(opened("ticket", ticket="INC-1"), "ana")
    app.selectbox[-1].select("waiting_customer").run()
    button(app, "Change status").click().run()
    with open_app(home=home) as parts:
        assert parts.store.ticket("INC-1").status == "waiting_customer"


def test_only_the_owner_changes_the_status(home):
    with open_app(home=home) as parts:
        parts.desk.accept("demo:INC-1", by="ana", at=NOON)
    app = acting_as(opened("ticket", ticket="INC-1"), "ben")
    button(app, "Change status").click().run()
    assert "only the owner" in app.error[0].value


def test_only_the_moves_of_the_lifecycle_are_offered(home):
    with open_app(home=home) as parts:
        ways = parts.desk.policies.lifecycle.transitions[parts.store.ticket("INC-1").status]
    assert list(opened("ticket", ticket="INC-1").selectbox[-1].options) == [way.replace("_", " ") for way in ways]


def test_letters_are_shown_to_the_agent_they_are_for(home):
    with open_app(home=home) as parts:
        parts.desk.accept("demo:INC-1", by="ana", at=NOON)
        parts.desk.note("demo:INC-1", by="ana", text="Ask the network team.", at=NOON)
        parts.desk.reply("demo:INC-1", by="ana", text="We look into it.", at=NOON)
    app = acting_as(opened("ticket", ticket="INC-1"), "ben")
    assert "We look into it." in texts(app)
    assert "Ask the network team." not in texts(app)
    assert "Ask the network team." in texts(acting_as(app, "ana"))


def test_ledger_behind_a_clock_is_shown(home):
    with open_app(home=home) as parts:
        behind = next(one for one in actions.explain(parts, "INC-1", as_of=NOON) if one.clock == "resolution")
    app = opened("ticket", ticket="INC-1")
    (shown,) = [expander for expander in app.expander if expander.label == "How resolution adds up"]
    table = shown.dataframe[0].value
    assert table["h:mm:ss"].to_list() == [line.length for line in behind.by_days()]
    assert table["Why"].to_list() == [line.reason for line in behind.by_days()]
    sums = [text.value for text in shown.text]
    assert sums == [behind.in_words()[name] for name in ("target", "counted", "paused", "out of hours", "remaining")]
    assert behind.in_words()["target"] == "4:00:00"


def test_published_clock_that_history_has_overtaken_is_said(home):
    app = opened("ticket", ticket="INC-1")
    overtaken = [e.label for e in app.expander if any("has changed since" in c.value for c in e.caption)]
    assert overtaken == ["How first response adds up", "How resolution adds up"]


def test_ledger_agrees_with_clocks_published_from_the_store(home):
    from pipelines.jobs.publish import publish

    with open_app(home=home) as parts:
        publish(parts, Snapshot(parts, NOON))
    app = opened("ticket", ticket="INC-1")
    assert [e.label for e in app.expander] == ["How first response adds up", "How resolution adds up"]
    assert not [c.value for e in app.expander for c in e.caption if "has changed since" in c.value]


def test_clock_that_is_not_measured_says_why(home):
    from engine.contracts import Delivery, Event, Kind, Responses, StandardTicket
    from pipelines.jobs.publish import publish

    closed = StandardTicket(
        ticket_id="9", source="web", ticket_number="W-9", created_at=NOON - timedelta(hours=3), status="closed",
        updated_at=NOON - timedelta(hours=1), responses=Responses.NONE,
    )  # fmt: skip
    asked = Event(ticket_id="web:9", kind=Kind.CUSTOMER_MESSAGE, at=NOON - timedelta(hours=2))
    with open_app(home=home) as parts:
        parts.store.ingest(Delivery(tickets=(closed,), events=(asked,)), at=NOON)
        publish(parts, Snapshot(parts, NOON))
    app = opened("ticket", ticket="W-9")
    assert not app.exception
    captions = [caption.value for caption in app.caption]
    assert [text for text in captions if text.startswith("not measured: its source tells no answers")]
    assert [text for text in captions if text.startswith("not measured: it ended at an unknown instant")]
    assert [text for text in captions if "longest wait 1 h" in text]
