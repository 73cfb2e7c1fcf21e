"""Do both engines say what a worked case says? Runs case files and names every field that differs."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from engine.errors import BadInput
from sla.batch import evaluate
from sla.calendar_files import parse_all
from sla.calendars import Calendar
from sla.contracts import EVENTS, TICKETS
from sla.evaluate import evaluate_all
from sla.policies import parse
from sla.promises import Policies

_REQUIRED = ("name", "calendars", "policies", "tickets", "as_of", "expected")


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
    """The cases of one JSON file. Raises BadInput with file, case and key."""
    file = Path(path)
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file}: can't be read as JSON: {' '.join(str(error).split())}") from error
    if not isinstance(content, list):
        raise BadInput(f"{file}: expected a list of cases, got {type(content).__name__}")
    return [_case(case, f"{file}: case {i + 1}") for i, case in enumerate(content)]


def frames(tickets: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> tuple[pl.DataFrame, ...]:
    """Tickets and events as the batch engine reads them; ids keep their type."""
    return _frame(tickets, dict(TICKETS), "id"), _frame(events, dict(EVENTS), "ticket")


def _case(content: Any, where: str) -> Case:
    if not isinstance(content, Mapping):
        raise BadInput(f"{where}: expected a mapping, got {content!r}")
    if missing := [key for key in _REQUIRED if key not in content]:
        raise BadInput(f"{where}: {missing[0]} is missing")
    where = f"{where} ({content['name']})"
    try:
        tickets = [{**t, "created_at": _instant(t.get("created_at"))} for t in content["tickets"]]
        events = [{**e, "ts": _instant(e.get("ts"))} for e in content.get("events", [])]
        as_of = _instant(content["as_of"])
        policies, calendars = parse(content["policies"]), parse_all(content["calendars"])
    except (BadInput, TypeError, AttributeError, ValueError) as error:
        raise BadInput(f"{where}: {error}") from error
    if as_of is None:
        raise BadInput(f"{where}: as_of is missing")
    expected = content["expected"]
    if set(expected) <= {"first_response", "resolution", "next_response"}:
        expected = {tickets[0]["id"]: expected}
    return Case(str(content["name"]), tickets, events, policies, calendars, as_of, expected)


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
