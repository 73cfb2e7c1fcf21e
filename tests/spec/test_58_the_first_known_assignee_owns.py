"""INC-9: a bot 10:00, Ben 11:00, Ana 12:00: Ben owns it since 11:00, Ana is its assignee, and that is listed."""

from engine.desk import own_assigned
from engine.storage.ports import Store
from tests.engine.people import a_desk, later
from tests.engine.test_first_owners import assigned


def test_ben_owns_and_ana_is_listed_beside_him(store: Store) -> None:
    desk = a_desk(store)
    store.ingest(assigned("the bot", "ben", "ana"), at=later(4))
    own_assigned(store, at=later(4))
    ticket = store.ticket("web:9")
    assert (ticket.owner_id, ticket.accepted_at, ticket.assignee_id) == ("ben", later(2), "ana")
    found = [(one.reference, one.owner_id, one.assignee_id) for one in desk.differences()]
    assert found == [("INC-9", "ben", "ana")]


def test_nobody_known_owns_nothing(store: Store) -> None:
    a_desk(store)
    store.ingest(assigned("the bot"), at=later(4))
    assert own_assigned(store, at=later(4)) == 0
    assert store.ticket("web:9").owner_id is None
