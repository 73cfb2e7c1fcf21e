"""The board: what stands in which column, moves by buttons, limits, and what a view keeps."""

import os
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from engine.contracts import Status
from engine.flags import FlagType
from engine.kanban import KanbanView, WipMode
from pipelines.app.container import open_app
from tests.dashboards.marts_by_hand import HOSTILE, small_desk, stored_desk
from tests.dashboards.test_pages import opened, read_as_markdown

HARD, SOFT = "Hard", "Soft"


def filled(home) -> None:
    """Ana's INC-1 is in progress, her INC-2 waits for the customer; views with room for one who waits."""
    small_desk(home).close()
    stored_desk(home)
    with open_app(home=home) as app:
        for key in ("demo:INC-1", "demo:INC-2"):
            app.desk.accept(key, by="ana", at=app.now())
        app.desk.change_status("demo:INC-2", to=Status.WAITING_CUSTOMER, by="ana", at=app.now())
        for name, mode in ((HARD, WipMode.HARD), (SOFT, WipMode.SOFT)):
            app.desk.save_view(name=name, by="ana", limits={"waiting_customer": 1}, limits_are=mode)


@pytest.fixture(scope="module")
def made(tmp_path_factory, sqlite_template):
    home = tmp_path_factory.mktemp("board")
    shutil.copy(sqlite_template, home / "helmdesk.db")
    filled(home)
    return home


@pytest.fixture
def home(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    monkeypatch.setenv("HELMDESK_USER", "ana")
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


def status(home, reference: str) -> str:
    with open_app(home=home) as app:
        return app.store.ticket(reference).status


def move(app: AppTest, ticket: str, to: str, reason: str = "") -> AppTest:
    app.selectbox(key="card to move").select(ticket).run()
    app.selectbox(key="column to move to").select(to)
    app.text_input(key="reason of the move").input(reason)
    return app.button(key="move").click().run()


def test_views_need_no_saving_and_the_address_names_them(home):
    app = opened("board")
    assert app.selectbox(key="view").options == ["My tickets", "All tickets", "By priority", HARD, SOFT]
    assert opened("board", view=SOFT).selectbox(key="view").value == SOFT
    assert "2 tickets as of" in read_as_markdown(app)
    assert "evil.example" not in read_as_markdown(app)


def test_a_card_moves_by_buttons(home):
    app = move(opened("board"), "demo:INC-2", "in_progress")
    assert (status(home, "INC-2"), [e.value for e in app.error]) == ("in_progress", [])


def test_a_hard_limit_refuses_and_a_soft_one_warns(home):
    app = move(opened("board", view=HARD), "demo:INC-1", "waiting_customer")
    assert "waiting customer has 1 card of at most 1; finish one there first" in app.error[0].value
    assert status(home, "INC-1") == "in_progress"
    app = move(opened("board", view=SOFT), "demo:INC-1", "waiting_customer")
    assert "waiting customer has 1 card of at most 1; one more makes it 2" in app.warning[0].value
    assert status(home, "INC-1") == "waiting_customer"


def test_another_priority_takes_a_reason(home):
    app = opened("board", view="By priority")
    move(app, "demo:INC-2", "critical")
    assert "takes another priority with a reason" in app.error[0].value
    move(app, "demo:INC-2", "critical", reason="all down")
    with open_app(home=home) as parts:
        assert parts.store.ticket("INC-2").priority == "critical"
        assert parts.store.history("demo:INC-2")[-1].reason == "all down"


def test_a_card_that_others_moved_meanwhile_waits_for_a_yes(home):
    app = opened("board")
    app.selectbox(key="card to move").select("demo:INC-2").run()
    app.selectbox(key="column to move to").select("in_progress").run()
    with open_app(home=home) as parts:
        parts.desk.add_flag("demo:INC-2", type=FlagType.VIP, by="ben", reason="their largest site", at=parts.now())
    app.button(key="move").click().run()
    assert "nothing was done yet" in " ".join(text.value for text in app.text)
    assert status(home, "INC-2") == "waiting_customer"


def test_a_view_is_kept_with_its_limits(home):
    app = opened("board")
    next(field for field in app.text_input if field.label == "Name").input("Late")
    next(field for field in app.text_area if field.label == "Limits").input("in_progress=3")
    next(button for button in app.button if button.label == "Keep the view").click().run()
    with open_app(home=home) as parts:
        assert parts.store.get(KanbanView, "ana/Late").wip_limits == {"in_progress": 3}
    assert "Late" in app.selectbox(key="view").options


def test_who_is_no_agent_looks_and_moves_nothing(home):
    os.environ["HELMDESK_USER"] = ""
    app = opened("board")
    assert app.selectbox(key="view").options == ["All tickets", "By priority"]
    assert "move" not in [button.key for button in app.button]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs the browser `chromium` on the PATH")
def test_a_card_is_dragged_and_a_hard_limit_brings_it_back(home, tmp_path):
    from playwright.sync_api import expect, sync_playwright

    from tests.dashboards.pictures import CHROMIUM, QUIET, served

    with served(home, HELMDESK_USER="ana") as url, sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET).new_page(
            viewport={"width": 1280, "height": 900}
        )
        page.set_default_timeout(60_000)
        page.on("dialog", lambda dialog: pytest.fail(f"a ticket ran a script: {dialog.message}"))
        page.goto(f"{url}/board?view={HARD}")
        column = lambda name: page.locator(f"[data-column={name}]")  # noqa: E731
        card = page.locator("[data-ticket='demo:INC-1']")
        assert HOSTILE.split(" ")[0] in column("waiting_customer").inner_text()
        card.drag_to(column("waiting_customer"))
        expect(page.get_by_test_id("stAlert").filter(has_text="finish one there first")).to_be_visible()
        expect(column("in_progress").locator(card)).to_be_visible()
        assert status(home, "INC-1") == "in_progress"
        page.locator("[data-ticket='demo:INC-2']").focus()
        page.keyboard.press("Alt+ArrowLeft")
        expect(column("in_progress").locator("[data-ticket='demo:INC-2']")).to_be_visible()
        assert status(home, "INC-2") == "in_progress"
        card.drag_to(column("waiting_customer"))
        expect(column("waiting_customer").locator(card)).to_be_visible()
        assert status(home, "INC-1") == "waiting_customer"
        card.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/ticket?ticket=demo*")
