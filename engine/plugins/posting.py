"""A payload posted to a handler's system: tried again at once where that helps, else put off or refused."""

import json
import urllib.parse
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import httpx
import stamina

from engine.plugins.connection import UNTIL_MENDED, Connection
from engine.plugins.ports import TryLater
from engine.plugins.sending import Transport

TRIES = 3
REDIRECTS = 3
ANSWER_BYTES = 4_000
"""How much of an answer is read; the reason of a refusal is its first 200 characters."""


def to_url(
    url: str,
    *,
    authorization: str = "",
    setting: str = "HELMDESK_HANDLER_URL",
    secret: str = "HELMDESK_HANDLER_TOKEN",
    timeout_seconds: float = 10.0,
    limit_seconds: float = 30.0,
    wait_seconds: float = 0.2,
    wait_jitter: float | None = None,
) -> Transport:
    """Posts JSON with an `Idempotency-Key`; up to three tries, `wait_seconds` before the second. `setting` names the
    address and `secret` the credentials in what is said of trouble.

    Raises TryLater for 5xx, 408, 425, 429 and no answer; also, with the setting to change and a pause for all that goes
    there, for 401, 403, 407 and a redirect to another place. Raises Refused for any other 4xx.
    """
    headers = {"Content-Type": "application/json"} | ({"Authorization": authorization} if authorization else {})
    server = Connection(
        url,
        setting=setting,
        secret=secret,
        headers=headers,
        timeout_seconds=timeout_seconds,
        limit_seconds=limit_seconds,
    )

    def send(payload: Mapping[str, Any], key: str) -> str:
        jitter = wait_seconds if wait_jitter is None else wait_jitter
        for attempt in tries(timeout_seconds=timeout_seconds, wait_seconds=wait_seconds, wait_jitter=jitter):
            with attempt, server.time_limit():
                return _post(server, url, json.dumps(payload).encode(), key, setting)
        raise AssertionError("unreachable")

    return send


def tries(*, timeout_seconds: float, wait_seconds: float, wait_jitter: float) -> Iterable[stamina.Attempt]:
    """Up to three, twice as far apart each time, while what fails is worth a try at once; none begins once twice the
    timeout has passed."""
    return stamina.retry_context(
        on=_is_worth_a_second_try,
        attempts=TRIES,
        timeout=2 * timeout_seconds,
        wait_initial=wait_seconds,
        wait_max=10 * wait_seconds,
        wait_jitter=wait_jitter,
    )


def _post(server: Connection, url: str, body: bytes, key: str, setting: str) -> str:
    headers = {"Idempotency-Key": urllib.parse.quote(key)}
    request: httpx.Request | None = server.request("POST", url, content=body, headers=headers)
    for _ in range(REDIRECTS + 1):
        assert request is not None
        answer = server.send(request, f"{key}; it was not handed over")
        try:
            beginning = _beginning(answer)
            if answer.is_success:
                return f"{answer.status_code} {key}"
            if not _stays(answer):
                raise server.failure(answer, beginning.decode("utf-8", "replace"), key)
        finally:
            answer.close()
        request = answer.next_request
    raise TryLater(f"{server.shown} redirects {key} more than {REDIRECTS} times; look at {setting}", after=UNTIL_MENDED)


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
