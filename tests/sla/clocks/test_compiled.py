"""Clocks in machine code: the same answers, for large backlogs, where a compiler is installed."""

import subprocess
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

from sla.check import check
from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.delivery import in_order
from sla.contracts import CLOCKS
from tests.generative.backlogs import CALENDARS, Backlog, backlogs
from tests.generative.test_sla_engines import READY, RELAXED
from tests.sla import timelines
from tests.sla.timelines import at

pytest.importorskip("numba", reason="the extra `compiled` is not installed")

WORKED = Path(__file__).resolve().parents[4] / "shared" / "sla" / "edge_cases.json"
POLICIES = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
NOW = at("Wed 12:00")
KEY = ["ticket", "clock", "window"]


def both(
    tickets: Any, events: Any, policies: Any = POLICIES, calendars: Any = timelines.CALENDARS, as_of: Any = NOW
) -> None:
    plain = batch.evaluate(tickets, events, policies, calendars, as_of, kernel="numpy")
    found = batch.evaluate(tickets, events, policies, calendars, as_of, kernel="compiled")
    assert_frame_equal(found.sort(KEY), plain.sort(KEY))


@RELAXED
@given(backlogs())
def test_compiled_equals_numpy(backlog: Backlog) -> None:
    tickets, events = frames(backlog.tickets, backlog.events)
    both(tickets, events, backlog.policies, READY, backlog.as_of)


@pytest.mark.parametrize("spell", ["desk:{}", "{}", "{}000000007"])
@pytest.mark.parametrize("delivered", ["by ticket", "shuffled"])
def test_same_rows_for_any_ids_in_any_order(spell: str, delivered: str) -> None:
    rng = np.random.default_rng(5)
    size = 2_000
    number = np.sort(rng.integers(-3, size + 3, 9 * size))
    dtype = pl.String if ":" in spell else pl.Int64
    start = pl.lit(at("Mon 08:00"))
    tickets = pl.DataFrame({"n": np.arange(size), "s": rng.integers(0, 90_000, size)}).select(
        id=pl.format(spell, "n").cast(dtype), created_at=start + pl.duration(seconds="s")
    )
    words = rng.choice(["open", "waiting_customer", "resolved", "unheard of"], len(number))
    events = pl.DataFrame({"n": number, "s": rng.integers(0, 200_000, len(number)), "value": words}).select(
        ticket=pl.format(spell, "n").cast(dtype),
        ts=start + pl.duration(seconds="s"),
        kind=pl.lit("status"),
        value="value",
    )
    both(tickets, events if delivered == "by ticket" else events.sample(fraction=1, shuffle=True, seed=1))


@pytest.mark.parametrize("tickets", [1, 2, 5])
def test_tickets_born_resolved_and_reopened_by_their_only_event(tickets: int) -> None:
    born = [{"id": n, "created_at": at("Mon 09:00"), "status": "resolved"} for n in range(tickets)]
    events = [{"ticket": n, "ts": at("Mon 10:00"), "kind": "status", "value": "open"} for n in range(tickets)]
    both(*frames(born, events))


def test_a_ticket_with_thousands_of_events_in_any_order() -> None:
    times = [at("Mon 09:00") + timedelta(seconds=(n * 7_919) % 90_001) for n in range(6_000)]
    words = ["waiting_customer" if n % 3 else "open" for n in range(6_000)]
    events = pl.DataFrame({"ticket": 1, "ts": times, "kind": "status", "value": words})
    both(pl.DataFrame({"id": [1], "created_at": [at("Mon 09:00")]}), events)


def test_events_come_into_order_as_numpy_puts_them() -> None:
    from sla.clocks.batch.compiled import kernel as compiled

    rng = np.random.default_rng(3)
    owner, seconds = rng.integers(0, 20, 3_000).astype(np.int32), rng.integers(-9, 99, 3_000)
    events = seconds << compiled.SHIFT | np.arange(3_000)
    first, found = np.zeros(21, np.int64), np.empty_like(events)
    compiled.count(owner, first)
    compiled.arrange(owner, events, first, first.copy(), found)
    assert found.tolist() == events[in_order(owner, seconds, None)].tolist()


@pytest.mark.parametrize("column", ["seq", "id"])
def test_seq_and_repeated_ids_count(column: str) -> None:
    events = [
        {"ticket": 1, "ts": at("Mon 10:00"), "kind": "status", "value": value, column: number}
        for value, number in (("resolved", 2), ("open", 1), ("waiting_customer", 2), ("open", None))
    ]
    both(*frames([{"id": 1, "created_at": at("Mon 09:00")}], events))


@pytest.mark.parametrize("target", [0, 1, 90 * 86_400, 40 * 366 * 86_400])
@pytest.mark.parametrize("boundary", ["close", "next_open"])
@pytest.mark.parametrize("calendar", sorted(CALENDARS))
def test_deadlines_beyond_the_year_ahead(target: int, boundary: str, calendar: str) -> None:
    policies = [{"calendar": calendar, "resolution": {"target": target, "boundary": boundary}}]
    tickets = [{"id": n, "created_at": at("Mon 08:00") + timedelta(minutes=45 * n)} for n in range(60)]
    rows, events = frames(tickets, [])
    both(rows, events, policies, CALENDARS)


def test_an_empty_backlog_has_the_published_columns() -> None:
    tickets, events = frames([], [])
    tickets = tickets.with_columns(pl.col("id").cast(pl.String))
    found = batch.evaluate(tickets, events, POLICIES, timelines.CALENDARS, at("Wed 12:00"), kernel="compiled")
    assert (len(found), found.schema) == (0, CLOCKS)


def test_too_many_combinations_are_left_to_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    from sla.clocks.batch.compiled import frames as compiled_frames

    many = [{"team": f"t{n}", "channel": f"c{n}", "calendar": "office", "resolution": 60 * n} for n in range(1, 300)]
    tickets = [{"id": n, "created_at": at("Mon 08:00"), "team": f"t{n}", "channel": f"c{n}"} for n in range(400)]
    monkeypatch.delattr(compiled_frames, "clock_rows")  # reaching for it would fail
    rows, events = frames(tickets, [])
    both(rows, events, many)


ONE_TICKET = """
import sys
import polars as pl
from datetime import UTC, datetime
from sla.clocks.batch import evaluate as batch
from sla.check import check
created = datetime(2024, 1, 1, tzinfo=UTC)
tickets = pl.DataFrame({"id": [1], "created_at": [created]})
events = pl.DataFrame({"ticket": [1], "ts": [created], "kind": ["response"]})
def rows(kernel):
    return len(batch.evaluate(tickets, events, [{"resolution": 60}], {}, created, kernel=kernel))
"""


def printed(code: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", ONE_TICKET + code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_numba_is_left_alone_until_a_large_backlog_comes() -> None:
    assert printed("print(rows('auto'), 'numba' in sys.modules)") == ["2", "False"]


def test_auto_does_without_numba_where_it_is_missing() -> None:
    missing = "sys.modules['numba'] = None; batch._MANY = 1; print(rows('auto'))\n"
    asked = "try: rows('compiled')\nexcept batch.BadInput as error: print(error)"
    assert printed(missing + asked)[:4] == ["2", "kernel:", "'compiled'", "needs"]


@pytest.mark.skipif(not WORKED.exists(), reason="the 82 worked cases are not beside the project")
@pytest.mark.parametrize("kernel", ["numpy", "compiled"])
def test_all_worked_cases_pass(kernel: batch.Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "evaluate", partial(batch.evaluate, kernel=kernel))
    assert check.check_cases([WORKED]).lines() == ["82 passed, 0 failed"]
