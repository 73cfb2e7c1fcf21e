"""Do both engines say what a worked case says? Runs case files and names every field that differs."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from engine.errors import BadInput, NotFound
from sla.amounts import known_keys, text
from sla.batch import evaluate
from sla.calendar_files import load as load_calendars
from sla.calendar_files import parse_all
from sla.calendars import Calendar
from sla.contracts import CLOCKS, EVENTS, TICKETS, Clock
from sla.evaluate import evaluate_all, in_era
from sla.policies import load as load_policies
from sla.policies import parse
from sla.promises import Policies, with_round_the_clock

_REQUIRED = ("name", "calendars", "policies", "tickets", "as_of", "expected")
_KNOWN = (*_REQUIRED, "why", "events")
_CLOCKS = tuple(clock.value for clock in Clock)
_FIELDS = tuple(name for name in CLOCKS if name not in ("ticket", "clock"))


class Mismatch(NamedTuple):
    """A field that one engine (`reference` or `batch`) got differently."""

    case: str
    engine: str
    ticket: Any
    clock: str
    field: str
    expected: Any
    got: Any

    def __str__(self) -> str:
        where = f"{self.case}: {self.engine}, ticket {self.ticket}, {self.clock}.{self.field}"
        return f"{where}: expected {self.expected!r}, got {self.got!r}"


class Report(NamedTuple):
    """What came of the cases; `lines()` is for people, its last line "N passed, M failed"."""

    passed: int
    failed: int
    mismatches: tuple[Mismatch, ...]

    @property
    def ok(self) -> bool:
        return self.failed == 0

    def lines(self) -> list[str]:
        return [*(str(m) for m in self.mismatches), f"{self.passed} passed, {self.failed} failed"]


class Case(NamedTuple):
    """A worked case, ready to be evaluated."""

    name: str
    tickets: list[dict[str, Any]]
    events: list[dict[str, Any]]
    policies: Policies
    calendars: dict[str, Calendar]
    as_of: datetime
    expected: dict[Any, dict[str, dict[str, Any]]]


def check_cases(paths: Iterable[str | Path]) -> Report:
    """Run every case of the files through both engines. Raises BadInput for a file that is no list of cases."""
    passed, found = 0, []
    cases = [case for path in paths for case in load_cases(path)]
    for case in cases:
        mismatches = [*_differences(case, "reference", _reference(case)), *_differences(case, "batch", _batch(case))]
        passed += not mismatches
        found += mismatches
    return Report(passed, len(cases) - passed, tuple(found))


def load_cases(path: str | Path) -> list[Case]:
    """The cases of one JSON file. Raises BadInput with file, case and key.

    `policies` and `calendars` stand in the case, or are the path of a policy file, from the case file's folder: that
    file is then read as strictly as the desk reads it. A key, clock, field or ticket that means nothing is refused.
    """
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=_unique)
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file}: can't be read as JSON: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise BadInput(f"{file}: expected a list of cases, got {type(content).__name__}")
    cases = [_case(case, f"{file}: case {i + 1}", file.parent) for i, case in enumerate(content)]
    names = [case.name for case in cases]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise BadInput(f"{file}: two cases are named {repeated[0]!r}; a report could not tell them apart")
    return cases


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return found


def frames(tickets: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> tuple[pl.DataFrame, ...]:
    """Tickets and events as the batch engine reads them; ids keep their type."""
    return _frame(tickets, dict(TICKETS), "id"), _frame(events, dict(EVENTS), "ticket")


def _case(content: Any, where: str, folder: Path) -> Case:
    if not isinstance(content, Mapping):
        raise BadInput(f"{where}: expected a mapping, got {content!r}")
    if missing := [key for key in _REQUIRED if key not in content]:
        raise BadInput(f"{where}: {missing[0]} is missing")
    try:
        return _read(content, folder)
    except (BadInput, NotFound, TypeError, AttributeError, ValueError) as error:
        raise BadInput(f"{where} ({content['name']}): {error}") from error


def _read(content: Mapping[str, Any], folder: Path) -> Case:
    known_keys(content, _KNOWN, "")
    tickets = [_row(t, TICKETS, f"tickets[{i}]", "created_at") for i, t in enumerate(content["tickets"])]
    events = [_row(e, EVENTS, f"events[{i}]", "ts") for i, e in enumerate(content.get("events", []))]
    as_of = _instant(content["as_of"])
    if as_of is None or not in_era(as_of):
        raise BadInput(f"as_of: expected an instant from 1900 to 2199, got {content['as_of']!r}")
    calendars, policies = content["calendars"], content["policies"]
    calendars = load_calendars(folder / calendars) if isinstance(calendars, str) else parse_all(calendars)
    policies = load_policies(folder / policies, calendars) if isinstance(policies, str) else parse(policies)
    policies.check(with_round_the_clock(calendars))
    expected = _expected(content["expected"], tickets)
    return Case(text(content["name"], "name"), tickets, events, policies, calendars, as_of, expected)


def _row(content: Any, schema: pl.Schema, path: str, instant: str) -> dict[str, Any]:
    known_keys(content, tuple(schema), f"{path}.")
    return {**content, instant: _instant(content.get(instant))}


def _expected(content: Any, tickets: list[dict[str, Any]]) -> dict[Any, dict[str, dict[str, Any]]]:
    """By ticket, clock and field. Raises BadInput for what no row has: it would be compared with nothing."""
    if not isinstance(content, Mapping) or not content:
        raise BadInput(f"expected: give at least one clock and field, got {content!r}")
    by_ticket = {tickets[0]["id"]: content} if tickets and set(content) <= set(_CLOCKS) else content
    ids = {str(ticket.get("id")) for ticket in tickets}
    for ticket, clocks in by_ticket.items():
        if str(ticket) not in ids:
            raise BadInput(f"expected.{ticket}: no ticket of this case and no clock; clocks are {', '.join(_CLOCKS)}")
        known_keys(clocks, _CLOCKS, f"expected.{ticket}.")
        for clock, fields in clocks.items():
            known_keys(fields, _FIELDS, f"expected.{ticket}.{clock}.")
        if not any(clocks.values()):
            raise BadInput(f"expected.{ticket}: give at least one field")
    return dict(by_ticket)


def _instant(text: Any) -> datetime | None:
    if text is None:
        return None
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _reference(case: Case) -> list[dict[str, Any]]:
    return evaluate_all(case.tickets, case.events, case.policies, case.calendars, case.as_of)


def _batch(case: Case) -> list[dict[str, Any]]:
    tickets, events = frames(case.tickets, case.events)
    return evaluate(tickets, events, case.policies, case.calendars, case.as_of).to_dicts()


def _differences(case: Case, engine: str, rows: list[dict[str, Any]]) -> Iterable[Mismatch]:
    current = {(str(row["ticket"]), row["clock"]): row for row in rows if row["is_current"]}
    for ticket, clocks in case.expected.items():
        for clock, fields in clocks.items():
            row = current.get((str(ticket), clock), {})
            for field, value in fields.items():
                wanted = _instant(value) if isinstance(value, str) and field.endswith(("_at", "_start")) else value
                if field not in row or row[field] != wanted:
                    yield Mismatch(case.name, engine, ticket, clock, field, value, _text(row.get(field)))


def _text(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _frame(rows: Iterable[Mapping[str, Any]], schema: dict[str, Any], key: str) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for row in rows:
        for name, values in columns.items():
            values.append(row.get(name))
    own = {name: pl.Series(columns[name], strict=False) for name in (key, "id") if name in columns}
    return pl.DataFrame(columns | own, schema_overrides={n: t for n, t in schema.items() if n not in own}, strict=False)
