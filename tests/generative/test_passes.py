"""However events arrive, pass after pass says what an evaluation of everything says."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sla import batch
from sla.check import frames
from sla.passes import Pass, advance, fingerprint
from sla.policies import parse
from tests.generative.backlogs import Backlog, backlogs
from tests.generative.test_sla_engines import READY, by_window

RELAXED = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
STEPS = (-900, 0, 1, 60, 900, 3_600, 86_400, 200_000, 1_000_000)


class Look(NamedTuple):
    """A pass: what is known by then, which tickets are told to have changed, and whether only the needed is read."""

    as_of: datetime
    tickets: list[dict[str, Any]]
    events: list[dict[str, Any]]
    changed: set[Any]
    policies: Any
    reads_all: bool


@st.composite
def looks(draw: st.DrawFn) -> list[Look]:
    """Four passes over a backlog whose tickets and events come in between, some long after they happened."""
    backlog: Backlog = draw(backlogs())
    other = draw(backlogs()).policies if draw(st.integers(0, 5)) == 0 else backlog.policies
    arrival = st.sampled_from((0, 0, 0, 1, 2, 3))
    came = [draw(arrival) for _ in backlog.events]
    born = {ticket["id"]: draw(arrival) for ticket in backlog.tickets}
    gone = draw(st.sampled_from((None, None, backlog.tickets[0]["id"])))
    as_of, made = backlog.as_of - timedelta(days=draw(st.integers(0, 9))), []
    for turn in range(4):
        tickets = [t for t in backlog.tickets if born[t["id"]] <= turn and not (turn == 3 and t["id"] == gone)]
        events = [event for event, arrived in zip(backlog.events, came, strict=True) if arrived <= turn]
        new = {event["ticket"] for event, arrived in zip(backlog.events, came, strict=True) if arrived == turn}
        changed = new | {key for key, at in born.items() if at == turn} | ({gone} if turn == 3 and gone else set())
        policies = backlog.policies if turn < 2 else other
        made.append(Look(as_of, tickets, events, changed, parse(policies), draw(st.booleans())))
        as_of += timedelta(seconds=draw(st.sampled_from(STEPS)), milliseconds=draw(st.sampled_from((0, 0, 400))))
    return made


@RELAXED
@given(looks())
def test_passes_equal_the_whole(made: list[Look]) -> None:
    follow(made)


@pytest.mark.slow
@settings(RELAXED, max_examples=60)
@given(looks())
def test_passes_equal_the_whole_at_length(made: list[Look]) -> None:
    follow(made)


def follow(made: list[Look]) -> None:
    last: Pass | None = None
    for look in made:
        tickets, events = frames(look.tickets, look.events)
        mark = fingerprint(look.policies, READY)
        needed = last.needs(look.as_of, mark, changed=look.changed) if last else None
        few, theirs = (tickets, events) if needed is None or look.reads_all else part(tickets, events, needed)
        last = advance(last, few, theirs, look.policies, READY, as_of=look.as_of, changed=look.changed)
        expected = batch.evaluate(tickets, events, look.policies, READY, look.as_of)
        assert by_window(last.clocks.to_dicts()) == by_window(expected.to_dicts())
        assert list(last.clocks.columns) == list(expected.columns)


def part(tickets: pl.DataFrame, events: pl.DataFrame, ids: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    return tickets.filter(pl.col("id").is_in(ids.to_list())), events.filter(pl.col("ticket").is_in(ids.to_list()))
