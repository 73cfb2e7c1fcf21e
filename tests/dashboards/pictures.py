"""Pictures of the pages, to look at and for the README: `python -m tests.dashboards.pictures --out FOLDER`.

Without a home, a demo is made in a folder of its own. With `--readme` the README's picture alone is renewed.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote, urlencode
from urllib.request import urlopen

from dashboards import pages

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "dashboards" / "app.py"
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
THEMES, SIZES = ("light", "dark"), ((1280, 800), (390, 844))
README = ROOT / "docs" / "pictures"
HIGHEST = 6000
"""Pixels of a page that are taken at most."""


@contextmanager
def served(home: Path, **environment: str) -> Iterator[str]:
    """The address of the pages of a home, served by a process of their own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "server.headless": "true",
        "server.port": port,
        "server.address": "127.0.0.1",
        "server.fileWatcherType": "none",
    }
    given = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with (home / "streamlit.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(APP), *given],
            env={**os.environ, "HELMDESK_HOME": str(home.resolve()), **environment},
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


def wait_until_up(url: str, server: "subprocess.Popen[bytes]", seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            with urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"streamlit did not come up: exit code {server.poll()}")


@contextmanager
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield opened
        opened.close()


def at_rest(page: Any) -> None:
    """Nothing is computed and nothing is drawn any more."""
    page.locator("h1").first.wait_for(timeout=60_000)
    page.locator("[data-testid=stStatusWidget]").wait_for(state="detached", timeout=60_000)
    page.locator("[data-testid=stSkeleton]").first.wait_for(state="detached", timeout=60_000)
    page.wait_for_timeout(1500)


def take(page: Any, url: str, file: Path) -> tuple[int, int]:
    """A picture of the whole page; returns how wide its content is and how wide its frame."""
    page.goto(url)
    at_rest(page)
    size, main = page.viewport_size, "document.querySelector('[data-testid=stMain]')"
    high = page.evaluate(f"{main}.scrollHeight")
    page.set_viewport_size({"width": size["width"], "height": max(size["height"], min(high, HIGHEST))})
    at_rest(page)
    page.screenshot(path=file)
    widths = page.evaluate(f"[{main}.scrollWidth, {main}.clientWidth]")
    page.set_viewport_size(size)
    return int(widths[0]), int(widths[1])


def all_pages(home: Path, out: Path, urls: Sequence[str], **environment: str) -> list[str]:
    """Each page in both themes and widths; returns the pictures whose page is wider than its frame."""
    out.mkdir(parents=True, exist_ok=True)
    cut = []
    with served(home, **environment) as address, browser() as opened:
        for theme in THEMES:
            for width, height in SIZES:
                page = opened.new_page(color_scheme=theme, viewport={"width": width, "height": height})
                for url in urls:
                    file = out / f"{quote(url.partition('?')[0], safe='')}-{theme}-{width}.png"
                    content, frame = take(page, f"{address}/{url}", file)
                    cut += [file.name] if content > frame else []
                page.close()
    return cut


def by_role(home: Path) -> list[str]:
    """The address of each page as whose page it is sees it on a demo: a manager's, an agent's queue, an auditor's; the
    ticket is one that an agent has in work."""
    from pipelines.app import identity
    from pipelines.app.container import open_app
    from pipelines.app.identity import Right, UserRole

    with open_app(home=home) as app:
        everybody = identity.users(app)
        users = {role: user for role in UserRole for user in everybody if user.roles[0] == role}
        agents = {user.id: user for user in everybody if user.roles[0] == UserRole.AGENT}
        held = {"status": {"in_progress"}, "owner_id": set(agents)}
        ticket, owner = app.store.frame("tickets", ["reference", "owner_id"], where=held).sort("reference").row(0)
        users[UserRole.AGENT] = agents[owner]
    role = {"queue": UserRole.AGENT, "ticket": UserRole.AGENT}
    found = []
    for page in pages.PAGES:
        user = users[role.get(page.url, UserRole.AUDITOR if page.right == Right.AUDIT else UserRole.MANAGER)]
        more = {"ticket": ticket} if page.url == "ticket" else {}
        found.append(f"{page.url}?{urlencode({'as': f'{user.name}, {user.roles[0]}', **more})}")
    return found


def readme(home: Path) -> Path:
    """The README's picture: the promises of a demo, as wide as a laptop."""
    file = README / "attainment.png"
    with served(home) as address, browser() as opened:
        page = opened.new_page(color_scheme="light", viewport={"width": 1280, "height": 900})
        take(page, f"{address}/promises", file)
    return file


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--home", type=Path, help="a home with marts; without it a demo is made")
    asked.add_argument("--out", type=Path, default=Path("pictures"), help="the folder for the pictures")
    asked.add_argument("--page", action="append", help="a page by its path, again for more; none: all")
    asked.add_argument("--readme", action="store_true", help="renew the README's picture, and nothing else")
    given = asked.parse_args()
    if CHROMIUM is None:
        sys.exit("Pictures need the browser `chromium` on the PATH.")
    with TemporaryDirectory() as folder:
        home = given.home or Path(folder)
        if given.home is None:
            subprocess.run(["helmdesk", "--home", str(home), "demo"], check=True)
        if given.readme:
            print(readme(home))
            return
        cut = all_pages(home, given.out, given.page or by_role(home))
    print(f"{len(list(given.out.glob('*.png')))} pictures in {given.out}")
    if cut:
        sys.exit(f"Wider than their frame: {', '.join(cut)}")


if __name__ == "__main__":
    main()
