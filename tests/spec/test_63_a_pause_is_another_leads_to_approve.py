"""Ana owns INC-1 and can't pause its clocks; Cleo, her team lead, may. Of Cleo's own ticket another lead has to."""

import pytest

from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import a_desk, later

FREEZE = "change freeze at the customer"


@pytest.mark.parametrize(("owner", "refused", "by"), [("ana", ["ana", "ben"], "cleo"), ("cleo", ["cleo"], "dirk")])
def test_neither_its_owner_nor_an_agent(store: Store, owner: str, refused: list[str], by: str) -> None:
    desk = a_desk(store)
    desk.accept("web:1", by=owner, at=later(1))
    for name in refused:
        with pytest.raises(NotAllowed, match="ask another lead"):
            desk.pause("web:1", by=name, reason=FREEZE, at=later(2))
    desk.pause("web:1", by=by, reason=FREEZE, at=later(2))
    last = store.history("web:1")[-1]
    assert (last.kind, last.actor, last.sla_effect, last.value) == ("pause", by, "pause", FREEZE)
