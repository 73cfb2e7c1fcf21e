"""Do both engines say what a worked case says? Runs case files and names every field that differs."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from engine.shared.policy_file import shortened, shown
from sla.check.cases import Case, load_cases
from sla.clocks.batch.evaluate import evaluate
from sla.clocks.evaluate import evaluate_all
from sla.contracts import EVENTS, TICKETS


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
        where = f"{shortened(self.case)}: {self.engine}, ticket {shortened(self.ticket)}, {self.clock}.{self.field}"
        return f"{where}: expected {shown(_plain(self.expected))}, got {shown(_plain(self.got))}"


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


def check_cases(paths: Iterable[str | Path]) -> Report:
    """Run every case of the files through both engines. Raises BadInput for a file that is no list of cases."""
    passed, found = 0, []
    cases = [case for path in paths for case in load_cases(path)]
    for case in cases:
        mismatches = [*_differences(case, "reference", _reference(case)), *_differences(case, "batch", _batch(case))]
        passed += not mismatches
        found += mismatches
    return Report(passed, len(cases) - passed, tuple(found))


def frames(tickets: Iterable[Mapping[str, Any]], events: Iterable[Mapping[str, Any]]) -> tuple[pl.DataFrame, ...]:
    """Tickets and events as the batch engine reads them; ids keep their type."""
    return _frame(tickets, dict(TICKETS), "id"), _frame(events, dict(EVENTS), "ticket")


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
            for field, wanted in fields.items():
                if field not in row or row[field] != wanted:
                    yield Mismatch(case.name, engine, ticket, clock, field, wanted, row.get(field))


def _plain(value: Any) -> Any:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def _frame(rows: Iterable[Mapping[str, Any]], schema: dict[str, Any], key: str) -> pl.DataFrame:
    columns: dict[str, list[Any]] = {name: [] for name in schema}
    for row in rows:
        for name, values in columns.items():
            values.append(row.get(name))
    own = {name: pl.Series(columns[name], strict=False) for name in (key, "id") if name in columns}
    return pl.DataFrame(columns | own, schema_overrides={n: t for n, t in schema.items() if n not in own}, strict=False)
