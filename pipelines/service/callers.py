"""Who calls: a person by key, a source by its key or by signing what it posts; how often they may, and what."""

import hashlib
import hmac
import time
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NamedTuple

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.concurrency import run_in_threadpool

from engine.access import Right, User
from engine.shared.errors import NotAllowed, NotFound
from pipelines.app import identity
from pipelines.service.limits import Buckets
from pipelines.service.parts import Parts, parts_of
from pipelines.service.problems import TooMany, Unauthorized

SIGNATURE = "X-Helmdesk-Signature"
SIGNED = "signature"
"""What stands in a receipt in place of a key's number where it was signed."""

KEY = HTTPBearer(
    auto_error=False, scheme_name="key", description="`Authorization: Bearer KEY`, of `helmdesk keys create`."
)
SIGNED_BODY = APIKeyHeader(
    name=SIGNATURE,
    auto_error=False,
    scheme_name="signature",
    description="`sha256=` and the HMAC-SHA256, in hexadecimal digits, of the raw body under the secret of the source "
    "(HELMDESK_WEBHOOK_SECRETS).",
)
SECONDS_KNOWN = 1.0
"""For so long a source's key that opened is not looked up again: a source posts hundreds of times a second."""


class Caller(NamedTuple):
    """A person, or a source; `key_id` is the part of the key that is no secret."""

    key_id: str
    user: User | None
    source: str | None


async def caller(request: Request, _: Annotated[object, Security(KEY)] = None) -> Caller:
    """Raises Unauthorized without a key that opens something, TooMany beyond its rate."""
    parts, (scheme, _, key) = parts_of(request), request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key:
        raise Unauthorized("no key came with it: send `Authorization: Bearer KEY`; an admin makes one with "
                           "`helmdesk keys create`")  # fmt: skip
    found = await _owner(parts, key.strip(), request)
    is_source, key_id = isinstance(found, str), key.split("_")[1]
    limit(parts.webhook_rate if is_source else parts.rate, key_id)
    return Caller(key_id, None, found) if isinstance(found, str) else Caller(key_id, found, None)


async def _owner(parts: Parts, key: str, request: Request) -> User | str:
    source, until = parts.source_keys.get(key, ("", 0.0))
    if until > time.monotonic():
        return source
    try:
        found = await run_in_threadpool(identity.bearer, parts.app, key)
    except (NotAllowed, NotFound) as error:
        failed(request)
        raise Unauthorized(str(error)) from None
    if isinstance(found, str):
        parts.source_keys[key] = (found, time.monotonic() + SECONDS_KNOWN)
    return found


def failed(request: Request) -> None:
    """Count a key or a signature that opens nothing against the address it came from: those whose own is right share no
    fate with those who guess. Raises TooMany."""
    limit(parts_of(request).failure_rate, request.client.host if request.client else "")


def limit(rate: Buckets, name: str) -> None:
    """Raises TooMany."""
    if after := rate.take(name):
        raise TooMany(f"more than {rate.per_second:g} requests a second; ask again in {after:.1f} s", after=after)


def person(right: Right, *, doing: str) -> Callable[..., Coroutine[Any, Any, User]]:
    """What a route depends on that is for people with this right."""

    async def user(request: Request, who: Annotated[Caller, Depends(caller)]) -> User:
        if who.user is None:
            raise NotAllowed(f"a key of the source {who.source} posts its tickets and nothing else; {doing} takes "
                             "the key of a user")  # fmt: skip
        identity.require(parts_of(request).app, who.user, right, doing=doing)
        return who.user

    return user


def signature_of(secret: str, body: bytes) -> str:
    """What a sender puts in the header."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def check_signature(secret: str, body: bytes, signature: str) -> None:
    """Raises Unauthorized unless the body was signed with this secret."""
    if not hmac.compare_digest(signature_of(secret, body).encode(), signature.encode("latin-1", "replace")):
        raise Unauthorized(f"{SIGNATURE} is not `sha256=` and the HMAC-SHA256 of the body under the source's secret")
