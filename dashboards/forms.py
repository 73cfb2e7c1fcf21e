"""What an operation of the desk takes, as a form: a field for each argument, by its type.

A form keeps what was written until the desk has done it; a refusal loses nothing.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st
from pydantic import AwareDatetime, BaseModel

from pipelines.app.container import App
from pipelines.figures import words
from pipelines.operations import Operation, arguments

NOTHING: Mapping[str, Any] = types.MappingProxyType({})
LONG = frozenset(
    {"text", "summary", "reason", "message", "description", "comment", "notes", "lessons", "settings", "actions",
     "filters", "limits"}
)  # fmt: skip
"""Fields of several lines."""
Names = Mapping[str, str]
Shape = Literal["one", "yes_no", "whole", "amount", "instant", "lines", "pairs", "text"]


class Entry(NamedTuple):
    """One field: where its value goes in the arguments, and its key among the widgets."""

    path: tuple[str, ...]
    hint: Any
    key: str
    default: Any


def form(
    app: App,
    operation: Operation,
    name: str,
    label: str,
    do: Callable[[dict[str, Any]], bool],
    *,
    given: Mapping[str, Any] = NOTHING,
    starts: Mapping[str, Any] = NOTHING,
    choices: Mapping[str, Names] = NOTHING,
) -> None:
    """The form of an operation under the `name`, which `do` takes and says whether it is done. `given` is not asked
    for, `starts` stands in a field at first, `choices` of a field are names by what is chosen; agents, teams and open
    incidents are known."""
    key = f"{name}/{turn(name)}"
    entries = _entries(arguments(operation), (), key, given)
    with st.form(key, border=False):
        for entry, field in entries:
            _draw(app, entry, field, starts.get(entry.path[0]), choices)
        wanted = [entry for entry, _ in entries]
        st.form_submit_button(label, type="primary", on_click=_submit, args=(name, wanted, dict(given), do))


def turn(name: str) -> int:
    """How often the form of this name was done: each time it begins anew."""
    return int(st.session_state.get(f"turn of {name}", 0))


def _submit(name: str, entries: Sequence[Entry], given: dict[str, Any], do: Callable[[dict[str, Any]], bool]) -> None:
    values: dict[str, Any] = dict(given)
    for entry in entries:
        value = _value(entry.hint, st.session_state.get(entry.key))
        if value is not None and not (len(entry.path) > 1 and value == entry.default):
            place = values
            for part in entry.path[:-1]:
                place = place.setdefault(part, {})
            place[entry.path[-1]] = value
    if do(values):
        st.session_state[f"turn of {name}"] = turn(name) + 1


def agents(app: App) -> dict[str, str]:
    """Agents who may act, by id, ordered by name."""
    return dict(app.store.frame("agents").filter("is_active").sort("name").select("id", "name").iter_rows())


def _entries(
    model: type[BaseModel], path: tuple[str, ...], key: str, given: Mapping[str, Any]
) -> list[tuple[Entry, Any]]:
    found: list[tuple[Entry, Any]] = []
    for name, field in model.model_fields.items():
        hint, place = _plain(field.annotation), (*path, name)
        if name in given and not path:
            continue
        if isinstance(hint, type) and issubclass(hint, BaseModel):
            found += _entries(hint, place, key, given)
        else:
            found.append((Entry(place, hint, f"{key}/{'.'.join(place)}", field.default), field))
    return found


def _draw(app: App, entry: Entry, field: Any, start: Any, choices: Mapping[str, Names]) -> None:
    name, hint, key = entry.path[-1], entry.hint, entry.key
    label, about = words.plain(name.removesuffix("_id")).capitalize(), field.description
    default = start if start is not None else field.default if not field.is_required() else None
    names = choices.get(name) or (_known(app, name) if _shape(hint) == "text" else None)
    if names is not None or _shape(hint) == "one":
        shown = dict(names) if names is not None else {str(one): words.plain(one) for one in hint}
        keys = list(shown)
        at = keys.index(str(default)) if default is not None and str(default) in shown else None
        st.selectbox(label, keys, at, format_func=lambda one: shown.get(one, one), key=key, help=about)
        return
    match _shape(hint):
        case "yes_no":
            st.checkbox(label, bool(default), key=key, help=about)
        case "whole":
            st.number_input(label, value=default, step=1, key=key, help=about)
        case "amount":
            st.number_input(label, value=default, step=0.01, format="%.2f", key=key, help=about)
        case "instant":
            st.datetime_input(label, default, key=key, help=about)
        case _:
            text = default if isinstance(default, str) else ""
            if name in LONG:
                st.text_area(label, text, 180 if name == "text" else 80, key=key, help=about, max_chars=20_000)
            else:
                st.text_input(label, text, 2_000, key=key, help=about)


def _value(hint: Any, value: Any) -> Any:
    """What a field says, as the operation takes it; None for nothing."""
    match _shape(hint):
        case "instant" if isinstance(value, datetime):
            return value.replace(tzinfo=_zone())
        case "lines":
            return tuple(filter(None, (line.strip() for line in (value or "").splitlines())))
        case "pairs":
            lines = [line.partition("=") for line in (value or "").splitlines() if line.strip()]
            return {name.strip(): word.strip() for name, _, word in lines} or None
        case "text" if value == "":
            return None
        case "amount" if value is not None:
            return str(value)
    return value or None if _shape(hint) == "yes_no" else value


def _shape(hint: Any) -> Shape:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return "one"
    if get_origin(hint) is tuple:
        return "lines"
    if get_origin(hint) is not None and issubclass(get_origin(hint), Mapping):
        return "pairs"
    plain: dict[Any, Shape] = {bool: "yes_no", int: "whole", Decimal: "amount", float: "amount"}
    return "instant" if hint in (datetime, AwareDatetime) else plain.get(hint, "text")


def _plain(hint: Any) -> Any:
    """The type without None and without what is said beside it."""
    if get_origin(hint) is Annotated:
        return _plain(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        return _plain(next(one for one in get_args(hint) if one is not type(None)))
    return hint


def _known(app: App, name: str) -> Names | None:
    match name:
        case "assigned_to" | "commander" | "to":
            return agents(app)
        case "team_id" | "team":
            return dict(app.store.frame("teams").select("id", "name").sort("name").iter_rows())
        case "group":
            return dict(app.store.frame("assignment_groups").select("group_id", "name").sort("name").iter_rows())
        case "incident":
            found = app.store.frame("incidents", ["id", "title"], where={"status": {"open"}})
            return dict(found.iter_rows())
    return None


def _zone() -> ZoneInfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
