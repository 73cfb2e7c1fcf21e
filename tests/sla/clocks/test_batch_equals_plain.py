"""A whole backlog by columns gives each ticket the rows that it gets read alone, whatever its ids and events."""

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from sla.check.check import frames
from sla.clocks.batch.evaluate import evaluate
from sla.clocks.evaluate import evaluate_all
from sla.contracts import CLOCKS, UNKNOWN, UTC_INSTANT
from sla.policy.parser import parse
from tests.generative.test_sla_engines import READY
from tests.sla import timelines
from tests.sla.timelines import at

POLICIES = [{"calendar": "office", "first_response": 3_600, "resolution": 14_400}]
NOW = at("Wed 12:00")
KEY = ["ticket", "clock", "window"]


def both(tickets: Any, events: Any, policies: Any = POLICIES, calendars: Any = timelines.CALENDARS) -> None:
    expected = evaluate_all(tickets.to_dicts(), events.to_dicts(), parse(policies), READY | calendars, NOW)
    found = evaluate(tickets, events, policies, READY | calendars, NOW)
    assert_frame_equal(found.sort(KEY), pl.DataFrame(expected, schema=found.schema).sort(KEY))


@pytest.mark.parametrize("spell", ["desk:{}", "{}", "{}000000007"])
@pytest.mark.parametrize("delivered", ["by ticket", "shuffled"])
def test_same_rows_for_any_ids_in_any_order(spell: str, delivered: str) -> None:
    rng = np.random.default_rng(5)
    size = 500
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


@pytest.mark.parametrize("column", ["seq", "id"])
def test_seq_and_repeated_ids_count(column: str) -> None:
    events = [
        {"ticket": 1, "ts": at("Mon 10:00"), "kind": "status", "value": value, column: number}
        for value, number in (("resolved", 2), ("open", 1), ("waiting_customer", 2), ("open", None))
    ]
    both(*frames([{"id": 1, "created_at": at("Mon 09:00")}], events))


@pytest.mark.parametrize("target", [0, 1, 90 * 86_400, 40 * 366 * 86_400])
@pytest.mark.parametrize("boundary", ["close", "next_open"])
@pytest.mark.parametrize("calendar", sorted(READY))
def test_deadlines_beyond_the_year_ahead(target: int, boundary: str, calendar: str) -> None:
    policies = [{"calendar": calendar, "resolution": {"target": target, "boundary": boundary}}]
    tickets = [{"id": n, "created_at": at("Mon 08:00") + timedelta(minutes=45 * n)} for n in range(60)]
    rows, events = frames(tickets, [])
    both(rows, events, policies, READY)


def test_an_empty_backlog_has_the_published_columns() -> None:
    tickets, events = frames([], [])
    tickets = tickets.with_columns(pl.col("id").cast(pl.String))
    found = evaluate(tickets, events, POLICIES, timelines.CALENDARS, NOW)
    assert (len(found), found.schema) == (0, CLOCKS)


LIVELY = [
    {
        "name": "net",
        "team": "net",
        "calendar": "office",
        "first_response": 3_600,
        "resolution": {"target": 14_400, "reopen": "continue", "at_deadline": "breached"},
        "next_response": 7_200,
        "next_reply": {"target": 3_600, "start_event": "accepted"},
    },
    {
        "name": "phone",
        "channel": "phone",
        "calendar": "long",
        "resolution": {"target": 7_200, "priority_change": "keep", "boundary": "next_open"},
        "next_reply": {"target": 1_800, "pause_states": ["waiting_customer"]},
    },
    {"name": "low", "priority": "low", "first_response": 600},
    {"name": "rest", "priority": ["high"], "calendar": "night", "first_response": 3_600, "resolution": 28_800},
]
WHAT = {
    "status": ["open", "waiting_customer", "resolved", "closed", "on_hold"],
    "response": [None],
    "customer_message": [None],
    "team": ["net", "mail", "", None],
    "channel": ["phone", "web", None],
    "priority": ["low", "high"],
    "accepted": [None],
    "due": ["2024-01-16T15:00:00Z", "2024-01-17T09:00:00+01:00", "2024-01-20T12:00:00Z", "soon", "", None],
}


def lively(size: int, seed: int, *, alike: bool) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tickets that are asked, answered, moved, solved and promised an end, on whole hours so that much happens at once;
    `alike` ones have few stories, and are reckoned together."""
    rng = np.random.default_rng(seed)

    def hours(many: int) -> list[Any]:
        return [at("Mon 08:00") + timedelta(hours=int(h)) for h in rng.integers(0, 60, many)]

    def pick(words: list[Any], many: int) -> list[Any]:
        return [words[n] for n in rng.integers(0, len(words), many)]

    tickets: dict[str, Any] = {"id": list(range(size)), "created_at": hours(size)}
    tickets |= {"priority": pick(["low", "high"], size), "team": pick(["net", "mail", None], size)}
    tickets |= {"channel": pick(["phone", "web"], size), "status": pick(["open", "open", "open", "resolved"], size)}
    for name in dict.fromkeys(UNKNOWN.values()):
        tickets[name] = [
            moment if n == 0 else None for moment, n in zip(hours(size), rng.integers(0, 4, size), strict=True)
        ]
    stories = [[(kind, pick(WHAT[kind], 1)[0]) for kind in pick([*WHAT, "status", "response", "customer_message"], 9)]
               for _ in range(12 if alike else size)]  # fmt: skip
    told = [(n, kind, value) for n in range(size) for kind, value in stories[n % len(stories)]]
    events = pl.DataFrame(told, schema=["ticket", "kind", "value"], orient="row")
    ts = pl.col("ts").sort().over("ticket") if alike else pl.col("ts")
    events = events.with_columns(ts=pl.Series(hours(len(told)))).with_columns(ts)
    return pl.DataFrame(tickets, schema_overrides=dict.fromkeys(UNKNOWN.values(), UTC_INSTANT)), events


@pytest.mark.parametrize("alike", [True, False])
def test_asked_answered_moved_promised_and_untold_tickets(alike: bool) -> None:
    tickets, events = lively(1_500, 4, alike=alike)
    both(tickets, events, LIVELY)
    rows = evaluate(tickets, events, LIVELY, READY | timelines.CALENDARS, NOW)
    seen = rows.group_by("clock", "state").len().filter(pl.col("len") >= 20)
    assert {"not_measured", "met", "breached"} <= set(seen.filter(pl.col("clock") == "next_reply")["state"])
    ends = rows.filter((pl.col("clock") == "resolution") & (pl.col("due_at") == at("Sat 12:00")))
    assert {"met", "on_track"} <= set(ends["state"])
