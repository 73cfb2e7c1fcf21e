"""Tickets that share a course are reckoned together: each gets the rows it would get alone."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sla.clocks.batch import evaluate as batch
from sla.clocks.evaluate import evaluate_all
from sla.policy.parser import parse
from tests.sla.timelines import CALENDARS, at

NOW = at("Fri 12:00")
KEY = ["ticket", "clock", "window"]
PAUSED = {"pause_states": ["waiting_customer"], "approved_pauses": True, "pause_reasons": ["vendor"]}
POLICIES: list[dict[str, Any]] = [
    {
        "priority": "high",
        "calendar": "office",
        "first_response": {"target": 900, "stop_states": ["on_hold"], "start_event": "accepted"},
        "resolution": {"target": 7_200, "reopen": "continue", "priority_change": "keep", **PAUSED},
    },
    {"calendar": "office", "first_response": 3_600, "resolution": {"target": 14_400, **PAUSED}, "next_response": 1_800},
]
STORIES = [
    [],
    [("response", None), ("status", "resolved")],
    [("status", "waiting_customer"), ("priority", "high"), ("status", "resolved"), ("status", "open")],
    [("pause", "vendor"), ("response", None), ("resume", None), ("priority", "low")],
    [("accepted", None), ("note", "x"), ("status", "on_hold"), ("status", "open"), ("response", None)],
    [("status", "waiting_customer"), ("status", "open"), ("priority", "high")],
    [("status", "waiting_customer"), ("status", "open")],
    [("status", "waiting_customer"), ("status", "open")] * 30 + [("status", "resolved")],
    [("status", "waiting_customer"), ("status", "open")] * 30 + [("status", "on_hold")],
]


def alike(tickets: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Many tickets, few stories; times, priorities and first statuses differ, some events come late or too early."""
    rng = np.random.default_rng(11)
    start = pl.lit(at("Mon 08:00"))
    rows = pl.DataFrame({"id": [f"desk:{n}" for n in range(tickets)], "s": rng.integers(0, 99_000, tickets)})
    rows = rows.with_columns(
        created_at=start + pl.duration(seconds="s"),
        priority=pl.Series(rng.choice(["high", "low"], tickets)),
        status=pl.Series(rng.choice(["new", "resolved"], tickets, p=[0.9, 0.1])),
    )
    told = [(f"desk:{n}", k, v) for n in range(tickets) for k, v in STORIES[n % len(STORIES)]]
    events = pl.DataFrame(told, schema=["ticket", "kind", "value"], orient="row")
    events = events.with_columns(s=pl.Series(rng.integers(-900, 450_000, len(events))))
    return rows, events.with_columns(ts=start + pl.duration(seconds=pl.col("s").sort().over("ticket")))


@pytest.mark.parametrize("policies", [POLICIES, POLICIES[1:]])
def test_tickets_alike_get_the_rows_of_the_plain_engine(policies: Any) -> None:
    tickets, events = alike(600)
    expected = evaluate_all(tickets.to_dicts(), events.to_dicts(), parse(policies), CALENDARS, NOW)
    found = batch.evaluate(tickets, events, policies, CALENDARS, NOW)
    assert_frame_equal(found.sort(KEY), pl.DataFrame(expected, schema=found.schema).sort(KEY))


def test_each_ticket_alone_gets_the_rows_it_gets_among_others(monkeypatch: pytest.MonkeyPatch) -> None:
    tickets, events = alike(3_000)
    together = batch.evaluate(tickets, events, POLICIES, CALENDARS, NOW)
    monkeypatch.setattr(batch, "trace_variants", lambda *_: None)
    assert_frame_equal(batch.evaluate(tickets, events, POLICIES, CALENDARS, NOW), together)


def test_few_courses_stand_for_many_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    real, sizes = batch.trace_variants, []

    def counting(*given: Any) -> Any:
        found = real(*given)
        sizes.append(None if found is None else len(found.example))
        return found

    monkeypatch.setattr(batch, "trace_variants", counting)
    tickets, events = alike(3_000)
    few = events.filter(pl.col("kind") == "response").unique("ticket", maintain_order=True)
    batch.evaluate(tickets, few, POLICIES[1:], CALENDARS, NOW)
    assert sizes == [4]  # with and without a response, born new or resolved


@pytest.mark.parametrize("raised", [range(20), range(19), range(1)])
def test_a_change_after_all_else_counts_for_the_ticket_it_was_made_to(raised: range) -> None:
    created = pl.repeat(at("Mon 09:00"), 20, eager=True)
    tickets = pl.DataFrame({"id": range(20), "created_at": created, "priority": "low"})
    seen = pl.DataFrame({"ticket": range(20), "kind": "status", "value": "open"})
    later = pl.DataFrame({"ticket": list(raised), "kind": "priority", "value": "high"})
    events = pl.concat([seen, later]).with_columns(ts=pl.lit(at("Mon 10:00"))).sort("ticket", maintain_order=True)
    found = batch.evaluate(tickets, events, POLICIES, CALENDARS, NOW)
    targets = found.filter(pl.col("clock") == "resolution").sort("ticket")["target"]
    assert targets.to_list() == [7_200 if n in raised else 14_400 for n in range(20)]
