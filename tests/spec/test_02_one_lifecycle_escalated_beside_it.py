"""ServiceNow's two waits have a word each; an envelope escalates beside the status."""

from pathlib import Path

from engine.contracts import Kind, Status
from engine.storage.ports import Store
from tests.engine.people import a_desk, later
from tests.engine.plugins.test_update_logs import log

WAITS = ["1 | Awaiting User Info | 29/2/2016 02:00", "1 | Awaiting Problem | 29/2/2016 03:00"]


def test_a_source_maps_its_states_by_a_table(tmp_path: Path) -> None:
    moves = [event.value for event in log(tmp_path, WAITS).events if event.kind == Kind.STATUS]
    assert moves == [Status.WAITING_CUSTOMER, Status.WAITING_INTERNAL]


def test_escalated_while_an_envelope_is_pending_or_active(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=later(2))
    pending = store.ticket("web:1").escalated
    desk.accept_envelope(asked.id, by="ben", at=later(3))
    active = store.ticket("web:1").escalated
    desk.complete_envelope(asked.id, by="ben", summary="zone was missing", at=later(4))
    assert (pending, active, store.ticket("web:1").escalated) == (True, True, False)
