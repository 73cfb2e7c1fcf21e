"""The live floor: open tickets as the store has them, and clocks that go on between two publications."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from engine.contracts import Agent, Delivery, Priority, StandardTicket
from pipelines.app.container import open_app
from pipelines.jobs.publish import publish
from pipelines.live_queue import live_queue
from pipelines.snapshot import Snapshot

MONDAY = datetime(2026, 11, 16, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def ticket(number: int, at: datetime = MONDAY) -> StandardTicket:
    return StandardTicket(
        source="demo", ticket_id=f"INC-{number}", ticket_number=f"INC-{number}", title=f"Case {number}",
        requester="ct-1", priority=Priority.HIGH, created_at=at,
    )  # fmt: skip


@pytest.fixture
def app(tmp_path):
    with open_app(home=tmp_path) as opened:
        opened.store.put([Agent(id="ana", email="ana@example.com", name="Ana")])
        opened.store.ingest(Delivery(tickets=(ticket(1), ticket(2))), at=MONDAY)
        publish(opened, Snapshot(opened, MONDAY + HOUR))
        yield opened


def by_reference(queue):
    return {row["reference"]: row for row in queue.rows.iter_rows(named=True)}


def test_published_clocks_go_on(app):
    first, later = (live_queue(app, at=MONDAY + hours * HOUR) for hours in (1, 3))
    before, after = (by_reference(queue)["INC-1"] for queue in (first, later))
    assert before["seconds_left"] - after["seconds_left"] == 2 * 3600
    assert (after["score"], later.as_of, later.published) == (before["score"], MONDAY + 3 * HOUR, MONDAY + HOUR)


def test_clocks_are_those_of_the_instant(app):
    for days in range(4):
        at = MONDAY + HOUR + timedelta(days=days)
        clocks = Snapshot(app, at).clocks.filter(pl.col("stopped_at").is_null() & pl.col("remaining").is_not_null())
        assert live_queue(app, at=at).clocks.sort("ticket", "clock").equals(clocks.sort("ticket", "clock"))


def test_reply_since_publication_ends_its_clock(app):
    live_queue(app, at=MONDAY + HOUR)
    app.desk.accept("demo:INC-1", by="ana", at=MONDAY + 2 * HOUR)
    app.desk.reply("demo:INC-1", by="ana", text="We look into it.", at=MONDAY + 2 * HOUR)
    found = live_queue(app, at=MONDAY + 3 * HOUR)
    assert by_reference(found)["INC-1"]["owner_id"] == "ana"
    assert "first_response" not in found.clocks.filter(ticket="demo:INC-1")["clock"].cast(pl.String).to_list()
    assert "first_response" in found.clocks.filter(ticket="demo:INC-2")["clock"].cast(pl.String).to_list()


def test_customer_who_wrote_since_waits(app):
    app.desk.accept("demo:INC-1", by="ana", at=MONDAY + 2 * HOUR)
    app.desk.reply("demo:INC-1", by="ana", text="Which browser?", at=MONDAY + 2 * HOUR)
    app.desk.receive("demo:INC-1", text="Firefox.", at=MONDAY + 3 * HOUR)
    rows = by_reference(live_queue(app, at=MONDAY + 4 * HOUR))
    assert rows["INC-1"]["customer_waits_since"] == MONDAY + 3 * HOUR
    assert rows["INC-2"]["customer_waits_since"] is None


def test_ticket_that_came_since_has_clocks_and_no_score(app):
    app.store.ingest(Delivery(tickets=(ticket(3, MONDAY + 2 * HOUR),)), at=MONDAY + 2 * HOUR)
    row = by_reference(live_queue(app, at=MONDAY + 3 * HOUR))["INC-3"]
    assert (row["score"], row["sla_state"] is not None, row["next_due_at"] > MONDAY + 2 * HOUR) == (None, True, True)


def test_store_is_read_after_events_alone(app):
    one, same = (live_queue(app, at=MONDAY + HOUR).rows["owner_id"].to_list() for _ in range(2))
    app.desk.accept("demo:INC-2", by="ana", at=MONDAY + 2 * HOUR)
    assert one == same == [None, None]
    assert "ana" in live_queue(app, at=MONDAY + 2 * HOUR).rows["owner_id"].to_list()


def test_closed_ticket_leaves(app):
    app.desk.accept("demo:INC-1", by="ana", at=MONDAY + HOUR)
    app.desk.resolve("demo:INC-1", by="ana", summary="Done.", at=MONDAY + 2 * HOUR)
    assert set(by_reference(live_queue(app, at=MONDAY + 3 * HOUR))) == {"INC-2"}


def test_desk_without_publication_has_its_tickets(tmp_path):
    with open_app(home=tmp_path) as app:
        assert live_queue(app, at=MONDAY).rows.is_empty()
        app.store.ingest(Delivery(tickets=(ticket(1),)), at=MONDAY)
        found = live_queue(app, at=MONDAY + HOUR)
        assert (found.published, found.rows["sla_state"].null_count()) == (None, 0)
