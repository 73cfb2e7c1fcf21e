"""60 and 40 EUR on INC-1 are the agent's, 60 and 40.01 a team lead's; a second currency is a manager's."""

import pytest

from engine.contracts import EmpowermentConfig
from engine.desk import Desk
from engine.storage.ports import Store
from tests.engine.people import a_desk, later
from tests.engine.test_rules_of_the_day import refund


def accepted(store: Store) -> Desk:
    desk = a_desk(store)
    desk.accept("web:1", by="ben", at=later(1))
    return desk


@pytest.mark.parametrize(("second", "tier"), [("40", "agent"), ("40.01", "team_lead"), ("440.01", "manager")])
def test_the_sum_decides_who_grants_it(store: Store, second: str, tier: str) -> None:
    desk = accepted(store)
    assert desk.propose_resolution("web:1", refund("60"), by="ben", at=later(2)).tier == "agent"
    assert desk.propose_resolution("web:1", refund(second), by="ben", at=later(3)).tier == tier


def test_two_currencies_are_a_managers(store: Store) -> None:
    desk = accepted(store)
    store.put([EmpowermentConfig(team_id="network", currency="USD")])
    dollars = refund("1", currency="USD")
    assert desk.propose_resolution("web:1", dollars, by="ben", team_id="network", at=later(2)).tier == "agent"
    assert desk.propose_resolution("web:1", refund("1"), by="ben", at=later(3)).tier == "manager"


def test_what_was_refused_does_not_count(store: Store) -> None:
    desk = accepted(store)
    asked = desk.propose_resolution("web:1", refund("400"), by="ben", at=later(2))
    desk.approve_resolution(asked.id, by="cleo", is_approved=False, at=later(3))
    assert desk.propose_resolution("web:1", refund("60"), by="ben", at=later(4)).tier == "agent"
