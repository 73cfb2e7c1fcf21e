"""The desk's use cases by HTTP: a route each, made from the table of operations; who acts is whose key it is."""

import inspect
import json
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Request
from pydantic import BaseModel, ValidationError, WrapValidator

from engine.access import User
from engine.contracts import Ticket
from engine.desk import Desk
from engine.shared.policy_file import all_wrong
from pipelines.app import identity
from pipelines.operations import OPERATIONS, Operation, Result, arguments, perform
from pipelines.service.bodies import Name
from pipelines.service.callers import person
from pipelines.service.parts import parts_of

router = APIRouter(prefix="/desk", tags=["desk"])
KEY = Annotated[Name, Path(description="Its key; of a ticket its reference or external id will do.")]


def path_of(operation: Operation) -> str:
    """`/tickets/{key}/accept`, `/tickets/create`, `/queue`."""
    thing = "" if operation.thing == "desk" else f"/{operation.thing}s"
    return f"{thing}{'/{key:path}' if operation.key else ''}/{operation.verb}"


def strictly(model: type[BaseModel]) -> Any:
    """A body that is read as JSON says it: `true` is no number, 1 no truth, and text neither."""

    def read(value: Any, _: Callable[[Any], Any]) -> BaseModel:
        if isinstance(value, model):
            return value
        try:
            return model.model_validate_json(json.dumps(value), strict=True)
        except ValidationError as error:
            raise ValueError(all_wrong(error)) from None

    return Annotated[model, WrapValidator(read)]


def _endpoint(operation: Operation) -> Callable[..., Result]:
    model = arguments(operation)

    def endpoint(request: Request, user: User, given: BaseModel | None = None, key: str | None = None) -> Result:
        app, words = parts_of(request).app, given.model_dump(exclude_unset=True) if given else {}
        found = perform(app, operation, user=user, key=key, arguments=words)
        seen = found.id if isinstance(found, Ticket) else getattr(found, "ticket_id", None)
        identity.saw(app, user, door=f"POST /desk {operation.name}", ticket_id=seen)
        return found

    takes: dict[str, Any] = {
        "request": Request,
        "user": Annotated[User, Depends(person(operation.right, doing=f"`{operation.name}`"))],
    }
    if operation.key:
        takes["key"] = KEY
    if model.model_fields:
        takes["given"] = Annotated[strictly(model), Body()]
    has_default = {"given"} if not any(field.is_required() for field in model.model_fields.values()) else set()
    kind = inspect.Parameter.KEYWORD_ONLY
    endpoint.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name, kind, annotation=hint, default=model() if name in has_default else inspect.Parameter.empty
            )
            for name, hint in takes.items()
        ]
    )
    endpoint.__name__, endpoint.__doc__ = operation.name.replace(" ", "_").replace("-", "_"), operation.help
    return endpoint


def _response(operation: Operation) -> Any:
    """What it returns; of an action that names it for readers alone, what the desk's own use case does, else None:
    whatever it is."""
    hint, own = inspect.signature(operation.function).return_annotation, getattr(Desk, operation.use_case, None)
    if not isinstance(hint, str):
        return hint
    return inspect.signature(own).return_annotation if own else None


for _operation in OPERATIONS.values():
    router.add_api_route(
        path_of(_operation),
        _endpoint(_operation),
        methods=["POST"],
        summary=_operation.name,
        response_model=_response(_operation),
    )
