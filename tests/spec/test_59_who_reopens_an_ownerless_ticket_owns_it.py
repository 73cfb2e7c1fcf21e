"""INC-4 is closed, without owner and Cloud's: Fin of Network is refused, Ana reopens it and owns it."""

import pytest

from engine.contracts import AssignmentGroup
from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import a_desk, delivered, later


def test_one_of_its_team_reopens_and_owns(store: Store) -> None:
    desk = a_desk(store, delivered(4, status="closed", closed_at=later(1), group="g"))
    store.put([AssignmentGroup(group_id="g", name="G", max_bandwidth=9, team_id="cloud")])
    with pytest.raises(NotAllowed, match="for Cloud; one of them reopens it"):
        desk.reopen("web:4", by="fin", reason="it is back", at=later(2))
    ticket = desk.reopen("web:4", by="ana", reason="it is back", at=later(2))
    assert (ticket.owner_id, ticket.accepted_by, ticket.is_open) == ("ana", "ana", True)
