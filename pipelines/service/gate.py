"""What every request passes first: its path in the one form, its body whole, in time and not too large."""

import asyncio
from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipelines.service.problems import problem

PREFIX = "/api/v1"
ALIASES = ("/sla", "/triage", "/desk", "/tickets", "/webhooks", "/handlers", "/openapi.json")
"""Paths that are understood without the prefix too."""
PLAIN = ("/health", "/ready", "/metrics")
"""Paths without the prefix that are understood with it too."""


def canonical(path: str) -> str:
    if _below(path, ALIASES):
        return PREFIX + path
    bare = path.removeprefix(PREFIX)
    return bare if _below(bare, PLAIN) else path


def _below(path: str, places: Iterable[str]) -> bool:
    return any(path == place or path.startswith(f"{place}/") for place in places)


READ_OUT = 10
"""A body of up to so many times the limit is read, and dropped, before it is refused: its sender can then read why."""


class Gate:
    """Answers 413 for a body of more than `most_bytes` and 408 for one that takes longer than `seconds`, before any of
    it is looked at."""

    def __init__(self, app: ASGIApp, *, most_bytes: int, seconds: float) -> None:
        self.app, self.most_bytes, self.seconds = app, most_bytes, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        scope["path"] = canonical(scope["path"])
        length = dict(scope["headers"]).get(b"content-length", b"0")
        why = f"the body is larger than {self.most_bytes:,} bytes; send less at a time"
        too_large = problem(413, why, {"Connection": "close"})
        if length.isdigit() and int(length) > self.most_bytes * READ_OUT:
            await too_large(scope, receive, send)
            return
        try:
            body = await asyncio.wait_for(_whole(receive, self.most_bytes), self.seconds)
        except TimeoutError:
            slow = problem(408, f"the body did not come within {self.seconds:g} seconds", {"Connection": "close"})
            await slow(scope, receive, send)
            return
        if body is None:
            await too_large(scope, receive, send)
            return
        if body[-1]["type"] == "http.request":  # else the sender is gone
            await self.app(scope, _again(body, receive), send)


async def _whole(receive: Receive, most: int) -> list[Message] | None:
    """The messages of the body; None if they are more than `most` bytes."""
    messages, size = [], 0
    while True:
        message = await receive()
        size += len(message.get("body", b""))
        if size <= most:
            messages.append(message)
        if size > most * READ_OUT or not message.get("more_body", False):
            return messages if size <= most else None


def _again(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def next_one() -> Message:
        return next(waiting, None) or await receive()

    return next_one
