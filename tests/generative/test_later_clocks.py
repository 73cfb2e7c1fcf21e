"""Clocks moved on to a later instant are the clocks evaluated there, by both engines, whatever the backlog."""

from datetime import timedelta

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla.check.check import frames
from sla.clocks.advance import advance
from sla.clocks.batch.evaluate import evaluate
from sla.clocks.evaluate import evaluate_all, whole_second, windows_of
from sla.contracts import TICKETS, UNKNOWN, Clock
from sla.policy.calendar_files import parse_all
from sla.policy.parser import parse
from tests.generative.backlogs import CALENDARS, Backlog, backlogs
from tests.generative.test_sla_engines import by_window

READY = parse_all(CALENDARS)
RELAXED = settings(suppress_health_check=list(HealthCheck))
LATER = st.one_of(st.integers(0, 3), st.integers(0, 40 * 96).map(lambda n: n * 900), st.integers(0, 20 * 86_400)).map(
    lambda seconds: timedelta(seconds=seconds)
)


def known_by(backlog: Backlog) -> Backlog:
    """The same without what comes after its instant."""
    now = whole_second(backlog.as_of)
    tickets = [
        one | {name: since for name in UNKNOWN.values() if (since := one.get(name)) and whole_second(since) <= now}
        for row in backlog.tickets
        if row["created_at"] is not None and whole_second(row["created_at"]) <= now
        for one in [{name: value for name, value in row.items() if name not in UNKNOWN.values()}]
    ]
    return backlog._replace(tickets=tickets, events=[e for e in backlog.events if e["ts"] and e["ts"] <= backlog.as_of])


@settings(RELAXED, max_examples=2 * RELAXED.max_examples)
@given(backlogs(), LATER)
def test_later_clocks_are_evaluated_clocks(backlog: Backlog, later: timedelta) -> None:
    since, policies = backlog.as_of, parse(backlog.policies)
    tickets, events, at = *known_by(backlog)[:2], since + later
    own = {one["id"]: [event for event in events if event["ticket"] == one["id"]] for one in tickets}
    ends = {
        one["id"]: windows[-1].at_end.due_at
        for one in reversed(tickets)
        if (windows := windows_of(Clock.RESOLUTION, one, own[one["id"]], policies, since))
    }
    backlog_frames = frames(tickets, events)
    earlier = evaluate(*backlog_frames, policies, READY, since)
    agreed = pl.Series([ends.get(key) for key in earlier["ticket"]], dtype=TICKETS["created_at"])
    moved = advance(earlier.with_columns(agreed_due_at=agreed), since=since, at=at, policies=policies, calendars=READY)
    rows = by_window(moved.drop("agreed_due_at").to_dicts())
    assert rows == by_window(evaluate_all(tickets, events, policies, READY, at))
    assert rows == by_window(evaluate(*backlog_frames, policies, READY, at).to_dicts())
