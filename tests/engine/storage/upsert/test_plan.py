"""The short way of a delivery into SQLite, which leaves out what is old, and the plain one of memory agree."""

import shutil
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.contracts import Delivery, Event, Kind, StandardTicket, Status
from engine.storage.sql import SqlStore
from tests.ports.memory_store import MemoryStore

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
KEYS = ("s:1", "s:2", "s:3")
instants = st.integers(0, 5).map(lambda hours: START + timedelta(hours=hours))
events = st.builds(
    Event,
    ticket_id=st.sampled_from(KEYS),
    kind=st.sampled_from([Kind.CREATED, Kind.STATUS, Kind.RESPONSE, Kind.MESSAGE]),
    at=instants,
    value=st.sampled_from(["resolved", "in_progress", "nowhere"]),
    data=st.sampled_from([{}, {"status": "new"}, {"status": "odd"}, {"n": float("nan")}, {"n": (1, "ü\x00")}]),
    id=st.sampled_from([None, "e1", "e2", "e3", "e4"]),
)
tickets = st.builds(
    StandardTicket,
    ticket_id=st.sampled_from(["1", "2"]),
    source=st.just("s"),
    title=st.sampled_from("ab"),
    status=st.sampled_from([Status.NEW, Status.RESOLVED]),
    created_at=st.just(START),
    updated_at=st.none() | instants,
)
deliveries = st.builds(
    Delivery,
    tickets=st.lists(tickets, max_size=3).map(tuple),
    events=st.lists(events, max_size=5).map(tuple),
)


@given(st.lists(st.tuples(deliveries, st.booleans()), min_size=1, max_size=4))
def test_leaving_out_what_is_old_changes_nothing(sqlite_template: Path, steps: list[tuple[Delivery, bool]]) -> None:
    plain = MemoryStore()
    with tempfile.TemporaryDirectory() as folder:
        fast = SqlStore(f"sqlite:///{shutil.copy(sqlite_template, Path(folder) / 'helmdesk.db')}")
        at = START
        for delivery, again in steps:
            for _ in range(1 + again):
                at += timedelta(hours=1)
                assert fast.ingest(delivery, at=at) == plain.ingest(delivery, at=at)
        assert fast.tickets() == plain.tickets()
        assert [fast.history(key) for key in KEYS] == [plain.history(key) for key in KEYS]
        assert fast.rejected() == plain.rejected()
        fast.close()
