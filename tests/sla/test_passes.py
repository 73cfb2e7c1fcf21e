"""What a pass looks at again, and what it leaves alone."""

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from engine.errors import BadInput
from sla import batch
from sla.check import frames
from sla.passes import Pass, advance, fingerprint
from tests.sla.timelines import CALENDARS, at

POLICIES: list[dict[str, Any]] = [
    {"priority": "low", "calendar": "office"},
    {"type": "request", "calendar": "office", "resolution": {"target": 14_400, "start_event": "accepted"}},
    {"calendar": "office", "first_response": 3_600, "resolution": 14_400},
]
NOW = at("Tue 12:00")
TICKETS: list[dict[str, Any]] = [
    {"id": "open", "created_at": at("Tue 09:00")},
    {"id": "done", "created_at": at("Tue 09:00")},
    {"id": "no target", "created_at": at("Tue 09:00"), "priority": "low"},
    {"id": "not accepted", "created_at": at("Tue 09:00"), "type": "request"},
    {"id": "not created", "created_at": at("Tue 14:00")},
    {"id": "reopens", "created_at": at("Tue 09:00")},
    {"id": "undated", "created_at": None},
]
EVENTS: list[dict[str, Any]] = [
    {"ticket": "not accepted", "ts": at("Tue 10:00"), "kind": "response", "value": None},
    {"ticket": "done", "ts": at("Tue 11:00"), "kind": "status", "value": "resolved"},
    {"ticket": "reopens", "ts": at("Tue 11:00"), "kind": "status", "value": "resolved"},
    {"ticket": "reopens", "ts": at("Tue 15:00"), "kind": "status", "value": "open"},
    {"ticket": "reopens", "ts": at("Tue 18:00"), "kind": "status", "value": "closed"},
]
BOTH = frames(TICKETS, EVENTS)
MARK = fingerprint(POLICIES, CALENDARS)


def first(both: tuple[Any, ...] = BOTH) -> Pass:
    return advance(None, both[0], both[1], POLICIES, CALENDARS, as_of=NOW)


def follow(last: Pass | None, both: tuple[Any, ...], when: str, policies: Any = POLICIES, **told: Any) -> Pass:
    return advance(last, both[0], both[1], policies, CALENDARS, as_of=at(when), **told)


def whole(both: tuple[Any, ...], when: str, policies: Any = POLICIES) -> list[dict[str, Any]]:
    return rows(batch.evaluate(both[0], both[1], policies, CALENDARS, at(when)))


def needed(when: str, **told: Any) -> set[str]:
    ids = first().needs(at(when), MARK, **told)
    assert ids is not None
    return set(ids)


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return frame.sort("ticket", "clock", "window").to_dicts()


@pytest.mark.parametrize(
    ("when", "ids"),
    [
        ("Tue 12:01", {"open"}),
        ("Tue 13:59:59", {"open"}),
        ("Tue 14:00", {"open", "not created"}),
        ("Tue 15:00", {"open", "not created", "reopens"}),
    ],
)
def test_only_what_time_can_change_is_needed(when: str, ids: set[str]) -> None:
    assert needed(when) == ids


def test_what_changed_is_needed() -> None:
    assert needed("Tue 12:01", changed=["done"]) == {"open", "done"}
    assert needed("Tue 12:01", changed=pl.Series(["new"])) == {"open", "new"}


def test_other_promises_or_an_earlier_instant_need_everything() -> None:
    other = fingerprint(POLICIES[2:], CALENDARS)
    assert first().needs(at("Tue 12:01"), other) is None
    assert first().needs(at("Tue 11:59"), MARK) is None
    assert first((BOTH[0].clear(), BOTH[1])).needs(at("Tue 12:01"), MARK) is None


@pytest.mark.parametrize(("policies", "when"), [(POLICIES[2:], "Tue 12:01"), (POLICIES, "Mon 12:00")])
def test_then_everything_is_evaluated(policies: Any, when: str) -> None:
    assert rows(follow(first(), BOTH, when, policies).clocks) == whole(BOTH, when, policies)


def test_late_event_wakes_a_ticket_at_rest() -> None:
    late = {"ticket": "done", "ts": at("Tue 11:30"), "kind": "status", "value": "open"}
    both = frames(TICKETS, [*EVENTS, late])
    found = follow(first(), both, "Tue 12:01", changed=["done"])
    assert "done" in found.running["ticket"]
    assert rows(found.clocks) == whole(both, "Tue 12:01")


def test_what_is_still_ahead_is_remembered_from_pass_to_pass() -> None:
    between = follow(first(), BOTH, "Tue 12:01")
    assert rows(follow(between, BOTH, "Tue 15:00").clocks) == whole(BOTH, "Tue 15:00")


def test_what_came_true_and_rests_is_left_alone() -> None:
    closing = {"ticket": "reopens", "ts": at("Tue 15:30"), "kind": "status", "value": "closed"}
    last = follow(first(frames(TICKETS, [*EVENTS, closing])), frames(TICKETS, [*EVENTS, closing]), "Tue 15:30")
    ids = last.needs(at("Tue 15:31"), MARK)
    assert ids is not None
    assert set(ids) == {"open", "not created"}


def test_rows_at_rest_are_not_looked_at_again() -> None:
    last = first()
    found = follow(last, (BOTH[0].clear(), BOTH[1].clear()), "Tue 12:01")
    assert rows(found.at_rest) == rows(last.at_rest)
    assert len(found.running) == 0


def test_a_day_of_minutes_stays_in_few_pieces() -> None:
    """A ticket comes to rest every few minutes: its rows are one piece more."""
    tickets = [{"id": n, "created_at": at("Tue 09:00")} for n in range(200)]
    events = [
        {"ticket": n, "ts": at("Tue 09:00") + timedelta(minutes=n), "kind": "status", "value": "closed"}
        for n in range(200)
    ]
    both = frames(tickets, events)
    last = follow(None, both, "Tue 09:00")
    for n in range(2, 200, 2):
        last = follow(last, both, f"Tue {9 + n // 60}:{n % 60}")
    assert last.at_rest.n_chunks() < 70
    assert rows(last.clocks) == whole(both, "Tue 12:18")


@pytest.mark.parametrize(
    "change",
    [
        lambda t, e: (t.lazy(), e.lazy()),
        lambda t, e: (t.with_columns(pl.col("created_at").dt.replace_time_zone(None)), e),
        lambda t, e: (t, e.with_columns(pl.col("ts").dt.cast_time_unit("ns"), ticket=pl.col("ticket").cast(str))),
        lambda t, e: (t.with_columns(pl.col("id").cast(pl.Categorical)), e),
        lambda t, e: (t, e.with_columns(pl.col("ticket").cast(pl.Categorical))),
        lambda t, e: (t, e.clear().with_columns(ts=pl.lit(None))),
    ],
)
def test_any_shape_that_can_be_evaluated_can_be_followed(change: Callable[..., Any]) -> None:
    both = change(*BOTH)
    assert rows(follow(first(both), both, "Tue 16:00").clocks) == whole(both, "Tue 16:00")


@pytest.mark.parametrize(("side", "column"), [(0, "id"), (0, "created_at"), (1, "ticket"), (1, "ts")])
def test_a_missing_column_is_refused(side: int, column: str) -> None:
    short = BOTH[side].drop(column)
    with pytest.raises(BadInput, match=f"the column '{column}' is missing"):
        follow(first(), (BOTH[0], short) if side else (short, BOTH[1]), "Tue 12:01")


def test_fingerprint_is_the_same_in_every_process() -> None:
    program = "from sla.passes import fingerprint; from tests.sla.test_passes import *; print(MARK)"
    for seed in ("1", "2"):
        said = subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        )
        assert said.stdout.strip() == MARK


def test_fingerprint_tells_what_promises_say() -> None:
    office, long = CALENDARS["office"], CALENDARS["long"]
    assert fingerprint(POLICIES, {"office": office, "long": office}) != MARK
    assert fingerprint(POLICIES[::-1], CALENDARS) != MARK
    assert fingerprint(POLICIES, {"long": long, "office": office}) == MARK
    office.elapsed(at("Tue 09:00"), at("Tue 10:00"))
    assert fingerprint(POLICIES, CALENDARS) == MARK
