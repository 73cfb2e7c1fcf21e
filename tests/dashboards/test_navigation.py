"""Who is offered what, where they begin, and whose desk can be seen."""

from datetime import UTC, datetime

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import navigation, pages
from engine.access import User, UserRole
from pipelines.app.clock import set_demo_clock
from pipelines.app.container import open_app
from tests.dashboards.busy_desk import NOW
from tests.dashboards.test_pages import opened


def user(*roles: UserRole) -> User:
    return User(id="max", name="Max", roles=roles)


@pytest.mark.parametrize(
    ("role", "url"),
    [
        (UserRole.SUPERVISOR, "now"), (UserRole.MANAGER, "now"), (UserRole.AGENT, "queue"), (UserRole.EXPERT, "queue"),
        (UserRole.AUDITOR, "audit"), (UserRole.ADMIN, "promises"),
    ],
)  # fmt: skip
def test_everybody_begins_at_the_home_of_their_role(home, role, url):
    with open_app(home=home) as app:
        assert navigation.home_of(app, user(role)).url == url


def shown(app: AppTest) -> dict[str, str]:
    """The navigation's pages by their files, each with its title."""
    titles: dict[str, str] = {}
    for info in app._registered_pages.values():
        titles.setdefault(info["script_path"].rsplit("/", 1)[1], info["page_name"])
    return titles


def test_page_without_its_right_says_what_is_missing(home, monkeypatch):
    monkeypatch.setenv("HELMDESK_USER", "ana")
    (error,) = opened("now").error
    assert "Ana as agent or expert has no right to supervise, which the page Now takes" in error.value


def test_titles_say_what_waits(home, monkeypatch):
    monkeypatch.setenv("HELMDESK_USER", "ana")
    with open_app(home=home) as app:
        app.desk.accept("demo:INC-1", by="ana", at=app.now())
    assert shown(opened("promises"))["my_queue.py"] == "My queue (1)"


def test_counts_are_renewed_by_an_own_act_and_by_a_load(desk, monkeypatch):
    monkeypatch.setenv("HELMDESK_USER", "ana")
    page = opened("queue", part="unassigned")
    assert shown(page)["my_queue.py"] == "My queue (5)"
    desk.desk.accept("demo:INC-1", by="ben", at=NOW)
    assert shown(page.run())["my_queue.py"] == "My queue (5)"
    assert shown(opened("queue"))["my_queue.py"] == "My queue (4)"
    page.button(key="accept aside").click().run()
    assert shown(page)["my_queue.py"] == "My queue (4)"


def test_on_a_demo_each_role_can_be_tried(home):
    with open_app(home=home) as app:
        set_demo_clock(app.settings, began_at=datetime(2026, 11, 20, tzinfo=UTC), at=datetime(2026, 11, 20, tzinfo=UTC))
    app = opened("promises")
    app.selectbox(key="as").select("ana").run()
    assert "Signed in as Ana, agent and expert" in [text.value for text in app.sidebar.text]


def test_elsewhere_nobody_works_as_somebody_else(home):
    app = opened("promises", **{"as": "Ana, agent"})
    assert "as" not in [box.key for box in app.sidebar.selectbox]
    assert "Ana" not in app.sidebar.text[0].value


def test_on_a_demo_another_machine_is_nobody(home, browser):
    with open_app(home=home) as app:
        set_demo_clock(app.settings, began_at=datetime(2026, 11, 20, tzinfo=UTC), at=datetime(2026, 11, 20, tzinfo=UTC))
    browser.peer = "192.168.1.5"
    app = opened("promises", **{"as": "Ana, agent"})
    assert not app.sidebar.selectbox
    assert "Nobody is signed in" in app.error[0].value


def test_filters_go_along_from_page_to_page(home):
    app = opened("promises", during="last 4 weeks", tiers="enterprise")
    app.switch_page("views/volume.py").run()
    assert app.selectbox(key="during").value == "last 4 weeks"
    app.switch_page("views/promises.py").run()
    assert app.multiselect(key="tiers").value == ["enterprise"]


def test_open_tab_alone_is_drawn(home):
    app = opened("promises", tab="What comes back?")
    assert [metric.label for metric in app.metric][-1] == "Reopened"
    assert not app.get("vega_lite_chart")


def test_every_page_stands_in_a_section_under_a_path_of_its_own():
    assert {page.section for page in pages.PAGES} <= set(pages.SECTIONS)
    assert len({page.url for page in pages.PAGES}) == len(pages.PAGES)
    assert navigation.HOME not in {page.url for page in pages.PAGES}
