"""The ledger adds up to the row, and says why."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.clocks.explain import Ledger, explain
from sla.policy.calendar_files import parse_all
from sla.policy.parser import parse
from tests.generative.backlogs import CALENDARS as ODD
from tests.generative.backlogs import Backlog, backlogs
from tests.sla.timelines import CALENDARS, at, story

READY = parse_all(ODD)


RELAXED = settings(suppress_health_check=list(HealthCheck))


def told(backlog: Backlog) -> Iterator[tuple[Ledger, dict[str, Any]]]:
    """Every ledger of a backlog, with the row that the batch engine has for it."""
    policies = parse(backlog.policies)
    frame = batch.evaluate(*frames(backlog.tickets, backlog.events), policies, READY, backlog.as_of)
    rows = {(row["ticket"], row["clock"], row["window"]): row for row in frame.to_dicts() if row["target"] is not None}
    for ticket in backlog.tickets:
        events = [event for event in backlog.events if event["ticket"] == ticket["id"]]
        for ledger in explain(ticket, events, policies, READY, backlog.as_of):
            yield ledger, rows.pop((ticket["id"], ledger.clock.value, ledger.window))
    assert not rows


@RELAXED
@given(backlogs())
def test_ledger_adds_up_to_the_batch_row(backlog: Backlog) -> None:
    for ledger, row in told(backlog):
        assert (ledger.elapsed, ledger.paused) == (row["elapsed"], row["paused"])
        assert ledger.row == row
        assert ledger.sums()["remaining"] == row["remaining"]
        assert all(e.seconds == (e.end - e.start).total_seconds() > 0 for e in ledger.entries)
        assert all(a.end == b.start for a, b in pairwise(ledger.entries))


@RELAXED
@given(backlogs())
def test_counted_entries_reach_the_target_when_it_is_due(backlog: Backlog) -> None:
    for ledger, row in told(backlog):
        used_up, due = ledger.used_up_at, row["due_at"]
        if used_up is None:
            assert ledger.not_measured or row["elapsed"] < row["target"]
        elif ledger.promise.agreed_due_at is not None:
            assert used_up <= due == ledger.promise.agreed_due_at
        elif ledger.promise.terms.boundary == "close" or due == used_up:
            assert due == used_up or READY[row["calendar"]].never_opens
        elif due is not None:  # the next opening: nobody was at work in between
            assert READY[row["calendar"]].elapsed(used_up, due) == 0 < (due - used_up).total_seconds()


@RELAXED
@given(backlogs())
def test_days_joined_keep_every_second(backlog: Backlog) -> None:
    for ledger, _ in told(backlog):
        sums = {"counted": 0, "paused": 0, "stopped": 0, "out_of_hours": 0}
        for line in ledger.by_days():
            sums[line.kind] += line.seconds
        del sums["stopped"]
        whole = [ledger.elapsed, ledger.paused, ledger.out_of_hours]
        assert list(sums.values()) == [0 if seconds is None else seconds for seconds in whole]


def test_days_that_went_alike_are_one_line() -> None:
    policies = parse([{"name": "std", "calendar": "office", "first_response": None, "resolution": 200_000}])
    [ledger] = explain({"id": 1, "created_at": at("Thu 09:00")}, [], policies, CALENDARS, at("Wed+7 09:00"))
    assert [(line.when, line.hours, line.kind, line.length, line.days) for line in ledger.by_days()] == [
        ("Thu 2024-01-18 – Tue 2024-01-23", "09:00:00–17:00:00", "counted", "32:00:00", 4),
        ("Thu 2024-01-18 – Wed 2024-01-24", "", "out_of_hours", "112:00:00", 7),
    ]


def test_it_reads_like_a_story() -> None:
    policies = parse([{"name": "std", "calendar": "office", "first_response": None, "resolution": 14_400}])
    events = story("Fri 16:00 status waiting_customer\nMon+7 10:00 status open")
    ticket = {"id": 1, "created_at": at("Fri 15:00")}
    [ledger] = explain(ticket, events, policies, CALENDARS, at("Mon+7 11:00"))
    told = [(f"{e.local_start:%a}", e.kind, e.seconds, e.reason) for e in ledger.entries]
    assert told == [
        ("Fri", "counted", 3_600, "open, at work"),
        ("Fri", "paused", 3_600, "waiting_customer"),
        ("Fri", "out_of_hours", 7 * 3_600, "outside 09:00–17:00"),
        ("Sat", "out_of_hours", 86_400, "closed on Saturday"),
        ("Sun", "out_of_hours", 86_400, "closed on Sunday"),
        ("Mon", "out_of_hours", 9 * 3_600, "outside 09:00–17:00"),
        ("Mon", "paused", 3_600, "waiting_customer"),
        ("Mon", "counted", 3_600, "open, at work"),
    ]
    lines = [" ".join(line.split()) for line in ledger.lines()]
    assert lines[:2] == ["resolution, window 1: on_track", "calendar office (UTC), policy std"]
    assert lines[-7:-2] == [
        "target 14400 s = 4:00:00",
        "counted 7200 s = 2:00:00",
        "paused 7200 s = 2:00:00",
        "out of hours 230400 s = 64:00:00",
        "remaining 7200 s = 2:00:00",
    ]
    assert lines[-1] == "due at Mon 2024-01-22 13:00:00 UTC"
