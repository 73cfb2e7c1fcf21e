"""Errors as `application/problem+json` (RFC 9457): what, which, why and what to do, never a traceback."""

import math
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from engine.shared.errors import Busy, HelmdeskError
from engine.shared.policy_file import shortened
from pipelines.error_codes import HTTP_STATUSES, code_of

MEDIA_TYPE = "application/problem+json"
BUSY_SECONDS = 2
"""After how long one who was refused because others were at it may ask again."""


class Problem(BaseModel):
    """Why a request was refused."""

    model_config = ConfigDict(extra="forbid")

    type: str = "about:blank"
    title: str
    status: int
    detail: str


class Unauthorized(HelmdeskError):
    """Nobody knows who is calling."""


class TooMany(HelmdeskError):
    """A key asks too often; `after` is when it may again, in seconds."""

    def __init__(self, message: str, *, after: float) -> None:
        super().__init__(message)
        self.after = after


PROBLEMS: dict[int | str, dict[str, Any]] = {
    family: {"description": text, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for family, text in (("4XX", "Refused: `detail` says why and what to do."), ("5XX", "Not possible now."))
}
"""What every route may answer besides."""


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    found = Problem(title=HTTPStatus(status).phrase, status=status, detail=" ".join(detail.split()))
    return JSONResponse(found.model_dump(), status, headers, MEDIA_TYPE)


def of_error(error: HelmdeskError) -> JSONResponse:
    match error:
        case Unauthorized():
            return problem(401, str(error), {"WWW-Authenticate": 'Bearer realm="helmdesk"'})
        case TooMany():
            return problem(429, str(error), {"Retry-After": str(math.ceil(error.after))})
        case Busy():
            return problem(503, str(error), {"Retry-After": str(BUSY_SECONDS)})
    return problem(code_of(error, HTTP_STATUSES, otherwise=500), str(error))


def answer_errors(api: FastAPI) -> None:
    """Every error of the desk, of a body that does not fit, and of a route that is not there, as a problem. A bug is
    status 500 and its traceback goes to the log."""

    @api.exception_handler(HelmdeskError)
    async def _known(_: Request, error: HelmdeskError) -> JSONResponse:
        return of_error(error)

    @api.exception_handler(RequestValidationError)
    async def _unfit(_: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "; ".join(_fault(fault) for fault in error.errors()[:5]))

    @api.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        known = {404: "there is no such route", 405: f"this route takes {headers.get('allow', 'other methods')}"}
        detail = known.get(error.status_code, str(error.detail))
        return problem(error.status_code, f"{detail}; openapi.json has all routes", headers)

    @api.exception_handler(Exception)
    async def _bug(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "a fault of helmdesk itself; its log has the details")


def _fault(fault: Any) -> str:
    place = ".".join(str(step) for step in fault["loc"])
    return f"{shortened(place)}: {shortened(str(fault['msg']).removeprefix('Value error, '))}"
