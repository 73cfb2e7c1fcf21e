"""Tickets that other systems post: accepted once they are durable, taken in soon after."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from engine.access import Right
from engine.plugins.webhook import EXAMPLE, is_standard, undated
from engine.shared.errors import BadInput, Conflict, NotAllowed
from engine.shared.policy_file import shown
from engine.storage.receipts import Posted, Status
from pipelines.app import identity
from pipelines.jobs.receipts import read_payload
from pipelines.service.bodies import Closed
from pipelines.service.callers import (
    KEY,
    SIGNATURE,
    SIGNED,
    SIGNED_BODY,
    Caller,
    caller,
    check_signature,
    failed,
    limit,
)
from pipelines.service.parts import parts_of
from pipelines.service.problems import Unauthorized

router = APIRouter(prefix="/webhooks", tags=["webhooks"])
SOURCE, OWN_KEY = r"^[a-z0-9][a-z0-9_-]{0,49}$", r"^[\x21-\x7e]{1,200}$"
WHEN = "tickets without created_at: when the message came counts as their creation"
BODY = {
    "parameters": [
        {
            "name": "X-Source-ID", "in": "header", "required": True, "schema": {"type": "string", "pattern": SOURCE},
            "description": "Which source's plugin reads it.",
        },
        {
            "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": OWN_KEY},
            "description": "The same key from the same source is the same message.",
        },
    ],
    "requestBody": {
        "required": True,
        "description": "A message as the source sends it: a StandardTicket (from any source that has a key), "
        "`{\"tickets\": […]}`, a ServiceNow, Jira, "
        "Zendesk or Freshdesk record, or whatever a mapping file reads.",
        "content": {"application/json": {"schema": {"type": "object"}, "example": EXAMPLE}},
    },
    "security": [{KEY.scheme_name: []}, {SIGNED_BODY.scheme_name: []}],
}  # fmt: skip
"""What FastAPI would find out from a signature, and check at half of the price of the whole."""


class Accepted(Closed):
    """The payload is durable. `undated` counts its tickets without `created_at`, which take `received_at`."""

    receipt: int
    source: str
    received_at: datetime
    duplicate: bool
    undated: int = 0
    note: str | None = None


class ReceiptStatus(Closed):
    """What became of a receipt: `waiting`, `ingested` or `rejected`; `error` says why, or what of it was not read."""

    receipt: int
    source: str
    received_at: datetime
    state: str
    error: str | None


@router.post("/ticket", status_code=202, response_model=Accepted, openapi_extra=BODY)
async def accept_ticket(request: Request) -> Response:
    """Accept what a source posts, by a key of that source or a signature; the same message again is a duplicate.

    202 says that the payload is kept and survives a crash of the service, not that it was read: `receipt` is the number
    under which `GET …/webhooks/receipts/{receipt}` tells what became of it.
    """
    parts, body = parts_of(request), await request.body()
    source = _header(request, "X-Source-ID", SOURCE)
    key_id = await _authenticated(request, source, body)
    idempotency_key = _header(request, "Idempotency-Key", OWN_KEY) if "idempotency-key" in request.headers else None
    payload = read_payload(body)
    if not (standard := is_standard(payload)) and source not in parts.known_sources:
        await run_in_threadpool(parts.app.source, source)
        parts.known_sources.add(source)
    missing = undated(payload) if standard else 0
    receipt = await parts.reception.keep(Posted(source, body, parts.app.now(), key_id, idempotency_key))
    parts.metrics.receipts.labels(source, str(receipt.is_new).lower()).inc()
    if not receipt.is_same:
        raise Conflict(
            f"receipt {receipt.id} came under this Idempotency-Key with another body; nothing of this one was kept: "
            "send it under a key of its own"
        )
    answer = Accepted(
        receipt=receipt.id,
        source=source,
        received_at=receipt.received_at,
        duplicate=not receipt.is_new,
        undated=missing,
        note=WHEN if missing else None,
    )
    return Response(answer.model_dump_json(), 202, media_type="application/json")


def _header(request: Request, name: str, pattern: str) -> str:
    """Raises BadInput where it is missing or not as it should be."""
    value = request.headers.get(name, "")
    if not re.fullmatch(pattern, value):
        raise BadInput(f"the header {name} is {shown(value)}; it is to fit {pattern}")
    return value


async def _authenticated(request: Request, source: str, body: bytes) -> str:
    """What it was authenticated by. Raises Unauthorized, NotAllowed for another's key, TooMany."""
    parts, signature = parts_of(request), request.headers.get(SIGNATURE)
    if signature is not None and "authorization" not in request.headers:
        secret = parts.app.settings.webhook_secrets.get(source)
        try:
            if secret is None:
                raise Unauthorized(f"{source} has no secret here: set it in HELMDESK_WEBHOOK_SECRETS, or use a key")
            check_signature(secret.get_secret_value(), body, signature)
        except Unauthorized:
            failed(request)
            raise
        limit(parts.webhook_rate, f"{SIGNED}:{source}")
        return SIGNED
    who = await caller(request)
    if who.source != source:
        raise NotAllowed(f"this key is not one of {source}: `helmdesk keys create --source {source}` makes one")
    return who.key_id


@router.get("/receipts/{receipt}")
def receipt_status(
    request: Request,
    receipt: Annotated[int, Path(ge=1, le=2**63 - 1)],
    who: Annotated[Caller, Depends(caller)],
) -> ReceiptStatus:
    """What became of a message, for its source and for those who supervise."""
    app = parts_of(request).app
    if who.user is not None:
        identity.require(app, who.user, Right.SUPERVISE, doing="looking at what sources sent")
    found: Status = app.receipts.status(receipt, source=who.source)
    return ReceiptStatus(**found._asdict())
