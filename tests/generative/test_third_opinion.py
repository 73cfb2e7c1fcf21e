"""SQL that shares no code with the room comes to the same numbers."""

from hypothesis import HealthCheck, given, settings

from sla.check.check import frames
from sla.clocks.batch import evaluate as batch
from sla.policy.calendar_files import parse_all
from tests.generative.backlogs import CALENDARS, STARTS, Backlog, backlogs
from tests.generative.duck_opinion import HORIZON, opinion

READY = parse_all(CALENDARS)
FIELDS = ("ticket", "clock", "window", "target", "elapsed", "paused", "state")


@settings(suppress_health_check=list(HealthCheck))
@given(backlogs(plain=True))
def test_duckdb_comes_to_the_same_numbers(backlog: Backlog) -> None:
    born = [t["created_at"] for t in backlog.tickets if t["created_at"]]
    start = max(s for s in STARTS if s <= min([*born, backlog.as_of]))
    horizon = start + HORIZON
    tickets, events = frames(backlog.tickets, backlog.events)
    rows = batch.evaluate(tickets, events, backlog.policies, READY, backlog.as_of).to_dicts()
    mine = {
        tuple(row[f] for f in FIELDS): row["due_at"] if row["due_at"] and row["due_at"] <= horizon else None
        for row in rows
        if row["target"] is not None and row["clock"] in ("first_response", "resolution")
    }
    theirs = {tuple(row[f] for f in FIELDS): row["due_at"] for row in opinion(backlog, start)}
    assert mine == theirs
