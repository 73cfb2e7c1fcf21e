"""The review page: the queue, one click to answer; and what became of a draft, on the ticket's page."""

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.access import User, UserRole
from engine.contracts import Delivery, StandardTicket
from engine.storage.audit import verify
from pipelines import actions
from pipelines.app.container import open_app
from pipelines.jobs.review import ANSWERS, WITHDRAWALS
from pipelines.jobs.triage_tickets import text_of
from tests.dashboards.marts_by_hand import HOSTILE, NOON, small_desk, stored_desk
from tests.dashboards.test_pages import opened, read_as_markdown
from tests.dashboards.ticket_by_hand import button
from triage.contracts import Classification, Guess, Suggestion
from triage.feedback.honesty import in_slice

REVIEW = Path(__file__).resolve().parents[2] / "dashboards" / "views" / "review.py"
DRAFT = "Restart the connector [1]."


def acting_as(app: AppTest, agent: str) -> AppTest:
    """The page again, for somebody else on this machine; the fixture of each test takes the setting back."""
    os.environ["HELMDESK_USER"] = agent
    return app.run()


@pytest.fixture
def home(tmp_path, monkeypatch, sqlite_file):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    small_desk(tmp_path).close()
    stored_desk(tmp_path)
    with open_app(home=tmp_path) as parts:
        asked = [text_of(ticket) for ticket in parts.store.tickets()]
        claims = [
            Classification(
                id=f"c-{text.ticket_id}", ticket_id=text.ticket_id, product="SWG", urgency="low", confidence=sure,
                reasoning=f"says {HOSTILE}", needs_review=True, runner_up=Guess(label="ZTNA", confidence=0.2),
                model_used="local", created_at=NOON,
            )
            for text, sure in zip(asked, (0.5, 0.3), strict=True)
        ]  # fmt: skip
        parts.triage.store.save_classifications(asked, claims, at=NOON)
        drafted = Suggestion(
            id="s-1", ticket_id="demo:INC-1", text=DRAFT, grounded=True, model_used="extractive", created_at=NOON
        )
        parts.triage.store.save_suggestions(asked, [drafted], at=NOON)
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def review_page() -> AppTest:
    app = AppTest.from_file(str(REVIEW), default_timeout=60).run()
    assert not app.exception, app.exception
    return app


def answers(home: Path) -> dict[str, tuple[str, str, str]]:
    with open_app(home=home) as parts:
        kept = parts.triage.feedback.answers()
    return {key: (one.label, one.answered_by, one.note) for key, one in kept.items()}


def in_question(app: AppTest) -> str:
    """The reference of the ticket on the page."""
    return next(text.value for text in app.text if " · " in text.value).split(" · ")[0]


def answer(app: AppTest, key: str) -> AppTest:
    """A click that comes long after the last."""
    app.session_state["last answer at"] = 0.0
    return app.button(key=key).click().run()


def test_the_least_certain_comes_first(home):
    app = review_page()
    assert in_question(app) == "INC-2"
    assert [b.label for b in app.button][:3] == ["SWG, 30 %", "ZTNA, 20 %", "Answer"]
    assert "1 of 2 · open" in read_as_markdown(app)


def test_a_ticket_that_comes_in_meanwhile_waits_its_turn(home):
    app = acting_as(review_page(), "ana")
    with open_app(home=home) as parts:
        surer = StandardTicket(ticket_id="9", source="mail", ticket_number="MAIL-9", title="Help", created_at=NOON)
        parts.store.ingest(Delivery(tickets=(surer,)), at=NOON)
        unsure = Classification(
            id="c-9", ticket_id="mail:9", product="SWG", urgency="low", confidence=0.1, reasoning="says little",
            needs_review=True, model_used="local", created_at=NOON,
        )  # fmt: skip
        parts.triage.store.save_classifications([text_of(parts.store.ticket("mail:9"))], [unsure], at=NOON)
    assert in_question(app.run()) == "INC-2"
    assert in_question(answer(app, "demo:INC-2 is SWG")) == "INC-1"
    assert [b.label for b in app.button][:2] == ["SWG, 50 %", "ZTNA, 20 %"]
    assert in_question(answer(app, "demo:INC-1 is SWG")) == "MAIL-9"
    assert [b.label for b in app.button][1] == "No second guess"


def test_the_address_names_the_ticket_in_question(home):
    app = AppTest.from_file(str(REVIEW), default_timeout=60)
    app.query_params["ticket"] = "INC-1"
    assert in_question(app.run()) == "INC-1"
    assert in_question(app.button(key="skip demo:INC-1").click().run()) == "INC-2"


def test_a_double_click_answers_one_ticket(home):
    app = acting_as(review_page(), "ana")
    app.button(key="demo:INC-2 is SWG").click().run()
    app.session_state["last answer at"] = time.monotonic() + 1
    app.button(key="demo:INC-1 is SWG").click().run()
    assert set(answers(home)) == {"demo:INC-2"}


def test_the_later_of_two_reviewers_is_told_what_the_first_answered(home):
    app = acting_as(review_page(), "ana")
    with open_app(home=home) as parts:
        actions.answer_review(parts, "INC-2", label="SWG", by="ben")
    answer(app, "demo:INC-2 is ZTNA")
    assert "ben answered SWG for INC-2" in app.warning[0].value
    assert "you say ZTNA, which counts now" in app.warning[0].value
    assert "the same in 0 of 1 ticket" in read_as_markdown(app)


def test_ones_last_answer_is_taken_back(home):
    app = acting_as(review_page(), "ana")
    answer(app, "demo:INC-2 is ZTNA")
    app.button(key="take back").click().run()
    assert (answers(home), in_question(app)) == ({}, "INC-2")
    with open_app(home=home) as parts:
        assert parts.store.ticket("INC-2").product is None
    assert "take back" not in [b.key for b in app.button]


def test_nobody_answers_without_the_right(home):
    with open_app(home=home) as parts:
        parts.store.put([User(id="aud", name="Aud", roles=(UserRole.AUDITOR,))])
    app = acting_as(review_page(), "aud")
    assert all(b.disabled for b in app.button if b.label not in ("Open the ticket", "Skip it"))
    assert "Aud as auditor has no right to work, which the page Review takes" in app.error[0].value


def test_one_click_answers(home):
    app = acting_as(review_page(), "ana")
    app.button(key="demo:INC-2 is ZTNA").click().run()
    assert answers(home) == {"demo:INC-2": ("ZTNA", "ana", "")}
    assert "1 of 1 · open" in read_as_markdown(app)
    with open_app(home=home) as parts:
        assert parts.store.ticket("INC-2").product == "ZTNA"


def test_another_label_is_answered_with_a_note(home):
    app = acting_as(review_page(), "ana")
    app.button(key="skip demo:INC-2").click().run()
    app.selectbox(key="label demo:INC-1").select("CFW")
    app.text_input(key="note demo:INC-1").input("the firewall, not the proxy")
    app.run().button(key="demo:INC-1 is something else").click().run()
    assert answers(home) == {"demo:INC-1": ("CFW", "ana", "the firewall, not the proxy")}


def test_all_answered_is_said(home):
    app = acting_as(review_page(), "ana")
    for key in ("demo:INC-2", "demo:INC-1"):
        answer(app, f"{key} is SWG")
    assert "No ticket waits for an answer." in app.info[0].value


def test_hostile_ticket_is_plain_text(home):
    app = review_page()
    assert sum("[click](https://evil.example/x)" in text.value for text in app.text) == 3  # subject, message, reasons
    assert "evil.example" not in read_as_markdown(app)


def test_empty_page_shows_the_command_that_fills_it(tmp_path, monkeypatch):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path / "new"))
    assert review_page().code[0].value.endswith(" demo")


def judged(home: Path) -> list[tuple[str, str | None, str | None, str]]:
    with open_app(home=home) as parts:
        return [
            (one.outcome, one.text, one.reason, one.given_by) for one in parts.triage.feedback.feedback_of("demo:INC-1")
        ]


def test_rejected_draft_needs_a_reason(home):
    app = acting_as(opened("ticket", ticket="INC-1"), "ana")
    button(app, "Keep the reason").click().run()
    assert "The reason has 0 characters" in app.error[0].value
    app.text_input(key="rejected s-1").input(f"wrong version {HOSTILE}").run()
    button(app, "Keep the reason").click().run()
    assert judged(home) == [("rejected", None, f"wrong version {HOSTILE}", "ana")]
    assert "evil.example" not in read_as_markdown(app)


def test_an_answer_that_was_changed_is_found_by_the_audit(home):
    acting_as(review_page(), "ana").button(key="demo:INC-2 is ZTNA").click().run()
    with open_app(home=home) as parts:
        assert (found := verify(parts.store, also=[ANSWERS, WITHDRAWALS])).found == 0
        assert (found.records, dict(found.not_covered)) == (1, {})
    with closing(sqlite3.connect(home / "helmdesk.db")) as connection:
        connection.execute("UPDATE reviews SET label = 'SWG'")
        connection.commit()
    with open_app(home=home) as parts:
        (broken,) = verify(parts.store, also=[ANSWERS, WITHDRAWALS]).broken
    assert (broken.ticket, broken.what) == ("demo:INC-2", "its record reviews/1 was changed")


def test_a_spot_check_is_blind_and_shows_both_after_the_answer(home):
    with open_app(home=home) as parts:
        texts = [text_of(ticket) for ticket in parts.store.tickets()]
        policy = parts.policies.learning.honest_slice
        number = next(n for n in range(1_000) if in_slice(f"mail:{n}", policy.seed, policy.share))
        drawn = StandardTicket(
            ticket_id=str(number), source="mail", ticket_number="MAIL-1", title="Help", created_at=NOON
        )
        parts.store.ingest(Delivery(tickets=(drawn,)), at=NOON)
        sure = Classification(
            id="c-s", ticket_id=f"mail:{number}", product="SWG", urgency="low", confidence=0.93, needs_review=False,
            reasoning="says proxy", model_used="local", created_at=NOON,
        )  # fmt: skip
        parts.triage.store.save_classifications(
            [*texts, text_of(parts.store.ticket(f"mail:{number}"))], [sure], at=NOON
        )
    app = acting_as(review_page(), "ana")
    assert in_question(app) == "MAIL-1"
    shown = read_as_markdown(app) + "".join(text.value for text in app.text) + "".join(b.label for b in app.button)
    assert not [word for word in ("93", "says proxy", "slice", "sure of") if word in shown]
    app = answer(app, f"mail:{number} is DLP")
    assert "you say DLP, triage had said SWG (93 %)" in app.info[0].value
