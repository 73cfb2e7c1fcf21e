"""The fast engine says what the plain one says, on every field, whatever the backlog."""

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.evaluate import evaluate_all
from sla.contracts import CLOCKS
from sla.policy.calendar_files import parse_all
from sla.policy.parser import parse
from tests.generative.backlogs import CALENDARS, Backlog, backlogs

READY = parse_all(CALENDARS)
RELAXED = settings(suppress_health_check=list(HealthCheck))


def by_window(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return sorted(rows, key=lambda row: (str(row["ticket"]), str(row["clock"]), row["window"]))


@pytest.mark.slow
@settings(RELAXED, max_examples=2 * RELAXED.max_examples)
@given(backlogs())
def test_batch_equals_reference(backlog: Backlog) -> None:
    policies = parse(backlog.policies)
    expected = evaluate_all(backlog.tickets, backlog.events, policies, READY, backlog.as_of)
    tickets, events = frames(backlog.tickets, backlog.events)
    found = batch.evaluate(tickets, events, policies, READY, backlog.as_of)
    assert by_window(found.to_dicts()) == by_window(expected)
    assert {n: t for n, t in found.schema.items() if n != "ticket"} == {
        n: t for n, t in CLOCKS.items() if n != "ticket"
    }
    assert list(found.columns) == list(CLOCKS)
    assert found["ticket"].dtype == tickets["id"].dtype


@RELAXED
@given(backlogs())
def test_elapsed_and_paused_fill_the_window(backlog: Backlog) -> None:
    tickets, events = frames(backlog.tickets, backlog.events)
    rows = batch.evaluate(tickets, events, backlog.policies, READY, backlog.as_of).filter(
        pl.col("elapsed").is_not_null()
    )
    for row in rows.to_dicts():
        calendar = READY[row["calendar"]]
        end = row["stopped_at"] or backlog.as_of.replace(microsecond=0)
        whole = calendar.elapsed(row["window_start"], end)
        assert row["elapsed"] + row["paused"] in (
            (whole,) if "continue" not in str(backlog.policies) else range(whole + 1)
        )
        assert row["elapsed"] + row["remaining"] == row["target"]
