"""A vendor's system on loopback: one account, answers or trouble."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TOKEN = "s3cret-token"
Json = dict[str, Any]
Trouble = tuple[int, dict[str, str]] | str


class Vendor(ThreadingHTTPServer):
    """`trouble` is given in turn instead of an answer: (status, headers), `half` of the JSON, or `lost`: the request is
    served and its answer isn't. `after_page` is called once the first page of tickets was served."""

    daemon_threads = True
    source = ""
    account = "Basic " + b64encode(f"desk@example.com:{TOKEN}".encode()).decode()

    def __init__(self, tickets: int = 0, *, minutes: float = 1) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.trouble: list[Trouble] = []
        self.asked: list[str] = []
        self.headers: dict[str, str] = {}
        self.key = ""
        self.after_page: Callable[[], object] | None = None
        self.notes: list[tuple[str, Json]] = []
        self.tickets = [
            self.ticket(number, START + number * minutes * MINUTE) for number in range(1, tickets + 1)
        ]  # fmt: skip

    def settings(self) -> dict[str, str]:
        name = f"HELMDESK_{self.source.upper()}"
        return {f"{name}_URL": self.url, f"{name}_TOKEN": TOKEN, f"{name}_USER": "desk@example.com"}

    def ticket(self, number: int, at: datetime) -> Json:
        raise NotImplementedError

    def touch(self, number: int, at: datetime) -> None:
        """Ticket `number` changes at an instant."""
        raise NotImplementedError

    def answer(self, method: str, path: str, asked: dict[str, str], content: Json) -> Any:
        """What is found there; None is 404, {} is no content, a text no JSON, a pair a status with its reason."""
        raise NotImplementedError

    def lets_in(self, path: str, authorization: str | None) -> bool:
        return authorization == self.account

    def page_served(self) -> None:
        if self.after_page:
            then, self.after_page = self.after_page, None
            then()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed is no news."""


class _Request(BaseHTTPRequestHandler):
    server: Vendor
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query, keep_blank_values=True))
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        is_form = "form" in (self.headers["Content-Type"] or "")
        content = dict(parse_qsl(body)) if is_form else json.loads(body or "{}")
        self.server.key = unquote(self.headers["Idempotency-Key"] or "")
        self.server.asked.append(f"{self.command} {parts.path}")
        self.server.headers = {}
        trouble = self.server.trouble.pop(0) if self.server.trouble else None
        if not self.server.lets_in(parts.path, self.headers["Authorization"]):
            self._reply(401, b'{"message": "Unauthorized"}')
        elif isinstance(trouble, tuple):
            self._reply(trouble[0], b'{"message": "not now"}', trouble[1])
        else:
            found = self.server.answer(self.command, parts.path, asked, content)
            text = b"" if found == {} else found.encode() if isinstance(found, str) else json.dumps(found).encode()
            if trouble == "lost":
                self.close_connection = True
            elif found is None:
                self._reply(404, b'{"message": "there is none"}')
            elif isinstance(found, tuple):
                self._reply(found[0], found[1].encode())
            else:
                self._reply(200 if text else 204, text, self.server.headers, half=trouble == "half")

    do_POST = do_PUT = do_PATCH = do_GET

    def _reply(self, status: int, text: bytes, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text[: len(text) // 2] if half else text)
        self.close_connection = self.close_connection or half

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(vendor: Vendor) -> Iterator[Vendor]:
    Thread(target=vendor.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield vendor
    finally:
        vendor.shutdown()
        vendor.server_close()
