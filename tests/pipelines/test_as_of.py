"""A publication as of an instant equals the one that would have been made then."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from engine import lifecycle
from engine.contracts import Delivery, Event, Kind, StandardTicket
from pipelines.app.container import open_app
from pipelines.jobs.people import bring_people
from pipelines.marts.registry import MARTS, build
from pipelines.snapshot import Snapshot
from tests.pipelines.small_desk import AS_OF, sample_lines

THEN = AS_OF - timedelta(days=6, hours=3)
MADE_BY_THE_CLOCK = {"rejected"}
Marts = dict[str, pl.DataFrame]


def sample() -> tuple[list[StandardTicket], list[Event]]:
    tickets, events = sample_lines(60)
    return (
        [StandardTicket(**json.loads(line)) for line in tickets.splitlines()],
        [Event(**json.loads(line)) for line in events.splitlines()],
    )


def as_delivered_then(ticket: StandardTicket, history: list[Event]) -> StandardTicket:
    """What the source would have handed over at THEN."""
    state = lifecycle.replay({"status": "new", "priority": "low", "tier": "free", "type": "incident"}, history)
    last = {event.kind: event.value for event in history}
    told: dict[str, Any] = state.model_dump(include={"status", "priority", "tier", "type"})
    ends = state.model_dump(include={"first_response_at", "resolved_at", "closed_at"})
    seen = {"group": last.get(Kind.GROUP), "assignee": last.get(Kind.ASSIGNEE), "updated_at": history[-1].at}
    return ticket.model_copy(update={**told, **ends, **seen})


@pytest.fixture(scope="module")
def marts(tmp_path_factory: pytest.TempPathFactory) -> list[Marts]:
    """Of THEN: by a desk that knows everything since, and by one that stopped there."""
    tickets, events = sample()
    known = {
        t.key: sorted((e for e in events if e.ticket_id == t.key and e.at <= THEN), key=lambda e: e.at) for t in tickets
    }
    early = [as_delivered_then(t, known[t.key]) for t in tickets if known[t.key]]
    folder: Path = tmp_path_factory.mktemp("as-of")
    with open_app(home=folder / "now") as now, open_app(home=folder / "then") as then:
        for app, delivery in (
            (now, Delivery(tickets=tuple(tickets), events=tuple(events))),
            (then, Delivery(tickets=tuple(early), events=tuple(e for t in early for e in known[t.key]))),
        ):
            bring_people(app, app.settings.data / "people")
            app.store.ingest(delivery, at=AS_OF)
        return [build(Snapshot(app, THEN)) for app in (now, then)]


@pytest.mark.parametrize("mart", sorted(set(MARTS) - MADE_BY_THE_CLOCK))
def test_mart_of_then_is_the_mart_made_then(marts: list[Marts], mart: str) -> None:
    shown, made = (built[mart] for built in marts)
    columns = MARTS[mart].schema.names()
    assert made.height or mart not in {"tickets", "sla_clocks", "attainment", "work_queue", "volume"}
    assert shown.select(columns).sort(columns).equals(made.select(columns).sort(columns))
