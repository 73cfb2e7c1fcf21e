"""Worked cases as people write them: a JSON file, read so strictly that no expectation is passed over."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from engine.shared.errors import BadInput, NotFound
from engine.shared.policy_file import shortened, shown
from sla.calendar.calendars import Calendar
from sla.clocks.evaluate import in_era
from sla.contracts import CLOCKS, EVENTS, TICKETS, UNKNOWN, Clock
from sla.policy.amounts import known_keys, text
from sla.policy.calendar_files import load as load_calendars
from sla.policy.calendar_files import parse_all
from sla.policy.model import Policies, with_round_the_clock
from sla.policy.parser import load as load_policies
from sla.policy.parser import parse

_REQUIRED = ("name", "calendars", "policies", "tickets", "as_of", "expected")
_KNOWN = (*_REQUIRED, "why", "events")
_CLOCKS = tuple(clock.value for clock in Clock)
_FIELDS = tuple(name for name in CLOCKS if name not in ("ticket", "clock"))
_INSTANTS = ("due_at", "window_start", "stopped_at")
_WIDEST = 1 << 63


class Case(NamedTuple):
    """A worked case, ready to be evaluated. `expected` is by ticket, clock and field."""

    name: str
    tickets: list[dict[str, Any]]
    events: list[dict[str, Any]]
    policies: Policies
    calendars: dict[str, Calendar]
    as_of: datetime
    expected: dict[Any, dict[str, dict[str, Any]]]


def load_cases(path: str | Path) -> list[Case]:
    """The cases of one JSON file, one at least. Raises BadInput with file, case and key.

    `policies` and `calendars` stand in the case, or are the path of a policy file, from the case file's folder: that
    file is then read as strictly as the desk reads it. A key, clock, field or ticket that means nothing is refused.
    """
    file = Path(path)
    content = _content(file)
    if not isinstance(content, list) or not content:
        raise BadInput(f"{file}: expected a list of cases, got {shown(content)} ({type(content).__name__})")
    cases = [_case(case, f"{file}: case {i + 1}", file.parent) for i, case in enumerate(content)]
    names = [case.name for case in cases]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"{file}: two cases are named {shown(repeated[0])}; a report could not tell them apart")
    return cases


def _content(file: Path) -> Any:
    try:
        content = json.loads(file.read_text(encoding="utf-8-sig"), object_pairs_hook=_unique)
        json.dumps(content, ensure_ascii=False).encode()  # half a character is no text
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file}: can't be read as JSON: {' '.join(str(error).split())}") from error
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{shortened(next(key for key in keys if keys.count(key) > 1))!r} is given twice")
    return found


def _case(content: Any, where: str, folder: Path) -> Case:
    if not isinstance(content, Mapping):
        raise BadInput(f"{where}: expected a mapping, got {shown(content)}")
    if missing := [key for key in _REQUIRED if key not in content]:
        raise BadInput(f"{where}: {missing[0]} is missing")
    try:
        return _read(content, folder)
    except (BadInput, NotFound) as error:
        raise BadInput(f"{where} ({shortened(content['name'])}): {error}") from error


def read_rows(tickets: Any, events: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Tickets and events as people write them, as the engines read them. Raises BadInput with the key."""
    read = _rows(tickets, "tickets", _TICKET, required="id"), _rows(events, "events", _EVENT, required="ticket")
    _alike(*read)
    return read


def _read(content: Mapping[str, Any], folder: Path) -> Case:
    known_keys(content, _KNOWN, "")
    tickets, events = read_rows(content["tickets"], content.get("events", []))
    as_of = instant_of(content["as_of"], "as_of")
    calendars, policies = content["calendars"], content["policies"]
    calendars = load_calendars(folder / calendars) if isinstance(calendars, str) else parse_all(calendars)
    policies = load_policies(folder / policies, calendars) if isinstance(policies, str) else parse(policies)
    policies.check(with_round_the_clock(calendars))
    if not in_era(as_of):
        raise BadInput(f"as_of: expected an instant from 1900 to 2199, got {shown(content['as_of'])}")
    expected = _expected(content["expected"], tickets)
    return Case(text(content["name"], "name"), tickets, events, policies, calendars, as_of, expected)


def _rows(content: Any, path: str, fields: Mapping[str, "Reader"], *, required: str) -> list[dict[str, Any]]:
    """Tickets or events, each field read by its reader; one that is null or left out is None."""
    if not isinstance(content, list):
        raise BadInput(f"{path}: expected a list, got {shown(content)}")
    rows = []
    for i, row in enumerate(content):
        known_keys(row, tuple(fields), f"{path}[{i}].")
        if row.get(required) is None:
            raise BadInput(f"{path}[{i}].{required}: missing; it says which ticket this is")
        given = {name: value for name, value in row.items() if value is not None}
        rows.append(dict.fromkeys(fields) | {n: fields[n](value, f"{path}[{i}].{n}") for n, value in given.items()})
    return rows


def _alike(tickets: Iterable[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]) -> None:
    """Refuses 7 beside "7": it would be another ticket."""
    ids = [(f"tickets[{i}].id", row["id"]) for i, row in enumerate(tickets)]
    for path, key in [*ids, *((f"events[{i}].ticket", row["ticket"]) for i, row in enumerate(events))]:
        if ids and type(key) is not type(ids[0][1]):
            kinds = {int: "a number", str: "text"}
            first = f"{ids[0][0]} {shown(ids[0][1])} is {kinds[type(ids[0][1])]}"
            raise BadInput(f"{path}: {shown(key)} is {kinds[type(key)]}, {first}; write all ids alike")
    given = [(f"events[{i}].id", row["id"]) for i, row in enumerate(events) if row["id"] is not None]
    for path, key in given:
        if type(key) is not type(given[0][1]):
            raise BadInput(f"{path}: {shown(key)} is not written like {given[0][0]} {shown(given[0][1])}")


def _expected(content: Any, tickets: list[dict[str, Any]]) -> dict[Any, dict[str, dict[str, Any]]]:
    """By ticket, clock and field. Raises BadInput for what no row has: it would be compared with nothing."""
    if not isinstance(content, Mapping) or not content:
        raise BadInput(f"expected: give at least one clock and field, got {shown(content)}")
    by_ticket = {tickets[0]["id"]: content} if tickets and set(content) <= set(_CLOCKS) else content
    ids = {str(ticket["id"]) for ticket in tickets}
    for ticket, clocks in by_ticket.items():
        path = f"expected.{shortened(ticket)}"
        if str(ticket) not in ids:
            raise BadInput(f"{path}: no ticket of this case and no clock; clocks are {', '.join(_CLOCKS)}")
        known_keys(clocks, _CLOCKS, f"{path}.")
        for clock, fields in clocks.items():
            known_keys(fields, _FIELDS, f"{path}.{clock}.")
        if not any(clocks.values()):
            raise BadInput(f"{path}: give at least one field")
    return {
        ticket: {clock: _fields(fields, f"expected.{shortened(ticket)}.{clock}") for clock, fields in clocks.items()}
        for ticket, clocks in by_ticket.items()
    }


def _fields(fields: Mapping[str, Any], path: str) -> dict[str, Any]:
    """What is expected of a clock, its instants as instants."""
    return {
        name: instant_of(value, f"{path}.{name}") if name in _INSTANTS and value is not None else value
        for name, value in fields.items()
    }


def instant_of(value: Any, path: str) -> datetime:
    """In UTC; without a zone it is read as that. Raises BadInput."""
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise BadInput(f"{path}: expected an instant like 2024-01-16T09:00:00Z, got {shown(value)}") from error


def _word(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{path}: expected text, got {shown(value)}; put it in quotes")
    return value


def _whole(value: Any, path: str) -> int:
    if type(value) is not int or not -_WIDEST <= value < _WIDEST:
        raise BadInput(f"{path}: expected a whole number, got {shown(value)}")
    return value


def _id(value: Any, path: str) -> str | int:
    if isinstance(value, str) or (type(value) is int and -_WIDEST <= value < _WIDEST):
        return value
    raise BadInput(f"{path}: expected text or a whole number, got {shown(value)}")


Reader = Callable[[Any, str], Any]
_TICKET: Mapping[str, Reader] = dict.fromkeys(TICKETS, _word) | {
    "id": _id,
    **dict.fromkeys(("created_at", *UNKNOWN.values()), instant_of),
}
_EVENT: Mapping[str, Reader] = dict.fromkeys(EVENTS, _word) | {
    "ticket": _id,
    "ts": instant_of,
    "id": _id,
    "seq": _whole,
}
