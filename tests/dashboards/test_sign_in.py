"""Who reads a page is known and said, or the page shows nothing."""

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboards import pages
from dashboards.sign_in import vouched_address
from engine.access import Right, User, UserRole, View
from pipelines.app.container import open_app
from tests.dashboards.marts_by_hand import small_desk, stored_desk
from tests.dashboards.test_pages import APP, PAGES, opened

LOCAL = "on this machine, admin and supervisor"


@pytest.fixture
def home(tmp_path, monkeypatch, sqlite_file):
    monkeypatch.setenv("HELMDESK_HOME", str(tmp_path))
    small_desk(tmp_path).close()
    stored_desk(tmp_path)
    with open_app(home=tmp_path) as parts:
        parts.store.put([User(id="eve", name="Eve", email="eve@example.com", roles=(UserRole.AGENT,), is_active=False)])
    yield tmp_path
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture
def proxy(monkeypatch, browser):
    """Pages behind a proxy at 10.1.0.7; the browser comes by it."""
    monkeypatch.setenv("HELMDESK_PROXY_USER_HEADER", "X-Forwarded-User")
    monkeypatch.setenv("HELMDESK_PROXY_PEERS", "10.0.0.7, 10.1.0.0/24")
    browser.peer = "10.1.0.7"
    return browser


def who(app: AppTest) -> list[str]:
    return [text.value for text in app.sidebar.text]


def refusal(app: AppTest) -> str:
    """Why the page is closed; nothing of a ticket or figure is on it."""
    (error,) = app.error
    assert (who(app), list(app.text), list(app.dataframe), list(app.metric)) == ([], [], [], [])
    return error.value


@pytest.mark.parametrize("page", [page.url for page in pages.PAGES if page.right is not Right.AUDIT])
def test_each_page_says_who_reads_it(home, page):
    (line,) = who(opened(page))
    assert line.startswith("Signed in as ")
    assert line.endswith(LOCAL)


@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_closed_to_another_machine(home, browser, page):
    browser.peer = "192.168.1.5"
    assert "Nobody is signed in" in refusal(opened(page))


@pytest.mark.parametrize("name", ["X-Forwarded-For", "forwarded", "Via", "X-Real-IP"])
def test_a_local_proxy_is_not_this_machine(home, browser, name):
    browser.headers = [(name, "203.0.113.9")]
    assert "Nobody is signed in" in refusal(opened("queue"))


@pytest.mark.parametrize("named", ["ana", "ana@example.com", "ANA@Example.com"])
def test_a_trusted_proxy_names_the_user(home, proxy, named):
    proxy.headers = [("X-Forwarded-For", "203.0.113.9"), ("X-Forwarded-User", named)]
    assert who(opened("queue")) == ["Signed in as Ana, agent and expert"]


@pytest.mark.parametrize("peer", ["10.1.1.7", "10.0.0.8", None, "::1"])
def test_the_header_counts_from_trusted_proxies_alone(home, proxy, peer):
    proxy.peer, proxy.headers = peer, [("X-Forwarded-User", "ana")]
    assert "counts only from the proxies" in refusal(opened("queue"))


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([], "named nobody"),
        ([("X-Forwarded-User", " ")], "named nobody"),
        ([("X-Forwarded-User", "ana"), ("X-Forwarded-User", "cleo")], "named nobody"),
        ([("X-Forwarded-User", "nobody")], "There is no user nobody"),
        ([("X-Forwarded-User", "x@example.com")], "of no user here"),
        ([("X-Forwarded-User", "eve")], "Eve is not active"),
    ],
)  # fmt: skip
def test_a_proxy_that_names_nobody_here_opens_nothing(home, proxy, headers, why):
    proxy.headers = headers
    assert why in refusal(opened("queue"))


def test_without_the_right_to_read_the_page_says_what_is_missing(home, monkeypatch, tmp_path):
    import shutil

    from pipelines.app.settings import shipped_data

    data = shutil.copytree(shipped_data(), tmp_path / "data")
    policy = data / "policies" / "access.yaml"
    policy.write_text(policy.read_text().replace("expert: [read, work]", "expert: []").replace(
        "agent: [read, work]", "agent: [work]"))  # fmt: skip
    monkeypatch.setenv("HELMDESK_DATA", str(data))
    monkeypatch.setenv("HELMDESK_USER", "ana")
    assert "Ana as agent or expert has no right to read, which these pages takes" in refusal(opened("queue"))


def test_with_a_provider_nobody_reads_before_the_sign_in(home):
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.secrets["auth"] = {"client_id": "helmdesk"}
    app.run()
    assert [b.label for b in app.button] == ["Sign in"]
    assert (list(app.text), list(app.dataframe)) == ([], [])


@pytest.mark.parametrize(("claims", "address"), [
    ({"email": "ana@desk.example", "email_verified": True}, "ana@desk.example"),
    ({"email": "ana@desk.example", "email_verified": False}, ""), ({"email": "ana@desk.example"}, ""),
    ({"email": "ana@desk.example", "email_verified": "true"}, ""), ({"email_verified": True}, ""), ({}, ""),
])  # fmt: skip
def test_an_address_counts_where_the_provider_vouches_for_it(claims, address):
    assert vouched_address(claims) == address


def test_views_of_lists_and_tickets_are_logged_once_a_minute(home):
    opened("queue")
    opened("ticket", ticket="INC-1")
    opened("ticket", ticket="INC-1")
    st.cache_resource.clear()  # closes the app, which writes what waits
    with open_app(home=home) as parts:
        seen = {(view.door, view.ticket_id, view.user_id.split(":")[0]) for view in parts.store.all(View)}
    assert {("queue", None, "local"), ("ticket", "demo:INC-1", "local")} <= seen
