"""One ticket's page: what is known, what is owed, and who may read it."""

import os
from datetime import timedelta

import pytest

from engine.access import User, UserRole
from engine.contracts import Company, Contact
from pipelines.app.container import open_app
from tests.dashboards.marts_by_hand import HOSTILE, NOON, published
from tests.dashboards.test_pages import opened, read_as_markdown
from tests.dashboards.ticket_by_hand import KEY, fill, lead, owned, seen_by, texts

TRIGGERS = "SELECT name FROM sqlite_master WHERE tbl_name = 'events' AND type = 'trigger'"
SECTIONS = ("Conversation", "Clocks", "Why", "Help", "Grants", "Marks", "Case", "History")


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


def test_why_it_stands_where_it_stands(home):
    shown = texts(opened("ticket", ticket="INC-1", section="Why"))
    assert "ZTNA, 91 % sure; urgency high" in shown
    assert "Runner-up: SWG, 5 %" in shown
    assert "Network: the shortest wait" in shown
    assert "Behind it: Data (0.71)" in shown
    assert "Out, full: Front desk, Night watch and 5 more" in shown


def test_what_a_person_confirmed_stands_above_the_claim(home):
    with open_app(home=home) as parts:
        parts.store.save(parts.store.ticket("INC-2").model_copy(update={"product": "SWG"}), [], at=NOON)
    app = opened("ticket", ticket="INC-2", section="Why")
    assert "Confirmed: SWG" in texts(app)
    assert not [warning for warning in app.warning if "not sure" in warning.value]


def test_unsure_triage_goes_to_a_person(home):
    assert "a person decides" in opened("ticket", ticket="INC-2", section="Why").warning[0].value


def test_a_change_of_priority_is_a_reason(home):
    owned(home)
    with open_app(home=home) as parts:
        parts.desk.reprioritise(KEY, to="critical", reason="all users", by="ana", at=NOON)
    assert "Ana made it critical: all users" in texts(opened("ticket", ticket="INC-1", section="Why"))


def test_a_macro_that_fits_comes_with_its_runbook(home):
    app = seen_by("ana")
    assert "Macro that fits: Single sign-on loop" in [expander.label for expander in app.expander]
    (link,) = app.get("link_button")
    assert link.proto.url == "https://runbooks.northlight.example/auth/saml-loop"


def test_people_and_customer_are_named(home):
    with open_app(home=home) as parts:
        asking = {"requester_id": "kim", "company_id": "acme", "assignee_id": "ben"}
        parts.store.put([Company(id="acme", name="Acme"), Contact(id="kim", name="Kim Berg", email="kim@example.com")])
        parts.store.save(parts.store.ticket("INC-1").model_copy(update=asking), [], at=NOON)
    published(home, names=[{"dimension": "company_id", "value": "acme", "name": "Acme"}])
    assert {"Ben", "Kim Berg", "Acme"} <= set(texts(opened("ticket", ticket="INC-1")).splitlines())


@pytest.mark.parametrize(("status", "said"), [("in_progress", "nobody yet"), ("closed", "nobody accepted it")])
def test_only_an_open_ticket_waits_for_an_owner(home, status, said):
    with open_app(home=home) as parts:
        parts.store.save(parts.store.ticket("INC-1").model_copy(update={"status": status}), [], at=NOON)
    assert said in texts(opened("ticket", ticket="INC-1")).splitlines()


def test_hostile_text_is_plain_text_in_every_section(home):
    lead(home)
    with open_app(home=home) as parts:
        desk, hostile = parts.desk, parts.store.ticket("INC-2").id
        desk.accept(hostile, by="ana", at=NOON)
        desk.add_flag(hostile, type="legal", by="ana", reason=HOSTILE, at=NOON)
        desk.add_task(hostile, title=HOSTILE, by="ana", at=NOON)
        desk.open_envelope(hostile, by="ana", reason=HOSTILE, assigned_to="ben", at=NOON)
        desk.add_resource(hostile, resource=HOSTILE, by="ana", at=NOON)
        desk.remind(hostile, by="ana", trigger_at=NOON, message=HOSTILE, at=NOON)
        desk.note(hostile, by="ana", text=HOSTILE, at=NOON)
    for section in SECTIONS:
        app = seen_by("ana", section, "INC-2")
        assert "evil.example" in texts(app), section
        assert "evil.example" not in read_as_markdown(app), section


def test_notes_and_envelopes_are_for_those_they_are_for(home):
    owned(home)
    with open_app(home=home) as parts:
        parts.store.put([User(id="aud", name="Aud", roles=(UserRole.AUDITOR,))])
        parts.desk.note(KEY, by="ana", text="Ask the network team.", at=NOON)
        parts.desk.reply(KEY, by="ana", text="We look into it.", at=NOON)
        parts.desk.add_flag(KEY, type="legal", by="ana", reason="A lawyer wrote", at=NOON)
    for reader, reads in (("ana", True), ("aud", True), ("ben", False)):
        written, marked = texts(seen_by(reader)), texts(seen_by(reader, "Marks"))
        assert "We look into it." in written
        assert ("Ask the network team." in written) is reads, reader
        assert ("A lawyer wrote" in marked) is reads, reader


def test_newest_letter_stands_where_one_writes(home):
    owned(home)
    with open_app(home=home) as parts:
        parts.desk.reply(KEY, by="ana", text="First answer.", at=NOON)
        parts.desk.reply(KEY, by="ana", text="Second answer.", at=NOON + timedelta(minutes=1))
    shown = texts(seen_by("ana"))
    places = [shown.index(text) for text in ("Second answer.", "First answer.", "The connector shows as offline.")]
    assert places == sorted(places)


def test_clocks_are_those_of_now(home):
    """What the publication said of them days ago is not shown."""
    from pipelines import actions

    app = seen_by("ana", "Clocks")
    with open_app(home=home) as parts:
        found = actions.explain(parts, KEY, as_of=parts.now())
    assert [bar.proto.text.endswith("of 4 h used") for bar in app.get("progress")] == [False, True]
    assert {ledger.row["state"] for ledger in found} == {"breached"}
    assert "Why it was broken is worked out with the next cycle." in texts(app)
    (shown,) = [expander for expander in app.expander if expander.label == "How resolution adds up"]
    lines = next(one for one in found if one.clock == "resolution").by_days()
    assert shown.dataframe[0].value["Why"].to_list() == [line.reason for line in lines]


def test_a_breach_has_its_reason_in_a_sentence(home):
    row = {
        "ticket": KEY, "reference": "INC-1", "clock": "resolution", "window": 1, "over_by": 7_200,
        "reason": "waiting_internally", "seconds_to_pick_up": 60, "seconds_waiting_internal": 14_400,
        "seconds_in_work": 7_200,
    }  # fmt: skip
    published(home, breach_reasons=[row])
    told = texts(seen_by("ana", "Clocks"))
    assert "It waited on our side for 4 h: over by 2 h when this was published." in told


def test_clock_that_is_not_measured_says_why(home):
    from engine.contracts import Delivery, Event, Kind, Responses, StandardTicket
    from pipelines.jobs.publish import publish
    from pipelines.snapshot import Snapshot

    closed = StandardTicket(
        ticket_id="9", source="web", ticket_number="W-9", created_at=NOON - timedelta(hours=3), status="closed",
        updated_at=NOON - timedelta(hours=1), responses=Responses.NONE,
    )  # fmt: skip
    asked = Event(ticket_id="web:9", kind=Kind.CUSTOMER_MESSAGE, at=NOON - timedelta(hours=2))
    with open_app(home=home) as parts:
        parts.store.ingest(Delivery(tickets=(closed,), events=(asked,)), at=NOON)
        publish(parts, Snapshot(parts, NOON))
    app = opened("ticket", ticket="W-9", section="Clocks")
    assert "its source tells no answers" in texts(app)
    assert [caption.value for caption in app.caption if "longest wait 1 h" in caption.value]


def test_history_says_whether_its_chain_is_whole(home):
    import sqlite3

    owned(home)
    assert "The chain of 3 events is whole" in texts(seen_by("ana", "History"))
    with sqlite3.connect(home / "helmdesk.db") as store:
        for (trigger,) in store.execute(TRIGGERS).fetchall():
            store.execute(f"DROP TRIGGER {trigger}")
        store.execute("UPDATE events SET actor = 'ben' WHERE kind = 'accepted' AND ticket_id = ?", [KEY])
    assert "altered from event 2 on" in seen_by("ana", "History").error[0].value


def test_section_stands_in_the_address(home):
    app = seen_by("ana", "Help")
    assert "Who helps?" in [heading.value for heading in app.subheader]
    app.segmented_control(key="section").set_value("Case").run()
    assert "Case file" in [heading.value for heading in app.subheader]


def test_nobody_is_an_agent_without_saying_so(home):
    os.environ["HELMDESK_USER"] = ""
    app = opened("ticket", ticket="INC-1")
    assert [caption for caption in app.caption if "HELMDESK_USER" in caption.value]


def test_linked_ticket_is_opened_from_here(home):
    related = {
        "ticket": KEY, "reference": "INC-1", "other": "demo:INC-2", "other_reference": "INC-2", "kind": "duplicate",
        "other_status": "new", "other_subject": HOSTILE, "similarity": 0.9, "reason": "alike",
        "other_created_at": NOON,
    }  # fmt: skip
    published(home, related_tickets=[related])
    app = seen_by("ana", "Case")
    next(one for one in app.button if one.label == "Open").click().run()
    assert app.text_input(key="ticket").value == "demo:INC-2"


def test_reply_begins_with_the_draft_and_is_triages_feedback(home):
    from triage.contracts import Citation, Suggestion, TicketText

    cited = Citation(index=1, article_id="a-1", title=HOSTILE, url="https://help.example/a", snippet="Restart")
    draft = Suggestion(
        id="s-1", ticket_id=KEY, text="Restart it [1].", citations=(cited,), grounded=True, model_used="extractive",
        created_at=NOON,
    )  # fmt: skip
    owned(home)
    with open_app(home=home) as parts:
        text = TicketText(ticket_id=KEY, subject="Offline", content="Offline")
        parts.triage.store.save_suggestions([text], [draft], at=NOON)
    app = seen_by("ana")
    assert [field.value for field in app.text_area if "ticket reply" in field.key] == ["Restart it [1]."]
    assert "https://help.example/a" in [link.proto.url for link in app.get("link_button")]
    assert "evil.example" not in read_as_markdown(app)
    fill(app, "ticket reply", "Send to the customer", key=f"{KEY} draft=True s-1", text="Restart it twice [1].")
    with open_app(home=home) as parts:
        (given,) = parts.triage.feedback.feedback_of(KEY)
    assert (given.outcome, given.text) == ("edited", "Restart it twice [1].")
    assert "Restart it twice [1]." in texts(app)
    assert [field.value for field in app.text_area if "ticket reply" in field.key] == [""]


def test_the_transfer_is_for_managers(home):
    owned(home, by="ana")
    lead(home)
    app = seen_by("lea")
    app.selectbox(key="more").select("ticket transfer").run()
    fill(app, "ticket transfer", "Transfer", to="ben", reason="termination")
    assert "INC-1 can't change its owner: Ana is active and here" in app.error[0].value
