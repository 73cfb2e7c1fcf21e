"""The pages in a real browser: what a person sees, and that nothing is asked of any other machine."""

from urllib.parse import urlsplit

import pytest

from dashboards import theme
from tests.dashboards.marts_by_hand import HOSTILE, small_desk, stored_desk
from tests.dashboards.pictures import CHROMIUM, QUIET, at_rest, served

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser `chromium` on the PATH"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """The dashboards of a small desk, served by a process of their own."""
    home = tmp_path_factory.mktemp("home")
    small_desk(home).close()
    stored_desk(home)
    with served(home) as found:
        yield found


@pytest.fixture(scope="module")
def asked_of():
    """Every host the browser asked for anything."""
    return set()


@pytest.fixture(scope="module")
def page(asked_of):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        tab = browser.new_page(viewport={"width": 1400, "height": 1500})
        tab.set_default_timeout(60_000)
        tab.on("request", lambda request: asked_of.add(urlsplit(request.url).hostname))
        tab.on("websocket", lambda opened: asked_of.add(urlsplit(opened.url).hostname))
        tab.on("dialog", lambda dialog: pytest.fail(f"a ticket ran a script: {dialog.message}"))
        yield tab
        browser.close()


@pytest.fixture(autouse=True)
def no_other_machine(asked_of):
    """Whatever a page asks for comes from the machine it is served by."""
    yield
    assert asked_of - {None} == {"127.0.0.1"}  # None: data: and blob: addresses have no host


def seen(page, tmp_path, name: str) -> str:
    """All visible text once the page is at rest; a picture of it stays in tmp_path."""
    at_rest(page)
    assert page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    return page.locator("[data-testid=stMain]").inner_text()


def test_supervisor_reads_the_promises_and_opens_what_was_broken(page, address, tmp_path):
    page.goto(f"{address}/promises")
    page.locator("canvas, svg.marks").first.wait_for()
    text = seen(page, tmp_path, "promises")
    assert "Are we keeping our promises?" in text
    assert "66.7 %" in text
    assert "clocks started: last 12 weeks" in text
    page.get_by_role("link", name="Show them").nth(1).click()
    page.get_by_text("1 clock of 1 ticket").wait_for()
    assert "clocks=Resolution" in page.url
    page.goto(f"{address}/promises")
    page.get_by_role("link", name="Show them").nth(2).click()
    page.get_by_text("1 clock of 1 ticket").wait_for()
    page.locator("[data-testid=stDataFrame]").click(position={"x": 32, "y": 35 + 17})
    page.wait_for_url("**/ticket?ticket=demo%3AINC-2")


def test_filters_survive_a_reload(page, address, tmp_path):
    page.goto(f"{address}/promises")
    page.get_by_label("Contract tier").click()
    page.get_by_role("option", name="enterprise").click()
    page.keyboard.press("Escape")
    page.get_by_role("tab", name="What comes back?").click()
    page.get_by_text("Open lists the reopened ones").wait_for()
    before = seen(page, tmp_path, "filtered")
    assert "tiers=enterprise" in page.url
    page.reload()
    page.get_by_text("Open lists the reopened ones").wait_for()
    assert seen(page, tmp_path, "reloaded") == before
    assert "tab=What+comes+back" in page.url


def test_the_bar_goes_from_page_to_page_and_a_number_narrows_it(page, address):
    page.goto(f"{address}/promises?tiers=enterprise&during=all+history")
    page.get_by_role("link", name="Show them").nth(1).click()
    page.wait_for_url("**/tickets?*clocks=Resolution*")
    at_rest(page)
    assert all(part in page.url for part in ("tiers=enterprise", "during=all+history", "list=Clocks+met"))
    assert "where=" not in page.url
    page.locator("[data-testid=stSidebarNavLink]", has_text="Volume").click()
    page.wait_for_url("**/volume?*")
    at_rest(page)
    assert all(part in page.url for part in ("tiers=enterprise", "clocks=Resolution", "during=all+history"))
    page.locator("[data-testid=stSidebarNavLink]", has_text="Inbox").click()
    page.wait_for_url("**/inbox*")
    at_rest(page)
    page.locator("[data-testid=stSidebarNavLink]", has_text="Promises").click()
    page.wait_for_url("**/promises?*tiers=enterprise*")
    page.reload()
    at_rest(page)
    assert "tiers=enterprise" in page.url
    assert "enterprise" in page.locator("[data-testid=stMultiSelect]", has_text="Contract tier").inner_text()


@pytest.mark.parametrize(("scheme", "back"), [("light", theme.LIGHT), ("dark", theme.DARK)])
def test_theme_is_that_of_the_readers_system(page, address, scheme, back):
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{address}/promises")
    at_rest(page)
    app = page.locator("[data-testid=stApp]")
    channels = [int(back["backgroundColor"][at : at + 2], 16) for at in (1, 3, 5)]
    assert app.evaluate("e => getComputedStyle(e).backgroundColor") == f"rgb({', '.join(map(str, channels))})"
    page.emulate_media(color_scheme="light")


def test_a_ticket_of_the_queue_is_opened_from_the_list(page, address, tmp_path):
    page.goto(f"{address}/queue?part=late")
    page.locator("[data-testid=stDataFrame]").wait_for()
    assert "Late · 2" in seen(page, tmp_path, "queue")
    page.get_by_role("button", name="Open Shortcut").click()
    page.get_by_text("The connector shows as offline.").wait_for()
    page.wait_for_url("**/ticket?*ticket=INC-1*")
    assert "over by" in seen(page, tmp_path, "ticket")


def test_ticket_text_is_shown_and_never_run(page, address, tmp_path):
    page.goto(f"{address}/ticket?ticket=INC-2")
    page.get_by_text(HOSTILE[:20]).first.wait_for()
    text = seen(page, tmp_path, "hostile")
    assert text.count(HOSTILE) >= 4
    assert page.locator("a[href*='evil.example'], img[src*='evil.example']").count() == 0


def test_an_unknown_ticket_is_said_in_one_line(page, address, tmp_path):
    page.goto(f"{address}/ticket?ticket={HOSTILE[:60]}")
    page.locator("[data-testid=stAlert]").wait_for()
    assert HOSTILE[:20] in seen(page, tmp_path, "unknown")
    assert page.locator("a[href*='evil.example'], img[src*='evil.example']").count() == 0
