"""A history that was touched is found, with the first event that is not as it was recorded."""

from typing import Any

import pytest
import sqlalchemy as sa

from engine.contracts import Event, RecordedEvent, first_broken_link, seal
from engine.storage.audit import LOG, Audit, Broken, chain_heads, verify
from engine.storage.sql import SqlStore
from tests.ports.examples import LATER, MONDAY, created, delivery, event, ticket

pytestmark = pytest.mark.usefixtures("sql_only")
ONE, TWO, THREE = (f"servicenow:INC{number}" for number in (1, 2, 3))


@pytest.fixture
def desk(store: Any) -> SqlStore:
    """Three tickets of four events each: nothing of the database guards them any more."""
    told = [
        event(number, hours=hour, id=f"{number}/{hour}", data={"n": hour}) for number in (1, 2, 3) for hour in (1, 2, 3)
    ]
    store.ingest(delivery(*map(ticket, (1, 2, 3)), events=(*map(created, (1, 2, 3)), *told)), at=MONDAY)
    assert isinstance(store, SqlStore)
    return store


def tamper(store: SqlStore, *statements: str) -> None:
    """As somebody would who owns the database: triggers and foreign keys dropped first."""
    with store.engine.connect() as connection:
        on_sqlite = connection.dialect.name == "sqlite"
        if on_sqlite:
            connection.connection.execute("PRAGMA foreign_keys = OFF")
        for trigger in ("events_stay", "events_are_kept"):
            connection.execute(sa.text(f"DROP TRIGGER IF EXISTS {trigger}" + ("" if on_sqlite else " ON events")))
        if not on_sqlite:
            connection.execute(sa.text("SET LOCAL session_replication_role = replica"))
        for statement in statements:
            connection.execute(sa.text(statement))
        connection.commit()
    store.close()


def first(audit: Audit) -> tuple[str, int, str | None]:
    return audit.broken[0][:3]


def resealed(one: RecordedEvent, previous: str, *, actor: str) -> str:
    changed = Event(**one.model_dump(include=set(Event.model_fields)) | {"actor": actor})
    return seal(changed, version=one.version, previous_hash=previous, recorded_at=one.recorded_at).hash


def rewritten(store: SqlStore, key: str, actor: str) -> None:
    """The second event and all after it, chained anew without a flaw."""
    history = store.history(key)
    previous, told = history[0].hash, []
    for one in history[1:]:
        previous = resealed(one, previous, actor=actor)
        told.append(f"UPDATE events SET actor = '{actor}', hash = '{previous}' WHERE id = '{one.id}'")
    tamper(store, *told)
    assert first_broken_link(store.history(key)) is None


def test_an_untouched_history_is_whole(desk: SqlStore) -> None:
    desk.append([event(2, hours=5, reason="“ü”", data={"z": 1.5, "a": [None, "é"]})], at=LATER)
    assert verify(desk, chain_heads(desk)) == Audit(tickets=3, events=13, found=0, broken=[])


@pytest.mark.parametrize(
    "change",
    ["actor = 'eve'", "value = 'x'", "at = '2020-01-01 00:00:00.000000'", "data = '{}'", "data = '[7]'", "id = 'x'",
     "recorded_at = '2020-01-01 00:00:00.000000'", "reason = ''", "kind = 'status'", f"hash = '{'0' * 64}'"],
)  # fmt: skip
def test_a_changed_column_is_found(desk: SqlStore, change: str) -> None:
    tamper(desk, f"UPDATE events SET {change} WHERE ticket_id = '{TWO}' AND version = 3")
    assert first(verify(desk))[:2] == (TWO, 3)
    assert "changed" in verify(desk).broken[0].what


@pytest.mark.parametrize(
    ("statement", "where", "what"),
    [
        (f"DELETE FROM events WHERE ticket_id = '{TWO}' AND version = 2", (TWO, 2, None), "missing"),
        (f"DELETE FROM events WHERE ticket_id = '{TWO}' AND version = 1", (TWO, 1, None), "missing"),
        (f"DELETE FROM events WHERE ticket_id = '{TWO}' AND version < 3", (TWO, 1, None), "up to 2"),
        (f"DELETE FROM events WHERE ticket_id = '{TWO}' AND version > 3", (TWO, 4, None), "up to 4"),
        (f"DELETE FROM events WHERE ticket_id = '{TWO}'", (TWO, 1, None), "up to 4"),
        (f"DELETE FROM tickets WHERE id = '{TWO}'", (TWO, 4, "2/3"), "not in the store"),
        (f"UPDATE tickets SET version = 3 WHERE id = '{TWO}'", (TWO, 4, "2/3"), "put in"),
        ("UPDATE events SET version = 7 - version + 100 WHERE version IN (3, 4)", (ONE, 3, None), "missing"),
    ],
)  # fmt: skip
def test_what_is_gone_or_too_much_is_named(desk: SqlStore, statement: str, where: tuple[Any, ...], what: str) -> None:
    tamper(desk, statement)
    audit = verify(desk)
    assert first(audit) == where
    assert what in audit.broken[0].what


def test_swapped_events_are_found(desk: SqlStore) -> None:
    swap = [f"UPDATE events SET version = {to} WHERE ticket_id = '{TWO}' AND version = {at}" for at, to in
            ((2, 99), (3, 2), (99, 3))]  # fmt: skip
    tamper(desk, *swap)
    assert first(verify(desk)) == (TWO, 2, "2/2")


def test_an_event_given_to_another_ticket_is_found_in_both(desk: SqlStore) -> None:
    tamper(desk, f"UPDATE events SET ticket_id = '{ONE}', version = 5 WHERE ticket_id = '{THREE}' AND version = 2")
    found = {one.ticket: one[1:3] for one in reversed(verify(desk).broken)}
    assert found == {ONE: (5, "3/1"), THREE: (2, None)}


def test_an_event_replaced_with_a_hash_of_its_own_breaks_at_the_next(desk: SqlStore) -> None:
    born, second, *_ = desk.history(TWO)
    own = resealed(second, born.hash, actor="eve")
    tamper(desk, f"UPDATE events SET actor = 'eve', hash = '{own}' WHERE id = '{second.id}'")
    assert verify(desk).broken == [Broken(TWO, 3, "2/2", "was changed, or the event before it was replaced")]


def test_a_chain_written_anew_shows_by_what_was_published(desk: SqlStore) -> None:
    heads = chain_heads(desk)
    desk.append([event(2, hours=9)], at=LATER)
    rewritten(desk, TWO, actor="eve")
    assert verify(desk).broken == []
    audit = verify(desk, heads)
    assert (first(audit), audit.found) == ((TWO, 4, "2/3"), 1)
    assert "anew" in audit.broken[0].what


def test_publishing_again_does_not_hide_a_chain_written_anew(desk: SqlStore) -> None:
    heads = chain_heads(desk)
    rewritten(desk, TWO, actor="eve")
    tamper(desk, f"DELETE FROM events WHERE ticket_id = '{ONE}'", f"DELETE FROM tickets WHERE id = '{ONE}'")
    desk.append([event(3, hours=9)], at=LATER)
    again = chain_heads(desk, before=chain_heads(desk, before=heads))
    assert again.join(heads, on=heads.columns, how="anti")["ticket"].to_list() == [THREE]
    assert [one.ticket for one in verify(desk, again).broken] == [ONE, TWO]


@pytest.mark.parametrize("left", [[], [f"UPDATE tickets SET version = 2 WHERE id = '{TWO}'"]])
def test_a_shortened_chain_shows_by_what_was_published(desk: SqlStore, left: list[str]) -> None:
    heads = chain_heads(desk)
    tamper(desk, f"DELETE FROM events WHERE ticket_id = '{TWO}' AND version > 2", *left)
    assert first(verify(desk, heads)) == (TWO, 3, None)


def test_heads_are_the_last_events_and_go_on_with_them(desk: SqlStore) -> None:
    heads = chain_heads(desk)
    assert heads.rows()[0][:2] == (LOG, 1)
    assert heads.rows()[1:] == [(key, 4, desk.history(key)[-1].hash) for key in (ONE, TWO, THREE)]
    desk.append([event(2, hours=9)], at=LATER)
    desk.ingest(delivery(ticket(4)), at=LATER)
    assert chain_heads(desk, before=heads).equals(chain_heads(desk))
    assert chain_heads(desk)["version"].to_list() == [1, 4, 5, 4, 1]


def test_only_the_first_broken_places_are_listed(desk: SqlStore) -> None:
    tamper(desk, "UPDATE events SET actor = 'eve'")
    audit = verify(desk, limit=2)
    assert audit.found == 12
    assert [one[:2] for one in audit.broken] == [(ONE, 1), (ONE, 2)]
