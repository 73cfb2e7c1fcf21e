"""A small desk behind a real server on 127.0.0.1, in a thread of this process."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
import uvicorn

from engine.access import UserRole
from pipelines.app import identity
from pipelines.app.container import App, open_app
from pipelines.app.settings import shipped_data
from pipelines.jobs.cycle import CycleRun
from pipelines.jobs.ingest import ingest
from pipelines.jobs.people import bring_people
from pipelines.service import parts
from pipelines.service.api import build
from tests.pipelines.small_desk import AS_OF, first_ticket, write_export

CLIENT = httpx.Client(verify=False, timeout=60)
AGENT, LEAD = "AGT-02", "AGT-01"
"""Of the shipped people, one who works and one who supervises."""
SECRET = "a secret of the source"


class Served(NamedTuple):
    """Where it listens, whom its keys belong to, and the app behind it."""

    url: str
    app: App
    keys: dict[str, str]
    ticket: str

    def ask(self, method: str, path: str, key: str | None = "agent", **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[key]}"} if key else {}
        headers |= options.pop("headers", {})
        return CLIENT.request(method, f"{self.url}{path}", headers=headers, **options)

    def post_ticket(self, body: Any, *, key: str | None = "webhook", **headers: str) -> httpx.Response:
        named = {"X-Source-ID": "webhook"} | {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"content": body} if isinstance(body, bytes) else {"json": body}
        return self.ask("POST", "/api/v1/webhooks/ticket", key, headers=named, **given)

    def eventually(self, done: Any) -> Any:
        for _ in range(400):
            if found := done():
                return found
            time.sleep(0.05)
        raise AssertionError("it did not come to be within 20 seconds")


@contextmanager
def listening(app: App) -> Iterator[str]:
    """The address of a server over this app."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build(app), log_level="error", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.01)
            yield f"http://127.0.0.1:{place.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()


def desk(home: Path, **settings: Any) -> App:
    quick = {"embedder": "wordllama", "webhook_secrets": {"webhook": SECRET}, "service_requests_per_second": 10_000}
    return open_app(home=home, **(quick | settings))


def keys_of(app: App) -> dict[str, str]:
    admin = identity.local_user(app, None)
    for name, role in ((AGENT, UserRole.AGENT), (LEAD, UserRole.SUPERVISOR), ("auditor-1", UserRole.AUDITOR)):
        identity.set_user(app, name, by=admin, roles=[role])
    users = {"agent": AGENT, "lead": LEAD, "auditor": "auditor-1"}
    keys = {name: identity.create_key(app, by=admin, user_id=user) for name, user in users.items()}
    return keys | {name: identity.create_key(app, by=admin, source=name) for name in ("webhook", "jira", "outbox")}


@pytest.fixture(scope="session")
def small_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[App, dict[str, str], str]]:
    home = tmp_path_factory.mktemp("service")
    export = write_export(home / "export", 40)
    with desk(home) as app:
        bring_people(app, shipped_data() / "people")
        ingest(app, export, source="helmdesk", at=AS_OF)
        CycleRun(app, AS_OF).walk(["triage", "evaluate", "publish"])
        yield app, keys_of(app), first_ticket(export)


@pytest.fixture(scope="session")
def served(small_desk: tuple[App, dict[str, str], str]) -> Iterator[Served]:
    """One server for all: tests of one kind of refusal don't use up what those of another may try."""
    app, keys, ticket = small_desk
    with ExitStack() as running:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(parts, "FAILURES_AT_ONCE", 10_000.0)
            url = running.enter_context(listening(app))
        yield Served(url, app, keys, ticket)
