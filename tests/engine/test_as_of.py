"""A ticket as of an instant is what it was then, whatever was done to it later."""

from datetime import timedelta
from typing import Any

import polars as pl
from hypothesis import given

from engine import lifecycle
from engine.contracts import AllocationDecision, AssignmentGroup, Delivery, Event, Kind, Outcome, Ticket
from engine.standings import standings, tickets_as_of
from tests.engine.people import MONDAY, delivered, later, stood, tables
from tests.engine.test_state_is_derivable import LIFECYCLES, STEPS, Day
from tests.ports.memory_store import MemoryStore

CREATED = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}


def frames(ticket: Ticket, events: list[Event]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The store's two tables with one ticket and its history."""
    row = ticket.model_dump(exclude={"tags", "location", "external_metadata"})
    born = {"created_" + name: value for name, value in CREATED.items()}
    instants = {n: pl.Datetime("us", "UTC") for n in row if n.endswith("_at")}
    texts = dict.fromkeys(("group_id", "assignee_id", "owner_id", "accepted_by"), pl.String)
    happened = [
        {"ticket": e.ticket_id, "version": i, "kind": e.kind.value, "at": e.at, "value": e.value, "actor": e.actor}
        for i, e in enumerate(events, start=1)
    ]
    schema = {"ticket": pl.String, "version": pl.Int64, "kind": pl.String, "at": pl.Datetime("us", "UTC")}
    return (
        pl.DataFrame([{**row, **born}], schema_overrides={**instants, **texts}).rename({"id": "ticket"}),
        pl.DataFrame(happened, schema={**schema, "value": pl.String, "actor": pl.String}).with_columns(
            data=pl.lit("{}")
        ),
    )


@given(STEPS)
def test_every_instant_shows_the_ticket_of_then(steps: list[tuple[tuple[Any, ...], int]]) -> None:
    day, stood = Day(LIFECYCLES.preset()), {}
    stood[day.at] = lifecycle.state_of(day.ticket)
    for step, minutes in steps:
        day.do(*step, minutes=minutes)
        stood[day.at] = lifecycle.state_of(day.ticket)
    tickets, events = frames(day.ticket, day.events)
    for at, state in stood.items():
        shown = (
            tickets_as_of(tickets, events, standings(tickets, events, at), at)
            .select(list(lifecycle.State.model_fields))
            .row(0, named=True)
        )
        assert lifecycle.State(**shown) == state


def test_a_store_as_of_now_is_the_store() -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1, group="net"), delivered(2, priority="high"))), at=MONDAY)
    assert _as_of(store, 400 * 24).equals(tables(store)[0])


def test_group_before_the_first_move_is_the_one_at_creation() -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1, group="net", updated_at=MONDAY),)), at=MONDAY)
    store.ingest(Delivery(tickets=(delivered(1, group="cloud", updated_at=later(5)),)), at=later(5))
    groups = [_as_of(store, hours)["group_id"].item() for hours in (1, 5)]
    assert groups == ["net", "cloud"]


def test_a_ticket_of_tomorrow_is_not_there_today() -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1), delivered(2, created_at=later(days=1)))), at=later(days=2))
    assert _as_of(store, 1)["external_id"].to_list() == ["1"]


def test_what_the_desk_notes_is_no_update() -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1),)), at=MONDAY)
    noted = Event(ticket_id="web:1", kind=Kind.CLASSIFIED, at=later(2), value="swg")
    store.append([noted, noted.model_copy(update={"kind": Kind.MESSAGE, "at": later(4)})], at=later(4))
    assert _as_of(store, 3)["updated_at"].item() == MONDAY


def _as_of(store: MemoryStore, hours: float) -> pl.DataFrame:
    return stood(store, MONDAY + timedelta(hours=hours))


def test_allocation_counts_from_the_instant_it_speaks_of() -> None:
    store = MemoryStore()
    store.ingest(Delivery(tickets=(delivered(1),)), at=MONDAY)
    decision = AllocationDecision(
        ticket_id="web:1", decided_at=later(2), outcome=Outcome.ALLOCATED, group_id="net", rationale="", policy="p"
    )
    store.put([AssignmentGroup(group_id="net", name="Net", status="active", max_bandwidth=5, current_load=0)])
    store.record_decisions([decision], at=later(days=30))
    assert [_as_of(store, hours)["group_id"].item() for hours in (1, 3)] == [None, "net"]
