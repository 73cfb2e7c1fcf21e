"""INC-9 breaches without a group at 09:00 and gets one at 11:00: the lead hears at 11:00."""

from datetime import timedelta

import pytest

from engine.contracts import AssignmentGroup, Delivery
from pipelines.app.container import App
from pipelines.jobs.alerts import Raised, queue_messages, raise_and_queue
from tests.engine.people import delivered
from tests.pipelines.test_alerts import AGENTS, LATER, MONDAY, TEAM, breached, queue, tickets_of

NINE, ELEVEN = LATER, LATER + timedelta(hours=2)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def unheard(app: App) -> App:
    app.store.put([TEAM, *AGENTS, AssignmentGroup(group_id="g", name="G", max_bandwidth=9, team_id="cloud")])
    app.store.ingest(Delivery(tickets=(delivered(0, created_at=MONDAY),)), at=MONDAY)
    assert raise_and_queue(app, breached(1), tickets_of(app), as_of=NINE) == Raised(alerts=1, nudges=0, messages=0)
    moved = delivered(0, created_at=MONDAY, group="g", updated_at=ELEVEN)
    app.store.ingest(Delivery(tickets=(moved,)), at=ELEVEN)
    return app


def test_the_lead_hears_when_there_is_one(unheard: App) -> None:
    queue_messages(unheard, tickets_of(unheard), as_of=ELEVEN)
    assert [(row.agent_id, row.created_at) for row in queue(unheard)] == [("cleo", ELEVEN), ("dirk", ELEVEN)]
    assert queue_messages(unheard, tickets_of(unheard), as_of=ELEVEN + INSTANT) == 0


@pytest.mark.parametrize(("at", "rows"), [(-INSTANT, 2), (timedelta(0), 0), (INSTANT, 0)])
def test_after_a_day_it_is_history(unheard: App, at: timedelta, rows: int) -> None:
    assert queue_messages(unheard, tickets_of(unheard), as_of=NINE + timedelta(days=1) + at) == rows


@pytest.mark.parametrize(("alerts", "messages"), [(9, 9), (10, 10), (11, 1)])
def test_more_than_ten_at_once_are_one_digest(app: App, alerts: int, messages: int) -> None:
    app.store.put([TEAM, *AGENTS, AssignmentGroup(group_id="g", name="G", max_bandwidth=9, team_id="cloud")])
    made = tuple(delivered(n, created_at=MONDAY, group="g") for n in range(alerts))
    app.store.ingest(Delivery(tickets=made), at=MONDAY)
    raise_and_queue(app, breached(alerts), tickets_of(app), as_of=LATER)
    assert len([row for row in queue(app) if row.agent_id == "cleo"]) == messages
