"""My queue by the keys alone, and Now and a ticket counting down by themselves, in a real browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.app.container import open_app
from tests.dashboards import test_browser
from tests.dashboards.busy_desk import busy_desk
from tests.dashboards.test_browser import served

pytestmark = test_browser.pytestmark


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    busy_desk(home)
    return home


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    with served(home, HELMDESK_USER="cleo") as found:
        yield found


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=test_browser.CHROMIUM, args=test_browser.QUIET)
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.set_default_timeout(60_000)
        yield tab
        browser.close()


def press(page: Any, key: str) -> None:
    """Once the page is drawn: before, its buttons hear no key."""
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)
    page.keyboard.press(key)


def test_keys_go_down_up_accept_and_open(page: Any, address: str, home: Path) -> None:
    page.goto(f"{address}/queue?whose=Nobody&part=unassigned")
    page.get_by_text("1 of 2").wait_for()
    first = page.url.split("shown=")[1].split("&")[0]
    press(page, "j")
    page.get_by_text("2 of 2").wait_for()
    assert f"shown={first}" not in page.url
    press(page, "k")
    page.get_by_text("1 of 2").wait_for()
    press(page, "a")
    page.get_by_text("1 of 1").wait_for()
    with open_app(home=home) as app:
        assert app.store.ticket(first).owner_id == "cleo"
    press(page, "Enter")
    page.wait_for_url("**/ticket?*ticket=INC-*")


def test_letters_in_a_field_are_no_keys(page: Any, address: str) -> None:
    page.goto(f"{address}/queue?whose=Everybody&part=late")
    page.get_by_text("1 of 2").wait_for()
    field = page.get_by_label("Words")
    field.click()
    page.keyboard.type("jaeps")
    page.wait_for_timeout(1_500)
    assert (field.input_value(), page.get_by_text("1 of 2").count()) == ("jaeps", 1)


def test_what_breaks_next_counts_down_by_itself(page: Any, address: str) -> None:
    page.goto(f"{address}/now")
    line = page.get_by_text("INC-5 Case 5").first
    line.wait_for()
    before = line.inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before.split(' ')[0])", arg=before)
    assert line.inner_text() < before


def test_a_tickets_clocks_count_down_by_themselves(page: Any, address: str) -> None:
    page.goto(f"{address}/ticket?ticket=INC-5")
    left = page.get_by_text(" left · due in").first
    left.wait_for()
    before = left.inner_text()
    page.wait_for_function("before => !document.body.innerText.includes(before.split(' ')[0])", arg=before)
    assert left.inner_text().split()[0] < before.split()[0]
