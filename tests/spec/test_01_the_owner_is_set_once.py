"""INC-7: Ben's accept a second after Ana's; Ana leaves, and the manager transfers it."""

import pytest

from engine import lifecycle, ownership
from engine.contracts import Kind
from engine.ownership import TransferReason
from engine.shared.errors import Conflict, NotAllowed
from engine.storage.ports import Store
from tests.engine.people import ANA, BEN, POLICIES, a_desk, later

CANONICAL = lifecycle.load(POLICIES / "lifecycle.yaml").preset()


def test_second_accept_is_refused_by_name(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    with pytest.raises(NotAllowed, match="INC-1 is owned by ana"):
        desk.accept("web:1", by="ben", at=later(1, minutes=1 / 60))


def test_the_database_refuses_who_saw_no_owner(store: Store) -> None:
    desk, unowned = a_desk(store), store.ticket("web:1")
    desk.accept("web:1", by="ana", at=later(1))
    with pytest.raises(Conflict):
        desk.keep(*ownership.accept(unowned, by=BEN, load=0, at=later(1), preset=CANONICAL), at=later(1))
    assert store.ticket("web:1").owner_id == "ana"


def test_transfer_moves_the_owner_and_keeps_who_accepted(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    with pytest.raises(NotAllowed, match="ana is active and here"):
        desk.transfer("web:1", to="ben", reason=TransferReason.TERMINATION, by="dirk", at=later(2))
    store.put([ANA.model_copy(update={"is_active": False})])
    assert [left.ticket_id for left in desk.orphans(at=later(2))] == ["web:1"]
    moved = desk.transfer("web:1", to="ben", reason=TransferReason.TERMINATION, by="dirk", at=later(2))
    assert (moved.owner_id, moved.accepted_by) == ("ben", "ana")
    last = store.history("web:1")[-1]
    assert (last.kind, last.actor, last.value) == (Kind.TRANSFERRED, "dirk", "ben")
