"""Is it there, which of its parts work, and figures for Prometheus. Nothing of it is customer data: no key is asked."""

from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from engine.shared.errors import HelmdeskError
from pipelines.app.container import App
from pipelines.marts.publication import current
from pipelines.service.bodies import Closed
from pipelines.service.parts import parts_of

router = APIRouter(tags=["health"])
STALE = timedelta(hours=24)


class Health(Closed):
    """The process answers."""

    status: Literal["ok"] = "ok"
    version: str


class Part(Closed):
    """`works`, `present` (not tried: opened when it is needed), `missing` (what needs it says what to do), `fails`."""

    state: Literal["works", "present", "missing", "fails"]
    note: str


class Ready(Closed):
    """Ready unless a part fails; then the status is 503."""

    ready: bool
    parts: dict[str, Part]


@router.get("/health")
async def health() -> Health:
    """Does the process answer? Asks no part."""
    return Health(version=version("helmdesk"))


@router.get("/ready", responses={503: {"model": Ready, "description": "A part fails."}})
async def ready(request: Request) -> Response:
    """Each part: store, receipts, outbox, marts, models, index."""
    found = await run_in_threadpool(examine, parts_of(request).app)
    return JSONResponse(found.model_dump(), 200 if found.ready else 503)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Figures in Prometheus' text format."""
    text = await run_in_threadpool(parts_of(request).metrics.text)
    return Response(text, headers={"Content-Type": CONTENT_TYPE_LATEST})


def examine(app: App) -> Ready:
    """Every part once, without opening an index file or a model."""
    checks = {
        "store": _store, "receipts": _receipts, "outbox": _outbox, "marts": _marts, "models": _models, "index": _index,
    }  # fmt: skip
    parts = {name: _try(check, app) for name, check in checks.items()}
    return Ready(ready=all(part.state != "fails" for part in parts.values()), parts=parts)


def _try(check: Callable[[App], Part], app: App) -> Part:
    try:
        return check(app)
    except HelmdeskError as error:
        app.log.warning("part fails", reason=str(error))  # its address or folder is nothing to tell everybody
        return Part(state="fails", note=f"{type(error).__name__}; the log of the service says more")


def _store(app: App) -> Part:
    return Part(state="works", note=f"{app.store.engine.dialect.name}, {app.store.ticket_count():,} tickets")


def _receipts(app: App) -> Part:
    return Part(state="works", note=f"{app.receipts.counts().get('waiting', 0):,} wait to be taken in")


def _outbox(app: App) -> Part:
    unsent = app.outbox.unsent()
    waiting, refused = sum(there.waiting for there in unsent), sum(there.refused for there in unsent)
    return Part(state="works", note=f"{waiting:,} wait, {refused:,} refused")


def _marts(app: App) -> Part:
    folder = app.settings.marts_folder
    if not (folder / "current.json").is_file():
        return Part(state="missing", note="none published yet: `helmdesk cycle`")
    age = app.now() - current(folder).published_at
    late = ", which is old: does a cycle run?" if age > STALE else ""
    return Part(state="works", note=f"published {age.total_seconds():,.0f} s ago{late}")


def _models(app: App) -> Part:
    app.settings.check_model()
    return Part(state="present", note="hosted, the local ones first" if app.settings.hosted_model else "local")


def _index(app: App) -> Part:
    if app.settings.milvus_uri:
        return Part(state="present", note="a server, which is asked when there is a question")
    if not Path(app.settings.index_uri).exists():
        return Part(state="missing", note="made at the first question, or by a cycle")
    return Part(state="present", note="embedded, opened when there is a question")
