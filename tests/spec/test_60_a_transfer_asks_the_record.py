"""Ana is away for 30 days: her tickets stay hers; for 31: a manager may transfer them."""

import pytest

from engine.contracts import Absence, Agent
from engine.ownership import TransferReason
from engine.shared.errors import NotAllowed
from engine.storage.ports import Store
from tests.engine.people import ANA, a_desk, later, on_leave


def transferred(store: Store, ana: Agent) -> str | None:
    desk = a_desk(store)
    desk.accept("web:1", by="ana", at=later())
    store.put([ana])
    reason = TransferReason.EXTENDED_LEAVE
    return desk.transfer("web:1", to="ben", reason=reason, by="dirk", at=later(1)).owner_id


def test_thirty_days_are_no_long_leave(store: Store) -> None:
    with pytest.raises(NotAllowed, match=r"active and away for 30 days, and that is no extended_leave"):
        transferred(store, on_leave(ANA, 30))


def test_thirty_one_days_are(store: Store) -> None:
    assert transferred(store, on_leave(ANA, 31)) == "ben"


@pytest.mark.parametrize(("gap", "owner"), [(0, "ben"), (1 / 60, None)])
def test_absences_that_meet_are_one(store: Store, gap: float, owner: str | None) -> None:
    first = Absence(starts_at=later(), ends_at=later(days=20))
    second = Absence(starts_at=later(minutes=gap, days=20), ends_at=later(days=31))
    ana = ANA.model_copy(update={"absences": (first, second)})
    if owner:
        assert transferred(store, ana) == owner
    else:
        with pytest.raises(NotAllowed, match="away for 20 days"):
            transferred(store, ana)
