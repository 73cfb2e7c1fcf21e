"""A connection to a server outside: bounded in time as a whole, and what its answers say of trying again."""

import socket
import urllib.parse
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from threading import Timer
from typing import Any

import httpx
from stamina.instrumentation import set_on_retry_hooks

from engine.plugins.ports import LockedOut, Refused, TryLater
from engine.shared.errors import BadInput

set_on_retry_hooks(())  # what failed is said once, with the row that it delays

WORTH_WAITING = frozenset({408, 425, 429})
LONGEST_PAUSE = timedelta(days=1)
LOCKED_OUT = frozenset({401, 403, 407})
"""Answers about our credentials: they say nothing of what was asked."""

UNTIL_MENDED = timedelta(minutes=5)
"""How long a system is left alone that takes nothing until a person changes a setting."""


class Connection:
    """At most one connection to the server of `url`; it may be silent for `timeout_seconds`, and take `limit_seconds`
    in all for one request. `setting` names the address, `secret` the credentials, in what is said of trouble.

    Raises BadInput for an address or credentials that can't be used.
    """

    def __init__(
        self,
        url: str,
        *,
        setting: str,
        secret: str,
        headers: dict[str, str],
        timeout_seconds: float,
        limit_seconds: float,
    ) -> None:
        parts = urllib.parse.urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadInput(f"{setting}: {url!r} is not an http or https address")
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise BadInput(f"{secret} holds a character that no header can carry")
        self._setting, self._secret, self._headers = setting, secret, headers
        self._timeout, self._limit = timeout_seconds, limit_seconds
        self._socket: socket.socket | None = None
        self._is_late = False
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"  # no password, no query

    @cached_property
    def _client(self) -> httpx.Client:
        one = httpx.Limits(max_connections=1)
        client = httpx.Client(timeout=self._timeout, headers=self._headers, limits=one)
        weakref.finalize(self, client.close)
        return client

    @contextmanager
    def time_limit(self) -> Iterator[None]:
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

    def _watch(self, step: str, about: dict[str, Any]) -> None:
        """What httpx tells of a request: a connection that was made, or made safe, is the one to end."""
        if step.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = about["return_value"].get_extra_info("socket")
            if self._is_late:
                self._hang_up()

    def request(self, method: str, url: str, **content: Any) -> httpx.Request:
        return self._client.build_request(method, url, extensions={"trace": self._watch}, **content)

    def send(self, request: httpx.Request, about: str) -> httpx.Response:
        """The answer, its body not read yet: close it. Raises TryLater if there is none."""
        try:
            return self._client.send(request, stream=True)
        except httpx.HTTPError as error:
            raise self.no_answer(error, about) from error

    def no_answer(self, error: httpx.HTTPError, about: str) -> TryLater:
        late = f"no whole answer within {self._limit:g} s"
        why = late if self._is_late else str(error) or type(error).__name__
        return TryLater(f"{self.shown} does not answer ({why}) for {about}")

    def failure(self, answer: httpx.Response, text: str, about: str) -> TryLater | Refused:
        """What an answer means that is no success; `text` is the beginning of its body."""
        status, after = answer.status_code, _retry_after(answer)
        reason = "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:200]
        why = f"{self.shown} answered {status} {answer.reason_phrase} for {about}{f': {reason}' if reason else ''}"
        if answer.is_server_error or status in WORTH_WAITING:
            return TryLater(why, after=after or (timedelta(minutes=1) if status == 429 else None))
        if status in LOCKED_OUT:
            remedy = f"it lets nobody in with this: see to {self._secret} (wrong, expired), or what it may do there"
            return LockedOut(f"{why}; {remedy}", after=after or UNTIL_MENDED)
        if answer.is_redirect:
            place = urllib.parse.urlsplit(answer.headers.get("location", ""))
            remedy = f"it redirects to {place.scheme}://{place.hostname}, name that in {self._setting}"
            return TryLater(f"{why}; {remedy}", after=UNTIL_MENDED)
        return Refused(why)


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
