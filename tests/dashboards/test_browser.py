"""The pages in a real browser: what a person sees, and that nothing is asked of any other machine."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest

from tests.dashboards.marts_by_hand import HOSTILE, small_desk, stored_desk

APP = Path(__file__).resolve().parents[2] / "dashboards" / "app.py"
CHROMIUM = shutil.which("chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser `chromium` on the PATH"),
]


@contextmanager
def served(home: Path, **settings: str) -> Iterator[str]:
    """The address of the dashboards of a home, served by a process of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {"server.headless": "true", "server.port": port, "server.address": "127.0.0.1"}
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (home / "streamlit.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(APP), *given],
            env={**os.environ, "HELMDESK_HOME": str(home), **settings},
            cwd=home,
            stdout=log,
            stderr=log,
        )
    try:
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    small_desk(home).close()
    stored_desk(home)
    with served(home) as url:
        yield url


def wait_until_up(url: str, server: subprocess.Popen, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"streamlit did not come up: exit code {server.poll()}")


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
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached")
    page.wait_for_timeout(1500)
    assert page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
    return page.locator("[data-testid=stMain]").inner_text()


def test_supervisor_reads_the_attainment(page, address, tmp_path):
    page.goto(address)
    page.get_by_text("How sure is triage?").wait_for()
    page.locator("canvas, svg.marks").first.wait_for()
    text = seen(page, tmp_path, "attainment")
    assert "Are we keeping our promises?" in text
    assert "66.7 %" in text
    assert "clocks started in the last 12 weeks" in text


def test_row_of_the_queue_opens_its_ticket(page, address, tmp_path):
    page.goto(f"{address}/queue")
    table = page.locator("[data-testid=stDataFrame]")
    table.wait_for()
    assert "Needs attention (2)" in seen(page, tmp_path, "queue")
    table.click(position={"x": 32, "y": 35 + 17})
    page.get_by_text("The connector shows as offline.").wait_for()
    assert "ticket=demo%3AINC-1" in page.url
    assert "due in 1 h 30 min" in seen(page, tmp_path, "ticket")


def test_ticket_text_is_shown_and_never_run(page, address, tmp_path):
    page.goto(f"{address}/ticket?ticket=INC-2")
    page.get_by_text("What happened?").wait_for()
    text = seen(page, tmp_path, "hostile")
    assert text.count(HOSTILE) >= 4
    assert page.locator("a[href*='evil.example'], img[src*='evil.example']").count() == 0


def test_an_unknown_ticket_is_said_in_one_line(page, address, tmp_path):
    page.goto(f"{address}/ticket?ticket={HOSTILE[:60]}")
    page.locator("[data-testid=stAlert]").wait_for()
    assert HOSTILE[:20] in seen(page, tmp_path, "unknown")
    assert page.locator("a[href*='evil.example'], img[src*='evil.example']").count() == 0
