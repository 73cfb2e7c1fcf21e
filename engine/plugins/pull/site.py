"""A vendor's REST API at one address: signed in from the environment, asked again where that helps."""

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import stamina

from engine.plugins.connection import Connection
from engine.plugins.ports import TryLater

TRIES = 5
PATIENCE = timedelta(minutes=2)
"""A server that asks to be left alone for longer is left alone, and the run ends."""
LARGEST_ANSWER = 64 * 2**20
"""Bytes of one answer, unpacked."""
REASON_BYTES = 4_000


class Account(NamedTuple):
    """Where a source's API is and who asks: a user with a token or password, or a token alone."""

    source: str
    url: str
    user: str
    token: str

    @property
    def setting(self) -> str:
        """How its settings begin."""
        return f"HELMDESK_{self.source.upper()}"


class Body(NamedTuple):
    content: bytes
    has_next: bool
    """Whether its `Link` header names a next page (RFC 8288)."""


class Answer(NamedTuple):
    about: str
    content: Any
    has_next: bool

    def objects(self, name: str | None = None) -> list[dict[str, Any]]:
        """The objects listed under a name, or the answer itself. Raises TryLater if it has none."""
        listed = self.content.get(name) if name and isinstance(self.content, dict) else self.content
        if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
            raise TryLater(
                f"{self.about}: the answer has no list{f' `{name}`' if name else ''}; is it the right address?"
            )
        return listed

    def value(self, name: str) -> Any:
        return self.content.get(name) if isinstance(self.content, dict) else None


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def bearer(token: str) -> str:
    return f"Bearer {token}"


def authorization(account: Account) -> str:
    """A user with a password or API token, or a token alone."""
    return basic(account.user, account.token) if account.user else bearer(account.token) if account.token else ""


class Site:
    """Raises TryLater for what may go better later (no answer, half of one, 5xx, 429) and, with the setting to change,
    for 401, 403 and a redirect; Refused for any other 4xx. Reads are tried five times, writes once."""

    def __init__(
        self, account: Account, authorization: str, *, wait_seconds: float = 0.5, patience: timedelta = PATIENCE
    ) -> None:
        self.url, self._wait, self._patience = account.url.rstrip("/"), wait_seconds, patience
        self._server = Connection(
            self.url,
            setting=f"{account.setting}_URL",
            secret=f"{account.setting}_TOKEN",
            headers={"Accept": "application/json", **({"Authorization": authorization} if authorization else {})},
            timeout_seconds=30.0,
            limit_seconds=120.0,
        )

    def get(self, path: str, **parameters: Any) -> Answer:
        tries = stamina.retry_context(
            on=self._pause,
            attempts=TRIES,
            timeout=None,
            wait_initial=self._wait,
            wait_max=20 * self._wait,
            wait_jitter=self._wait,
        )
        for attempt in tries:
            with attempt:
                return self._ask("GET", path, params=parameters)
        raise AssertionError("unreachable")

    def send(self, method: str, path: str, content: Mapping[str, Any]) -> Any:
        return self._ask(method, path, json=dict(content)).content

    def _pause(self, error: Exception) -> bool | float:
        """Whether a read is worth another try, or after how many seconds."""
        if not isinstance(error, TryLater):
            return False
        if error.after is None:
            return True
        return error.after.total_seconds() if error.after <= self._patience else False

    def _ask(self, method: str, path: str, **content: Any) -> Answer:
        about, body = f"{method} {path}", self._fetch(method, path, **content)
        return Answer(f"{self.url} {about}", self._read(body.content, about), body.has_next)

    def _fetch(self, method: str, path: str, **content: Any) -> Body:
        about = f"{method} {path}"
        with self._server.time_limit():
            answer = self._server.send(self._server.request(method, self.url + path, **content), about)
            try:
                return Body(self._body(answer, about), "next" in answer.links)
            finally:
                answer.close()

    def _body(self, answer: httpx.Response, about: str) -> bytes:
        most, read = LARGEST_ANSWER if answer.is_success else REASON_BYTES, bytearray()
        try:
            for part in answer.iter_bytes():
                read += part
                if len(read) > most:
                    break
        except httpx.HTTPError as error:
            if answer.is_success:
                raise self._server.no_answer(error, about) from error
        if not answer.is_success:
            raise self._server.failure(answer, bytes(read).decode("utf-8", "replace"), about)
        if len(read) > most:
            raise TryLater(
                f"{self._server.shown} answers {about} with more than {most >> 20} MB; nothing of it is used"
            )
        return bytes(read)

    def _read(self, body: bytes, about: str) -> Any:
        try:
            return json.loads(body) if body.strip() else None
        except (ValueError, RecursionError):
            raise TryLater(f"{self._server.shown} answers {about} with no JSON, or half of it") from None
