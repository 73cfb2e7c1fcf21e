"""The history is never rewritten, and of many who act at once one wins."""

from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from engine.contracts import Kind, first_broken_link
from engine.storage import open_store
from engine.storage.ports import Store
from tests.ports.examples import (
    ANA,
    BEN,
    LATER,
    MONDAY,
    created,
    delivery,
    event,
    ticket,
)
from tests.ports.racers import claim, claim_as_process, claims_of_threads, deliver_as_process
from tests.processes import processes

sql_only = pytest.mark.usefixtures("sql_only")
KEY = "servicenow:INC1"


def test_the_chain_of_a_history_is_unbroken(store: Store) -> None:
    store.ingest(delivery(events=(created(), event(reason="“ü”", data={"z": 1.5, "a": [None, "é"]}))), at=MONDAY)
    claim(store, KEY, ANA)
    store.append([event(kind=Kind.CLASSIFIED, hours=9, data={"product": "ZTNA"})], at=LATER)
    history = store.history(KEY)
    assert [e.version for e in history] == [1, 2, 3, 4]
    assert first_broken_link(history) is None


@sql_only
@pytest.mark.parametrize("change", ["actor = 'eve'", "at = '2020-01-01 00:00:00.000000'", "data = '{}'"])
def test_tampering_is_found(store: Any, change: str) -> None:
    store.ingest(delivery(events=(created(), event(data={"n": 1}), event(hours=2))), at=MONDAY)
    with store.engine.begin() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        off = "DROP TRIGGER events_stay" + ("" if on_sqlite else " ON events")
        connection.execute(sa.text(off))
        connection.execute(sa.text(f"UPDATE events SET {change} WHERE version = 2"))
    assert first_broken_link(store.history(KEY)) == 2


@sql_only
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE events SET actor = 'eve'",
        "DELETE FROM events",
        "DELETE FROM tickets",
        "UPDATE tickets SET accepted_by = 'eve', owner_id = 'eve'",
        "UPDATE tickets SET owner_id = NULL",
        "UPDATE tickets SET owner_id = 'eve'",
        "UPDATE tickets SET owner_id = 'eve', version = version + 1",
        "UPDATE tickets SET status = 'asleep'",
    ],
)
def test_the_database_itself_refuses(store: Any, statement: str) -> None:
    store.ingest(delivery(), at=MONDAY)
    claim(store, KEY, ANA)
    with pytest.raises(sa.exc.IntegrityError), store.engine.begin() as connection:
        connection.execute(sa.text(statement))


@sql_only
@pytest.mark.parametrize(("to", "version"), [("eve", 3), (BEN, 2), (BEN, 4)])
def test_a_recorded_transfer_moves_the_owner_once_and_to_whom_it_names(store: Any, to: str, version: int) -> None:
    store.ingest(delivery(), at=MONDAY)
    claim(store, KEY, ANA)
    moved = store.ticket(KEY).model_copy(update={"owner_id": BEN})
    saved = store.save(moved, [event(kind=Kind.TRANSFERRED, value=BEN, actor="mia")], at=LATER).ticket
    assert (saved.owner_id, saved.accepted_by, saved.version) == (BEN, ANA, 3)
    back = saved.model_copy(update={"owner_id": ANA})
    store.save(back, [event(kind=Kind.TRANSFERRED, value=ANA, actor="mia")], at=LATER)
    with pytest.raises(sa.exc.IntegrityError, match="recorded transfer"), store.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE tickets SET owner_id = '{to}', version = {version}"))


@sql_only
def test_of_many_claims_one_wins(url: str) -> None:
    open_store(url).ingest(delivery(), at=MONDAY)
    winners = claims_of_threads(url, KEY, [f"agent:{number}" for number in range(6)])
    ticket_now = open_store(url).ticket(KEY)
    assert [ticket_now.owner_id] == winners == [ticket_now.accepted_by]
    assert [e.kind for e in open_store(url).history(KEY)] == ["created", "accepted"]


@sql_only
@pytest.mark.slow
def test_two_processes_deliver_the_same_once(url: str, process_pool: ProcessPoolExecutor) -> None:
    first, second = process_pool.map(deliver_as_process, [url, url])
    both = first + second
    assert (both.created, both.skipped, both.events) == (400, 400, 400 * 4)
    store = open_store(url)
    assert (store.counts()["tickets"], store.counts()["events"]) == (400, 1600)
    assert all(first_broken_link(store.history(found.id)) is None for found in store.tickets(limit=20))


@sql_only
@pytest.mark.slow
def test_of_two_processes_one_becomes_the_owner(url: str, process_pool: ProcessPoolExecutor) -> None:
    store = open_store(url)
    store.ingest(delivery(*(ticket(number) for number in range(25))), at=MONDAY)
    keys = [found.id for found in store.tickets()]
    won = [
        [winner for winner in process_pool.map(claim_as_process, [url] * 2, [key] * 2, [ANA, BEN]) if winner]
        for key in keys
    ]
    assert [[found.owner_id] for found in store.tickets()] == won


@sql_only
@pytest.mark.slow
def test_of_eight_processes_one_becomes_the_owner(url: str) -> None:
    store = open_store(url)
    store.ingest(delivery(*(ticket(number) for number in range(10))), at=MONDAY)
    names = [f"agent:{number}" for number in range(8)]
    with processes(8) as pool:
        won = {
            found.id: list(pool.map(claim_as_process, [url] * 8, [found.id] * 8, names)) for found in store.tickets()
        }
    for found in store.tickets():
        assert [winner for winner in won[found.id] if winner] == [found.owner_id] == [found.accepted_by]
