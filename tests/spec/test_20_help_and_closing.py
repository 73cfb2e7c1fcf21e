"""INC-1 with an open DNS envelope: complete or cancel it first."""

import pytest

from engine import envelopes, lifecycle
from engine.contracts import Status
from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import POLICIES, a_desk, a_ticket, later

POLICY = envelopes.load(POLICIES / "envelopes.yaml")
CANONICAL = lifecycle.load(POLICIES / "lifecycle.yaml").preset()


def test_an_open_envelope_holds_a_ticket_open(store: Store) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later(1))
    asked = desk.open_envelope("web:1", by="ana", reason="DNS", team_id="network", at=later(2))
    assert store.ticket("web:1").status == Status.WAITING_INTERNAL
    with pytest.raises(NotAllowed, match="open envelope"):
        desk.resolve("web:1", by="ana", summary="done", at=later(3))
    desk.cancel_envelope(asked.id, by="ana", reason="found it", at=later(3))
    assert desk.resolve("web:1", by="ana", summary="done", at=later(4)).status == Status.RESOLVED


def test_an_unowned_ticket_is_only_escalated() -> None:
    opened = envelopes.open_for(
        a_ticket(), key="e1", by="system", reason="rule", team_id="network", automatic=True, at=later(1), policy=POLICY,
        preset=CANONICAL,
    )  # fmt: skip
    assert (opened.ticket.status, opened.ticket.escalated) == (Status.NEW, True)
