"""A file of promises and a file of calendars, otherwise in a few cells: each change is a value, no file is written."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from engine.shared.errors import BadInput
from engine.shared.policy_file import parse_yaml, refusal
from sla.contracts import Clock

HOURS = ("tz", "country", "mon", "tue", "wed", "thu", "fri", "sat", "sun", "closed")
"""What can be changed of a calendar: its time zone, the country of its public holidays, the windows of each day, and
days on which it is closed besides."""


class Cell(NamedTuple):
    """One target of a list: by the place of its promise, what that is called, its clock, and the target as written."""

    place: int
    name: str
    clock: str
    target: str


class Target(NamedTuple):
    """Another target in a cell; "" promises nothing."""

    place: int
    clock: str
    target: str


class Hours(NamedTuple):
    """Another value of a calendar: `what` of HOURS. Windows and days are listed with commas: `09:00-12:30,
    13:30-18:00`, `2026-12-24`."""

    calendar: str
    what: str
    value: str


def cells(content: Any) -> list[Cell]:
    """The targets that a list has a text or a number for, of its last version where it has several; what is given by
    tier alone, and what can't be read, has none."""
    found = []
    for place, promise in enumerate(_listed(content)):
        for clock in Clock:
            cell = promise.get(clock.value, "") if isinstance(promise, Mapping) else ""
            written = cell.get("target") if isinstance(cell, Mapping) else cell
            if isinstance(cell, Mapping) and written is None:
                continue
            if clock.value in promise or clock in (Clock.FIRST_RESPONSE, Clock.RESOLUTION):
                name = str(promise.get("name") or f"{place + 1}")
                unit = f" {cell['unit']}" if isinstance(cell, Mapping) and cell.get("unit") else ""
                found.append(Cell(place, name, clock.value, "" if written in (None, "") else f"{written}{unit}"))
    return found


def with_targets(content: Any, targets: Sequence[Target]) -> Any:
    """The list with these targets; what is read of a bad one is for its reader to refuse."""
    changed = deepcopy(content)
    promises = _listed(changed)
    for place, clock, target in targets:
        if place >= len(promises):
            continue
        cell = promises[place].get(clock)
        own = {"target": target or None}
        if isinstance(cell, Mapping):
            promises[place][clock] = {**{key: one for key, one in cell.items() if key != "unit" or not target}, **own}
        else:
            promises[place][clock] = target or None
    return changed


def _listed(content: Any) -> list[Any]:
    """The promises that edits are about."""
    if isinstance(content, Mapping) and isinstance(content.get("versions"), list) and content["versions"]:
        content = content["versions"][-1]
    found = content.get("policies") if isinstance(content, Mapping) else content
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def hours(content: Any, name: str) -> dict[str, str]:
    """A calendar as a form has it, by HOURS."""
    calendar = _calendars(content).get(name) or {}
    weekly = calendar.get("weekly") or {}
    closed = calendar.get("holidays") or ()
    days = {day: ", ".join(_window(one) for one in weekly.get(day) or ()) for day in HOURS[2:9]}
    return {
        "tz": str(calendar.get("tz", "UTC")),
        "country": str(calendar.get("country") or ""),
        **days,
        "closed": ", ".join(str(day) for day in closed),
    }


def with_hours(content: Any, changes: Sequence[Hours]) -> Any:
    """The calendars with these values."""
    changed = deepcopy(content)
    for calendar, what, value in changes:
        if calendar not in _calendars(changed):
            raise BadInput(f"There is no calendar {calendar}")
        _set(_calendars(changed)[calendar], what, value)
    return changed


def _set(calendar: dict[str, Any], what: str, value: str) -> None:
    parts = [part.strip() for part in value.split(",") if part.strip()]
    match what:
        case "tz":
            calendar["tz"] = value.strip()
        case "country":
            calendar.pop("subdivision", None)
            calendar["country"] = value.strip() or None
        case "closed":
            calendar["holidays"] = parts
        case _:
            calendar["weekly"] = {**(calendar.get("weekly") or {}), what: parts}


def _calendars(content: Any) -> dict[str, Any]:
    found = content.get("calendars", content) if isinstance(content, Mapping) else {}
    return found if isinstance(found, dict) else {}


def _window(window: Any) -> str:
    return "-".join(map(str, window)) if isinstance(window, list) else str(window)


def parsed(text: str, name: str) -> Any:
    """What a text holds. Raises BadInput that names it, also for an empty one."""
    content = parse_yaml(text, name)
    if content is None:
        raise refusal(name, "it is empty")
    return content
