"""INC-1, critical, escalated 11:00; Fin accepts 12:00, Ana asks 13:00: due 16:00. Fin writes 14:00: due 18:00."""

from datetime import datetime

from engine.escalations import Side
from engine.storage.ports import Store
from tests.engine.people import delivered, later
from tests.engine.test_case_file import worked_on


def test_the_teams_word_moves_the_next_update_and_the_owners_does_not(store: Store) -> None:
    desk = worked_on(store, delivered(1, priority="critical"))

    def due() -> datetime | None:
        [waiting] = desk.waiting_escalations(at=later(5))
        return waiting.next_update_at

    made = desk.escalate("web:1", side=Side.ENGINEERING, component="VPN", reason="it drops", by="ana", at=later(2))
    assert due() == later(6)
    desk.accept_envelope(made.id, by="fin", at=later(3))
    desk.note("web:1", by="ana", text="Any news?", envelope_id=made.id, at=later(4))
    assert due() == later(7)
    desk.note("web:1", by="fin", text="Reproduced.", envelope_id=made.id, at=later(5))
    assert due() == later(9)
