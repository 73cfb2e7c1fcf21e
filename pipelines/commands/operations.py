"""Commands made from the table of operations: `helmdesk ticket VERB KEY`, `helmdesk desk VERB`, `desk THING VERB KEY`.

A nested model's fields are options of their own; a list or mapping is given by its option again and again.
"""

import inspect
import json
import types
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import typer
from typer.core import TyperGroup

from engine.shared.errors import BadInput
from pipelines.commands.terminal import counted, open_here, plain

if TYPE_CHECKING:
    from pydantic import BaseModel

    from pipelines.operations import Operation

By = Annotated[
    str | None, typer.Option(help="Who does it, by id.", show_default="HELMDESK_USER, else this machine's user")
]
AsJson = Annotated[bool, typer.Option("--json", help="The result, for programs.")]


class OfOperations(TyperGroup):
    """A group with the commands of some things of the table, made once somebody asks for them: the desk's rules are
    slow to load."""

    things: tuple[str, ...] = ()

    def get_command(self, ctx: typer.Context, cmd_name: str) -> Any:  # type: ignore[override]  # noqa: ARG002
        return self.all_commands.get(cmd_name)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        return list(self.all_commands)

    @cached_property
    def all_commands(self) -> dict[str, Any]:
        """Those written by hand first; none of them is made anew."""
        from pipelines.operations import OPERATIONS

        made = {one.verb: _command(one) for one in OPERATIONS.values() if one.thing in self.things}
        return {**self.commands, **{verb: one for verb, one in made.items() if verb not in self.commands}}


def group_of(*things: str) -> type[OfOperations]:
    return type("OfOperations", (OfOperations,), {"things": things})


def _command(operation: "Operation") -> Any:
    app = typer.Typer(add_completion=False)
    app.command(operation.verb, help=operation.help)(_function(operation))
    return typer.main.get_command(app)


def _function(operation: "Operation") -> Callable[..., None]:
    from pipelines.operations import arguments

    model = arguments(operation)

    def run(context: typer.Context, **given: Any) -> None:
        by, as_json, key = given.pop("by"), given.pop("as_json"), given.pop("key", None)
        show_result(context, operation, key, _nested(model, given), by=by, as_json=as_json)

    parameters = [_parameter("context", typer.Context)]
    if operation.key:
        what = "Key, reference or id." if operation.key == "ticket_id" else f"Key of the {_thing(operation)}."
        parameters.append(_parameter("key", Annotated[str, typer.Argument(help=what, metavar="KEY")]))
    parameters += [one for name, field in model.model_fields.items() for one in _options(name, field, required=True)]
    parameters += [_parameter("by", By, None), _parameter("as_json", AsJson, default=False)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def show_result(
    context: typer.Context,
    operation: "Operation",
    key: str | None,
    given: Mapping[str, object],
    *,
    by: str | None,
    as_json: bool = False,
) -> None:
    """Do it and print what came of it."""
    from pipelines.app.identity import local_user
    from pipelines.operations import in_words, perform

    with open_here(context, asks_itself=True) as app:
        found = perform(app, operation, user=local_user(app, by), key=key, arguments=given)
    if as_json:
        typer.echo(json.dumps(_as_json(found), ensure_ascii=False, indent=1))
    elif isinstance(found, list):
        for one in found:
            typer.echo(plain(in_words(one)))
        typer.echo(counted(len(found), "row"))
    elif found is not None:
        typer.echo(plain(in_words(found)))


def _as_json(found: Any) -> Any:
    if isinstance(found, list):
        return [_as_json(one) for one in found]
    return found.model_dump(mode="json") if _is_model(type(found)) else found


def _parameter(name: str, annotation: Any, default: Any = inspect.Parameter.empty) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _thing(operation: "Operation") -> str:
    return {"view_id": "view"}.get(str(operation.key), operation.thing)


def _options(name: str, field: Any, *, required: bool) -> list[inspect.Parameter]:
    """The options of one field; those of a nested model's fields."""
    from pipelines.operations import WORDS

    kind, is_required = _plain(field.annotation), required and field.is_required()
    if _is_model(kind):
        inner = kind.model_fields.items()
        return [one for name, each in inner for one in _options(name, each, required=is_required)]
    flag = "--" + name.removeprefix("is_").removesuffix("_id").replace("_", "-")
    if kind is bool:
        off = f"/--not-{flag.removeprefix('--')}"
        option = typer.Option(flag + off, help=WORDS[name], show_default=False)
        return [_parameter(name, Annotated[bool | None, option], None)]
    if _is_repeated(kind):
        metavar = "NAME=VALUE" if _is_mapping(kind) else "TEXT"
        option = typer.Option(flag.removesuffix("s"), help=WORDS[name], metavar=metavar)
        return [_parameter(name, Annotated[list[str] | None, option], None)]
    words = "|".join(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else None
    default = None if is_required or field.is_required() or field.default is None else str(field.default)
    option = typer.Option(flag, show_default=default or False, help=WORDS[name], metavar=words)
    if is_required:
        return [_parameter(name, Annotated[str, option])]
    return [_parameter(name, Annotated[str | None, option], None)]


def _nested(model: "type[BaseModel]", given: Mapping[str, Any]) -> dict[str, object]:
    """Options that were given, as the model takes them; of a nested model none where none of its options was."""
    found: dict[str, object] = {}
    for name, field in model.model_fields.items():
        kind = _plain(field.annotation)
        if _is_model(kind):
            if inner := _nested(kind, given):
                found[name] = inner
        elif given.get(name) not in (None, []):
            found[name] = _pairs(name, given[name]) if _is_mapping(kind) else given[name]
    return found


def _pairs(name: str, given: list[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    for (before, equals, _), text in zip(pairs, given, strict=True):
        if not before or not equals:
            raise BadInput(f"--{name.removesuffix('s')} {text!r}: write NAME=VALUE")
    return {before: after for before, _, after in pairs}


def _plain(annotation: Any) -> Any:
    """The type itself, of one that may be None as well."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not types.NoneType]
        return _plain(kinds[0])
    return annotation


def _is_model(kind: Any) -> bool:
    """Said without pydantic, which this module does not load."""
    return isinstance(kind, type) and hasattr(kind, "model_fields")


def _is_mapping(kind: Any) -> bool:
    return isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Mapping)


def _is_repeated(kind: Any) -> bool:
    origin = get_origin(kind)
    return isinstance(origin, type) and issubclass(origin, Collection)
