"""INC-3 of Castellane Santé came in on Sunday at 07:00: outside the extended hours; its product is not known."""

import pytest
from typer.testing import CliRunner

from engine.contracts import Delivery, Ticket
from engine.entitlements import Cover
from pipelines.actions import entitlement
from pipelines.app.container import App
from pipelines.app.settings import shipped_data
from pipelines.cli import command_line
from pipelines.jobs.people import bring_people
from tests.engine.people import MONDAY, delivered, later


def came_in(app: App, hours: float, company: str | None = "CO-003") -> Ticket:
    bring_people(app, shipped_data() / "people")
    ticket = delivered(3, company=company, created_at=later(hours))
    app.store.ingest(Delivery(tickets=(ticket,)), at=MONDAY)
    return app.store.ticket("web:3")


def test_what_is_outside_and_what_is_not_known_are_shown(app: App) -> None:
    came_in(app, -26)
    words = ["--home", str(app.settings.home), "ticket", "show", "INC-3"]
    shown = CliRunner().invoke(command_line, words, catch_exceptions=False).output
    assert "outside the contract: it came in outside the hours of business support (extended)\n" in shown
    assert "of the contract is not known: product, residency\n" in shown


@pytest.mark.parametrize(("hours", "product", "company", "covers"), [
    (-2, "DLP", "CO-003", (Cover.WITHIN, Cover.WITHIN)),
    (-2.1, "SWG", "CO-003", (Cover.OUTSIDE, Cover.OUTSIDE)),
    (-2, "Fax", "CO-003", (Cover.NOT_KNOWN, Cover.WITHIN)),
    (-26, "SWG", None, (Cover.NOT_KNOWN, Cover.NOT_KNOWN)),
])  # fmt: skip
def test_nothing_is_outside_by_guess(
    app: App, hours: float, product: str, company: str | None, covers: tuple[Cover, Cover]
) -> None:
    ticket = came_in(app, hours, company)
    assert entitlement(app, ticket.model_copy(update={"product": product}))[:2] == covers
