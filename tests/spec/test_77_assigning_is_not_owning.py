"""INC-6 is nobody's; Cleo, who leads, assigns it to Ben, who takes one ticket: it is Ben's work and still nobody's."""

import pytest

from engine.access import user_of
from engine.contracts import Agent, Delivery, Ticket
from engine.shared.errors import NotAllowed
from pipelines.app.container import App
from pipelines.operations import OPERATIONS, perform
from tests.engine.people import ANA, BEN, CLEO, MONDAY, a_desk, delivered, later


@pytest.fixture
def desk(app: App) -> App:
    a_desk(app.store)
    app.store.ingest(Delivery(tickets=(delivered(6), delivered(7))), at=MONDAY)
    return app


def assign(app: App, number: int, by: Agent) -> Ticket:
    perform(app, OPERATIONS["ticket assign"], user=user_of(by), key=f"web:{number}", arguments={"to": "ben"},
            at=later(1))  # fmt: skip
    return app.store.ticket(f"web:{number}")


def test_who_is_assigned_has_work_and_owns_by_accepting(desk: App) -> None:
    assigned = assign(desk, 6, CLEO)
    assert (assigned.assignee_id, assigned.owner_id) == ("ben", None)
    with pytest.raises(NotAllowed, match="Ben"):
        assign(desk, 7, CLEO)
    perform(desk, OPERATIONS["ticket accept"], user=user_of(BEN), key="web:6", at=later(2))
    assert desk.store.ticket("web:6").owner_id == "ben"
    with pytest.raises(NotAllowed, match="owned by ben and stays there"):
        assign(desk, 6, CLEO)


def test_assigning_is_a_leads(desk: App) -> None:
    with pytest.raises(NotAllowed, match="supervise"):
        assign(desk, 6, ANA)
