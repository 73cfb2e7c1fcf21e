"""A handler's system on loopback that answers as its script says, and keeps what it was sent."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

Answer = tuple[int, dict[str, str], str] | str


class HandlerSystem(ThreadingHTTPServer):
    """`answers` are given in turn, then 201. A text is a way to fail: `hang`, `die`, `half`; `drip` sends a header for
    ever, `drip the body` an answer."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Request)
        self.answers: list[Answer] = []
        self.got: list[tuple[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/allocate"

    @property
    def keys(self) -> list[str]:
        return [key for key, _ in self.got]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not wait for the answer is no news."""


class _Request(BaseHTTPRequestHandler):
    server: HandlerSystem
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append((unquote(self.headers["Idempotency-Key"]), body))
        self.server.headers.append(dict(self.headers.items()))
        answer = self.server.answers.pop(0) if self.server.answers else (201, {}, "")
        match answer:
            case "hang":
                time.sleep(3)
                self.close_connection = True
            case "die":
                self.close_connection = True
            case "half":
                self.wfile.write(b"HTTP/1.1 20")
                self.close_connection = True
            case "drip":
                self._drip(b"HTTP/1.1 201 Created\r\nX: ")
            case "drip the body":
                self._drip(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            case (int(status), dict(headers), str(text)):
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text.encode())

    def _drip(self, beginning: bytes) -> None:
        """A byte each twentieth of a second until the client has gone, a minute at most."""
        self.close_connection = True
        self.wfile.write(beginning)
        for _ in range(1200):
            time.sleep(0.05)
            self.wfile.write(b"x")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def handler_system() -> Iterator[HandlerSystem]:
    server = HandlerSystem()
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
