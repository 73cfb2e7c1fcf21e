"""INC-7 is Ana's, Ben is her envelope's expert: both read its note; Cleo, who leads, and the auditor don't."""

import pytest

from engine import access
from engine.access import User, UserRole
from engine.contracts import Agent
from engine.desk import Desk
from engine.storage.ports import Store
from tests.engine.people import ANA, BEN, CLEO, FIN, MONDAY, a_desk, delivered, later

AUDITOR = User(id="auditor", name="Auditor", roles=(UserRole.AUDITOR,))
ADMIN = User(id="admin", name="Admin", roles=(UserRole.ADMIN,))
ALL = ["Restart it.", "odd customer"]


@pytest.fixture
def desk(store: Store) -> Desk:
    found = a_desk(store, delivered(7))
    found.accept("web:7", by="ana", at=MONDAY)
    found.reply("web:7", by="ana", text="Restart it.", at=later(1))
    found.note("web:7", by="ana", text="odd customer", at=later(2))
    asked = found.open_envelope("web:7", by="ana", reason="DNS", assigned_to="ben", at=later(3))
    found.accept_envelope(asked.id, by="ben", at=later(4))
    found.note("web:7", by="ben", text="their own router", envelope_id=asked.id, at=later(5))
    return found


@pytest.mark.parametrize(
    ("reader", "reads"),
    [
        (ANA, [*ALL, "their own router"]),
        (BEN, [*ALL, "their own router"]),
        (FIN, ALL[:1]),
        (CLEO, ALL),
        (AUDITOR, ALL),
        (ADMIN, ALL[:1]),
    ],
)
def test_who_reads_what_was_written(desk: Desk, reader: Agent | User, reads: list[str]) -> None:
    user = reader if isinstance(reader, User) else access.user_of(reader)
    written = {"Restart it.", "odd customer", "their own router"}
    shown = [entry.content for entry in desk.read_timeline("web:7", reader=user)]
    assert [text for text in shown if text in written] == reads


def test_of_history_others_read_what_changed_and_not_why(desk: Desk) -> None:
    def why(reader: Agent) -> list[str | None]:
        history = desk.read_history("web:7", reader=access.user_of(reader))
        return [event.reason for event in history if event.kind == "status"]

    assert why(ANA) == ["accepted", "envelope opened"]
    assert why(FIN) == [None, None]
