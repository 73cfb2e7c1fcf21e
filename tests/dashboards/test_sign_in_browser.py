"""A real browser signs in by a provider, and comes by a header that no proxy set."""

import os
import socket
import subprocess
import sys

import pytest

from pipelines.commands.serving import PEER_ITSELF
from tests.dashboards.marts_by_hand import small_desk, stored_desk
from tests.dashboards.pictures import APP, CHROMIUM, QUIET, wait_until_up
from tests.dashboards.provider import CLIENT, Provider
from tests.dashboards.test_browser import seen

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs the browser `chromium` on the PATH"),
]


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def provider():
    one = Provider()
    yield one
    one.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory, provider):
    """Starts the dashboards of a small desk with these settings; ends them all at the end."""
    home, servers = tmp_path_factory.mktemp("home"), []
    small_desk(home).close()
    stored_desk(home)

    def start(*, with_provider: bool, **settings: str) -> str:
        port, place = free_port(), tmp_path_factory.mktemp("place")
        if with_provider:
            (place / ".streamlit").mkdir()
            auth = {
                "redirect_uri": f"http://127.0.0.1:{port}/oauth2callback", "cookie_secret": "c" * 32,
                "client_id": CLIENT, "client_secret": "s",
                "server_metadata_url": f"{provider.address}/.well-known/openid-configuration",
            }  # fmt: skip
            lines = "\n".join(f'{name} = "{value}"' for name, value in auth.items())
            (place / ".streamlit" / "secrets.toml").write_text(f"[auth]\n{lines}\n")
        options = ["--server.headless", "true", "--server.port", str(port), "--server.address", "127.0.0.1"]
        with (place / "log").open("wb") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "streamlit", "run", str(APP), *options], cwd=place, stdout=log, stderr=log,
                env={**os.environ, **PEER_ITSELF, "HELMDESK_HOME": str(home), **settings},
            )  # fmt: skip
        servers.append(server)
        wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server)
        return f"http://127.0.0.1:{port}"

    yield start
    for server in servers:
        server.terminate()
        server.wait(timeout=20)


@pytest.fixture
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        browser.close()


def test_sign_in_by_a_provider_opens_the_pages_to_its_user(served, chromium, provider, tmp_path):
    address = served(with_provider=True)
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.goto(f"{address}/queue")
    page.get_by_role("button", name="Sign in").click(timeout=60_000)
    page.get_by_text("Signed in as Ana, agent and expert").wait_for(timeout=60_000)
    seen(page, tmp_path, "signed-in")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in").wait_for(timeout=60_000)
    provider.email = "stranger@example.com"
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("is the address of no user here").wait_for(timeout=60_000)
    page.close()


def test_no_header_of_a_browser_makes_it_another_user(served, chromium):
    settings = {"HELMDESK_PROXY_USER_HEADER": "X-Forwarded-User", "HELMDESK_PROXY_PEERS": "10.0.0.7"}
    address = served(with_provider=False, **settings)
    page = chromium.new_page(extra_http_headers={"X-Forwarded-User": "ana", "X-Forwarded-For": "10.0.0.7"})
    page.goto(f"{address}/queue")
    page.get_by_text("and 127.0.0.1 is none of them").wait_for(timeout=60_000)
    page.close()
