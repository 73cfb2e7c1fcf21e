"""A payload posted to a handler's system: tried again at once where that helps, else put off or refused."""

import json
import socket
import urllib.parse
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from threading import Timer
from typing import Any

import httpx
import stamina
from stamina.instrumentation import set_on_retry_hooks

from engine.plugins.ports import Refused, TryLater
from engine.plugins.sending import Transport
from engine.shared.errors import BadInput

set_on_retry_hooks(())  # what failed is said once, with the row that it delays

TRIES = 3
WORTH_WAITING = frozenset({408, 425, 429})
LONGEST_PAUSE = timedelta(days=1)
LOCKED_OUT = frozenset({401, 403, 407})
"""Answers about our credentials: they say nothing of the row that was sent."""

UNTIL_MENDED = timedelta(minutes=5)
"""How long a system is left alone that takes nothing until a person changes a setting."""

REDIRECTS = 3
ANSWER_BYTES = 4_000
"""How much of an answer is read; the reason of a refusal is its first 200 characters."""


def to_url(
    url: str,
    *,
    token: str | None = None,
    timeout_seconds: float = 10.0,
    limit_seconds: float = 30.0,
    wait_seconds: float = 0.2,
) -> Transport:
    """Posts JSON with an `Idempotency-Key`; up to three tries, `wait_seconds` before the second.

    The other side may be silent for `timeout_seconds`, and take `limit_seconds` in all for one request. Raises TryLater
    for 5xx, 408, 425, 429 and no answer; also, with the setting to change and a pause for all that goes there, for
    401, 403, 407 and a redirect to another place. Raises Refused for any other 4xx.
    """
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(f"{url!r} is not an http or https address")
    if token and not (token.isascii() and token.isprintable()):
        raise BadInput("HELMDESK_HANDLER_TOKEN holds a character that no header can carry")
    return _Posting(url, token, timeout_seconds, limit_seconds, wait_seconds)


class _Posting:
    def __init__(
        self, url: str, token: str | None, timeout_seconds: float, limit_seconds: float, wait_seconds: float
    ) -> None:
        self._url, self._timeout, self._limit, self._wait = url, timeout_seconds, limit_seconds, wait_seconds
        self._socket: socket.socket | None = None
        self._is_late = False
        self._headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        parts = urllib.parse.urlsplit(url)
        self._shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # no password, no query

    def __call__(self, payload: Mapping[str, Any], key: str) -> str:
        tries = stamina.retry_context(
            on=_is_worth_a_second_try,
            attempts=TRIES,
            timeout=2 * self._timeout,
            wait_initial=self._wait,
            wait_max=10 * self._wait,
            wait_jitter=self._wait,
        )
        for attempt in tries:
            with attempt, self._time_limit():
                return self._post(json.dumps(payload).encode(), key)
        raise AssertionError("unreachable")

    @cached_property
    def _client(self) -> httpx.Client:
        one = httpx.Limits(max_connections=1)
        client = httpx.Client(timeout=self._timeout, headers=self._headers, limits=one)
        weakref.finalize(self, client.close)
        return client

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Ends the connection when the time is up: httpx bounds the wait for each byte, not for all of them."""
        self._is_late = False
        timer = Timer(self._limit, self._hang_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _hang_up(self) -> None:
        self._is_late = True
        if self._socket is not None:
            with suppress(OSError):
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _watch(self, step: str, about: Mapping[str, Any]) -> None:
        """What httpx tells of a request: a connection that was made, or made safe, is the one to end."""
        if step.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = about["return_value"].get_extra_info("socket")
            if self._is_late:
                self._hang_up()

    def _post(self, body: bytes, key: str) -> str:
        headers = {"Idempotency-Key": urllib.parse.quote(key)}
        request: httpx.Request | None = self._client.build_request(
            "POST", self._url, content=body, headers=headers, extensions={"trace": self._watch}
        )
        for _ in range(REDIRECTS + 1):
            assert request is not None
            try:
                answer = self._client.send(request, stream=True)
            except httpx.HTTPError as error:
                late = f"no whole answer within {self._limit:g} s"
                why = late if self._is_late else str(error) or type(error).__name__
                raise TryLater(f"{self._shown} does not answer ({why}) for {key}; it was not handed over") from error
            try:
                if answer.is_success:
                    _beginning(answer)
                    return f"{answer.status_code} {key}"
                if not _stays(answer):
                    raise self._failure(answer, key)
            finally:
                answer.close()
            request = answer.next_request
        raise TryLater(
            f"{self._shown} redirects {key} more than {REDIRECTS} times; look at HELMDESK_HANDLER_URL",
            after=UNTIL_MENDED,
        )

    def _failure(self, answer: httpx.Response, key: str) -> Exception:
        status, after = answer.status_code, _retry_after(answer)
        text = " ".join(_beginning(answer).decode("utf-8", "replace").split())
        reason = "".join(letter for letter in text if letter.isprintable())[:200]
        why = f"{self._shown} answered {status} {answer.reason_phrase} for {key}{f': {reason}' if reason else ''}"
        if answer.is_server_error or status in WORTH_WAITING:
            return TryLater(why, after=after or (timedelta(minutes=1) if status == 429 else None))
        if status in LOCKED_OUT:
            remedy = "nothing is taken from us: see to HELMDESK_HANDLER_TOKEN, or what it may do there"
            return TryLater(f"{why}; {remedy}", after=after or UNTIL_MENDED)
        if answer.is_redirect:
            place = urllib.parse.urlsplit(answer.headers.get("location", ""))
            remedy = f"it redirects to {place.scheme}://{place.hostname}, name that in HELMDESK_HANDLER_URL"
            return TryLater(f"{why}; {remedy}", after=UNTIL_MENDED)
        return Refused(why)


def _is_worth_a_second_try(error: Exception) -> bool:
    return isinstance(error, TryLater) and error.after is None


def _stays(answer: httpx.Response) -> bool:
    """Whether it sends the same message to another path of the same server."""
    if (then := answer.next_request) is None:
        return False
    here = answer.request.url
    same = (then.url.scheme, then.url.host, then.url.port) == (here.scheme, here.host, here.port)
    return same and then.method == "POST"


def _beginning(answer: httpx.Response) -> bytes:
    """The first bytes of an answer: a short one is read whole, so that the connection can be used again."""
    read = b""
    with suppress(httpx.HTTPError):
        for part in answer.iter_raw():
            read += part
            if len(read) >= ANSWER_BYTES:
                break
    return read[:ANSWER_BYTES]


def _retry_after(answer: httpx.Response) -> timedelta | None:
    """`Retry-After`, in seconds or as an instant on the server's own clock; a day at most."""
    header = answer.headers.get("retry-after", "").strip()
    try:
        if header.isdecimal():
            return min(timedelta(seconds=min(int(header), 10**6)), LONGEST_PAUSE)
        pause = parsedate_to_datetime(header) - parsedate_to_datetime(answer.headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(pause, timedelta(0)), LONGEST_PAUSE)
