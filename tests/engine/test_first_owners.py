"""Owner and assignee meet: the first assignee that is an agent here owns what comes from elsewhere."""

from typing import Any

from engine import lifecycle
from engine.contracts import Delivery, Event, Kind
from engine.desk import own_assigned
from engine.storage.ports import Store
from tests.engine.people import BEN, MONDAY, a_desk, delivered, later

BORN = {"status": "new", "priority": "medium", "tier": "standard", "type": "incident"}


def assigned(*names: str, **changes: Any) -> Delivery:
    """A ticket with a history: created, then assigned to each of these, an hour apart."""
    created = Event(ticket_id="web:9", kind=Kind.CREATED, at=MONDAY, data={"status": "new"}, id="c")
    moves = [
        Event(ticket_id="web:9", kind=Kind.ASSIGNEE, at=later(n), value=name, id=f"a{n}")
        for n, name in enumerate(names, start=1)
    ]
    return Delivery(tickets=(delivered(9, assignee=names[-1], **changes),), events=(created, *moves))


def test_first_assignee_who_is_an_agent_owns_it_from_that_assignment(store: Store) -> None:
    a_desk(store)
    store.ingest(assigned("the bot", "BEN@desk.example", "ana"), at=later(9))
    assert own_assigned(store, at=later(9), ticket_ids=["web:9"]) == 1
    ticket, history = store.ticket("web:9"), store.history("web:9")
    assert (ticket.owner_id, ticket.accepted_by, ticket.accepted_at) == ("ben", "ben", later(2))
    assert ticket.assignee_id == "ana"
    assert lifecycle.replay(BORN, history) == lifecycle.state_of(ticket)


def test_same_delivery_again_gives_no_second_owner(store: Store) -> None:
    a_desk(store)
    for _ in range(2):
        store.ingest(assigned("ben", "ana"), at=later(9))
        own_assigned(store, at=later(9))
    assert [event.value for event in store.history("web:9") if event.kind == Kind.ACCEPTED] == ["ben"]


def test_later_assignees_move_the_assignee_alone(store: Store) -> None:
    desk = a_desk(store)
    store.ingest(assigned("ben", updated_at=later(1)), at=later(2))
    own_assigned(store, at=later(2))
    store.ingest(Delivery(tickets=(delivered(9, assignee="ana", updated_at=later(3)),)), at=later(4))
    own_assigned(store, at=later(4))
    ticket = store.ticket("web:9")
    assert (ticket.owner_id, ticket.assignee_id) == ("ben", "ana")
    assert [each.ticket_id for each in desk.differences()] == ["web:9"]


def test_an_assignment_whose_instant_is_not_told_has_none(store: Store) -> None:
    a_desk(store)
    store.ingest(Delivery(tickets=(delivered(9, assignee="Ben", updated_at=later(5)),)), at=later(6))
    own_assigned(store, at=later(6))
    ticket, history = store.ticket("web:9"), store.history("web:9")
    assert (ticket.owner_id, ticket.accepted_at) == ("ben", None)
    assert lifecycle.replay(BORN, history) == lifecycle.state_of(ticket)


def test_whoever_comes_later_is_found_then(store: Store) -> None:
    desk = a_desk(store)
    store.ingest(assigned("nia"), at=later(2))
    assert own_assigned(store, at=later(2)) == 0
    store.put([BEN.model_copy(update={"id": "nia", "email": "nia@desk.example", "name": "Nia"})])
    assert own_assigned(store, at=later(3)) == 1
    assert [item.ticket.id for item in desk.my_queue(by="nia", at=later(3))] == ["web:9"]


def test_who_accepted_here_stays_the_owner(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    store.ingest(Delivery(tickets=(delivered(1, assignee="ben", updated_at=later(2)),)), at=later(3))
    assert own_assigned(store, at=later(3)) == 0
    assert store.ticket("web:1").owner_id == "ana"
