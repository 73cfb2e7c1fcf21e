"""A medium INC-1 on social media becomes high; the tier stays, and clearing the flag does not lower it again."""

from engine.contracts import Kind, SlaEffect
from engine.flags import FlagType
from engine.storage.ports import Store
from tests.engine.people import a_desk, delivered, later


def test_one_step_up_and_not_down_again(store: Store) -> None:
    desk = a_desk(store, delivered(1, priority="medium", tier="standard"))
    desk.accept("web:1", by="ana", at=later(1))
    desk.add_flag("web:1", type=FlagType.SOCIAL_MEDIA, by="ana", reason="a thread", at=later(2))
    desk.clear_flag("web:1", type=FlagType.SOCIAL_MEDIA, by="ana", at=later(3))
    ticket = store.ticket("web:1")
    assert (ticket.priority, ticket.tier) == ("high", "standard")
    raised = [event for event in store.history("web:1") if event.kind == Kind.PRIORITY]
    assert [(event.value, event.sla_effect) for event in raised] == [("high", SlaEffect.REBASE)]
