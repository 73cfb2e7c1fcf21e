"""The service as a value: every route over one app, its errors as problems, its description as OpenAPI."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from pipelines.app.container import App
from pipelines.service import desk, handlers, health, published, sla, triage, webhooks
from pipelines.service.callers import SIGNED_BODY
from pipelines.service.gate import ALIASES, PREFIX, Gate
from pipelines.service.metrics import Measured
from pipelines.service.parts import Parts
from pipelines.service.problems import PROBLEMS, Problem, answer_errors

DESCRIPTION = f"""AI-assisted support-ticket triage and SLA analytics.

Every route but health takes `Authorization: Bearer KEY`; `helmdesk keys create` makes keys of users and of sources. A
webhook may be signed instead. Who acts is whoever the key belongs to, never a field of a body. Errors are
`application/problem+json`. The paths below {PREFIX} are understood without it too: {", ".join(ALIASES)}."""


def build(app: App) -> FastAPI:
    """The service over this app, which it does not close."""
    parts = Parts(app)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with parts.at_work():
            yield

    settings = app.settings
    gate = Middleware(Gate, most_bytes=settings.service_body_bytes, seconds=settings.service_body_seconds)
    api = FastAPI(
        title="helmdesk",
        version=version("helmdesk"),
        description=DESCRIPTION,
        lifespan=lifespan,
        middleware=[Middleware(Measured, metrics=parts.metrics), gate],
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
    )
    api.state.parts = parts
    versioned = APIRouter(prefix=PREFIX, responses=PROBLEMS)
    for routes in (webhooks, handlers, sla, triage, published, desk):
        versioned.include_router(routes.router)
    api.include_router(versioned)
    api.include_router(health.router)
    answer_errors(api)
    _describe_what_all_share(api)
    return api


def _describe_what_all_share(api: FastAPI) -> None:
    """The OpenAPI has the schema to which every error refers, and says how a body is signed."""
    describe = api.openapi

    def openapi() -> dict[str, Any]:
        found = describe()
        components = found.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
        components.setdefault("securitySchemes", {})[SIGNED_BODY.scheme_name] = SIGNED_BODY.model.model_dump(
            mode="json", by_alias=True, exclude_none=True
        )
        return found

    api.openapi = openapi  # type: ignore[method-assign]
