"""A ticket has its customer's tier and VIP where its source does not say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from engine.contracts import Company, Contact, Delivery, Event, Kind, StandardTicket, Tier
from engine.customers import customers, with_customers
from engine.plugins.files import one_record
from engine.plugins.mapping import TicketMapping

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
KNOWN = customers(
    [
        Contact(id="CT-1", email="ana@acme.example", name="Ana", company_id="CO-1", vip=True),
        Contact(id="CT-2", email="ben@home.example", name="Ben", tier=Tier.BUSINESS),
    ],
    [Company(id="CO-1", name="Acme", tier=Tier.ENTERPRISE)],
)


def completed(**given: Any) -> tuple[Tier, bool]:
    ticket = StandardTicket(ticket_id="1", source="web", created_at=MONDAY, **given)
    (found,) = with_customers(Delivery(tickets=(ticket,)), KNOWN).tickets
    return found.tier, found.vip


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (Tier.STANDARD, False)),
        ({"requester": "CT-1"}, (Tier.ENTERPRISE, True)),
        ({"requester": "ANA@acme.example"}, (Tier.ENTERPRISE, True)),
        ({"requester": "CT-2"}, (Tier.BUSINESS, False)),
        ({"requester": "nobody", "company": "acme"}, (Tier.ENTERPRISE, False)),
        ({"requester": "CT-1", "tier": "standard"}, (Tier.STANDARD, True)),
        ({"requester": "CT-1", "vip": False}, (Tier.ENTERPRISE, False)),
    ],
)
def test_what_the_source_does_not_say_comes_from_the_customer(given: Any, expected: tuple[Tier, bool]) -> None:
    assert completed(**given) == expected


@pytest.mark.parametrize(
    ("columns", "constants", "tier"),
    [
        ({}, {}, Tier.ENTERPRISE),
        ({"tier": "plan"}, {}, Tier.STANDARD),
        ({}, {"tier": "standard"}, Tier.STANDARD),
        ({"tier": "empty"}, {}, Tier.ENTERPRISE),
    ],
    ids=["neither", "a column", "a constant", "an empty cell"],
)
def test_a_mapping_that_says_standard_is_believed(columns: Any, constants: Any, tier: Tier) -> None:
    own = {"ticket_id": "id", "created_at": "at", "requester": "by"}
    mapping = TicketMapping(source="web", columns=own | columns, constants=constants)
    row = {"id": "1", "at": "2026-03-02T09:00:00Z", "by": "CT-1", "plan": "standard", "empty": None}
    (ticket,) = with_customers(one_record(row, mapping, "test"), KNOWN).tickets
    assert ticket.tier == tier


def test_the_creation_tells_the_tier_too() -> None:
    ticket = StandardTicket(ticket_id="1", source="web", created_at=MONDAY, requester="CT-1")
    born = Event(ticket_id="web:1", kind=Kind.CREATED, at=MONDAY, data={"status": "new", "tier": "standard"})
    (event,) = with_customers(Delivery(tickets=(ticket,), events=(born,)), KNOWN).events
    assert event.data == {"status": "new", "tier": "enterprise"}
