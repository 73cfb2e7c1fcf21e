"""The wire to a hosted model: no redirect is followed, and a whole answer has a deadline and a size."""

import json
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import httpcore
import httpx

MOST_BYTES: Final = 4_000_000
"""Of one answer with its headers; the longest that may be asked for is some ten thousand."""


class Allowance:
    """How long, and how much, may still be read for one answer, its repetitions included."""

    def __init__(self, seconds: float) -> None:
        self._until = time.monotonic() + seconds
        self._bytes = MOST_BYTES

    @property
    def seconds(self) -> float:
        return self._until - time.monotonic()

    def timeout(self, given: float | None) -> float:
        """The shorter of a step's own timeout and what is left. Raises ReadTimeout where nothing is."""
        if (left := self.seconds) <= 0:
            raise httpcore.ReadTimeout("the deadline of the whole answer has passed")
        return left if given is None else min(given, left)

    def take(self, received: bytes) -> bytes:
        """Raises ReadError for an endless answer."""
        self._bytes -= len(received)
        if self._bytes < 0:
            raise httpcore.ReadError("an answer without an end")
        return received


_ALLOWANCE: ContextVar[Allowance | None] = ContextVar("allowance", default=None)


@contextmanager
def answering_within(seconds: float) -> Iterator[Allowance]:
    """All that is asked by a client of `open_client` in here, together."""
    token = _ALLOWANCE.set(allowance := Allowance(seconds))
    try:
        yield allowance
    finally:
        _ALLOWANCE.reset(token)


def open_client(*, timeout: float) -> httpx.Client:
    """The proxies of the environment count; a redirect is an answer like another and not followed: what was meant for
    one host must not reach another."""
    client = httpx.Client(timeout=timeout, follow_redirects=False, event_hooks={"response": [_with_plain_usage]})
    for transport in [client._transport, *client._mounts.values()]:
        if isinstance(transport, httpx.HTTPTransport):
            pool: Any = transport._pool
            pool._network_backend = _Backend(pool._network_backend)
    return client


def _with_plain_usage(response: httpx.Response) -> None:
    """Clients fail at token figures that are none, after the answer came: only whole numbers above 0 reach them."""
    try:
        body = json.loads(response.read())
    except (ValueError, RecursionError):
        return
    if isinstance(body, dict) and (stated := body.pop("usage", None)) is not None:
        plain = {name: n for name, n in stated.items() if type(n) is int and n > 0} if isinstance(stated, dict) else {}
        response._content = json.dumps(body | ({"usage": plain} if len(plain) > 1 else {})).encode()


class _Backend(httpcore.NetworkBackend):
    """Connections whose every step is bounded by the allowance in force: a server that drips a byte a second passes
    any timeout of a step."""

    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.connect_tcp(host, port, _bounded(timeout), local_address, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = self._inner.read(max_bytes, _bounded(timeout))
        allowance = _ALLOWANCE.get()
        return allowance.take(received) if allowance else received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _bounded(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, _bounded(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _bounded(timeout: float | None) -> float | None:
    allowance = _ALLOWANCE.get()
    return allowance.timeout(timeout) if allowance else timeout
