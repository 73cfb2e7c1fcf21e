"""The page of grant review: draw, decide, a blind second opinion, approvals, and figures that say how sure they are."""

import os
import shutil
from datetime import timedelta
from decimal import Decimal

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.contracts import Agent, Delivery, EmpowermentConfig, Role, StandardTicket, Team
from engine.grant_review import GrantReviewItem, ReviewOutcome, SecondOpinion, needs_second
from engine.resolutions import Claim, Resolution
from pipelines.app.container import open_app
from tests.dashboards.marts_by_hand import HOSTILE, small_desk
from tests.dashboards.test_pages import opened, read_as_markdown


def claim(amount: int) -> Claim:
    return Claim(
        what_went_wrong="outage", what_went_wrong_text=HOSTILE, why_eligible="goodwill", type="refund",
        amount=Decimal(amount),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory, sqlite_template):
    """Ana made three grants last week, one of which waits for a lead."""
    home = tmp_path_factory.mktemp("grants")
    shutil.copy(sqlite_template, home / "helmdesk.db")
    small_desk(home).close()
    agents = [Agent(id="ana", email="a@x.example", name="Ana Lima", teams=("network",)), *(
        Agent(id=key, email=f"{key}@x.example", name=name, role=Role.TEAM_LEAD, teams=("network",))
        for key, name in (("cleo", "Cleo Roth"), ("dirk", "Dirk Falk"))
    )]  # fmt: skip
    with open_app(home=home) as app:
        app.store.put([Team(id="network", name="Network"), *agents, EmpowermentConfig(team_id="network")])
        at = app.now() - timedelta(days=app.now().weekday() + 2)
        for number, amount in enumerate((40, 50, 400)):
            made = StandardTicket(ticket_id=str(number), source="demo", ticket_number=f"G-{number}", title=HOSTILE,
                                  created_at=at)  # fmt: skip
            app.store.ingest(Delivery(tickets=(made,)), at=at)
            app.desk.accept(f"demo:{number}", by="ana", at=at)
            app.desk.propose_resolution(f"demo:{number}", claim(amount), by="ana", at=at)
    return home


@pytest.fixture
def home(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    monkeypatch.setenv("HELMDESK_USER", "cleo")
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def shown(app: AppTest) -> str:
    return "\n".join(text.value for text in app.text)


def reviewed_for_two(home) -> str:
    """A grant that is drawn for two reviewers, which Cleo revised."""
    with open_app(home=home) as app:
        policy = app.policies.desk.grant_review
        while True:
            app.desk.draw_grant_review(at=app.now(), seed=len(app.store.all(GrantReviewItem)))
            items = [one for one in app.store.all(GrantReviewItem) if needs_second(one, policy=policy)]
            if items:
                break
            app.desk.propose_resolution("demo:0", claim(900), by="ana", at=app.now())
        app.desk.review_grant(items[0].id, by="cleo", outcome=ReviewOutcome.REVISED, notes="half of it", at=app.now())
        return items[0].id


def test_the_week_is_drawn_and_decided_in_place(home):
    app = opened("grants")
    assert "No grant waits for a review." in app.info[0].value
    press(app, "List last week's grants")
    assert "Refund of" in shown(app)
    assert "Ana Lima" in shown(app)
    assert "evil.example" not in read_as_markdown(app)
    notes = next(field for field in app.text_input if field.label.startswith("Notes"))
    notes.input("too much for an hour")
    press(app, "Revise")
    with open_app(home=home) as parts:
        (done,) = [one for one in parts.store.all(GrantReviewItem) if one.outcome]
    assert (done.outcome, done.notes, done.reviewed_by) == ("revised", "too much for an hour", "cleo")


def test_grants_are_approved_and_refused(home):
    app = opened("grants", section="To approve")
    assert "Refund of 400.00 EUR for outage" in shown(app)
    press(app, "Approve")
    with open_app(home=home) as parts:
        states = [one.approval_status for one in parts.store.all(Resolution) if one.tier == "team_lead"]
    assert states == ["approved"]
    assert "No grant waits for an approval." in app.info[0].value


def test_the_second_reviewer_does_not_see_the_first_outcome(home):
    item = reviewed_for_two(home)
    os.environ["HELMDESK_USER"] = "dirk"
    app = opened("grants", section="Reviewed")
    assert "waits for a second opinion" in str(app.dataframe[0].value)
    assert "half of it" not in str(app.dataframe[0].value)
    app = opened("grants", section="Second opinion")
    assert "revised" not in shown(app)
    press(app, "Uphold")
    with open_app(home=home) as parts:
        (given,) = parts.store.all(SecondOpinion)
    assert (given.item_id, given.outcome, given.given_by) == (item, "upheld", "dirk")
    assert "Dirk Falk" in str(opened("grants", section="Reviewed").dataframe[0].value)


def test_figures_have_intervals_and_few_are_said_to_be_few(home):
    reviewed_for_two(home)
    app = opened("grants", section="Upheld")
    assert [(one.label, one.value) for one in app.metric] == [
        ("Upheld", "0 %"), ("Two agree", "–"), ("Cohen's kappa", "not known"),
    ]  # fmt: skip
    assert "not known: 0 reviewed by two, 10 are needed" in read_as_markdown(app)
    (row,) = app.dataframe[0].value.to_dict("records")
    assert (row["Agent"], row["reviewed"], row["95 % interval"]) == ("Ana Lima", 1, "0 to 79 %")
    advice = opened("grants", section="Limits").dataframe[0].value
    assert set(advice["advice"]) == {"too few: 15 reviewed are needed"}
    assert "Granted by week, EUR" in read_as_markdown(opened("grants", section="Money"))


def test_an_agent_is_told_which_right_is_missing(home):
    os.environ["HELMDESK_USER"] = "ana"
    assert "no right to supervise" in opened("grants").error[0].value


def test_without_grants_the_page_names_what_makes_one(home):
    with open_app(home=home) as parts:
        assert parts.store.all(SecondOpinion) == []
    app = opened("grants", section="Second opinion")
    assert "grants propose" in app.code[0].value
