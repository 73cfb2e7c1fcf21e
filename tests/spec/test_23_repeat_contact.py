"""Rob's two VPN tickets and one chaser make three: flagged."""

from engine.flags import CaseFlag, FlagType
from engine.storage.ports import Store
from tests.engine.people import a_desk, delivered, later


def test_two_tickets_and_a_chaser_are_three(store: Store) -> None:
    rob = {"requester": "rob", "category": "vpn"}
    desk = a_desk(store, delivered(1, **rob), delivered(2, **rob))
    desk.receive("web:2", text="still nothing", at=later(1))
    assert [(flag.ticket_id, flag.type) for flag in store.all(CaseFlag)] == [("web:2", FlagType.REPEAT_CONTACT)]


def test_other_is_no_issue_to_come_back_to(store: Store) -> None:
    rob = {"requester": "rob", "category": "other"}
    desk = a_desk(store, delivered(1, **rob), delivered(2, **rob))
    desk.receive("web:2", text="still nothing", at=later(1))
    assert store.all(CaseFlag) == []
