"""INC-7 waits for Acme; Ana completes its envelope with the answer. Ben's question is open still: waiting_internal."""

import pytest

from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import a_desk, delivered, later
from tests.engine.test_rules_of_the_day import VENDOR


def test_the_owner_completes_and_the_ticket_waits_for_what_is_left(store: Store) -> None:
    desk = a_desk(store, delivered(7))
    store.put([VENDOR])
    desk.accept("web:7", by="ana", at=later(1))
    ben = desk.open_envelope("web:7", by="ana", reason="which build?", assigned_to="ben", at=later(2))
    acme = desk.open_envelope("web:7", by="ana", reason="firmware", team_id="acme", at=later(3))
    assert store.ticket("web:7").status == "waiting_vendor"
    with pytest.raises(NotAllowed, match="its answer completes it"):
        desk.accept_envelope(acme.id, by="ben", at=later(4))
    desk.complete_envelope(acme.id, by="ana", summary="fixed in 4.2", at=later(5))
    assert store.ticket("web:7").status == "waiting_internal"
    desk.cancel_envelope(ben.id, by="ana", reason="4.2 is enough", at=later(6))
    assert store.ticket("web:7").status == "in_progress"
