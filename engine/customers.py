"""What contact and company say of a ticket where its source does not: the contract tier, and whether it is a VIP's.

A source says a tier if the delivered ticket was given one, by a column, a constant or a key of its own: then it stays,
`standard` too. Neither column nor constant, or an empty cell, says nothing (`StandardTicket.model_fields_set`): then
the ticket is created with what is known of its customer. Later deliveries are completed in the same way, so that a
changed contract is a change of the ticket, with its event, once the source delivers it anew.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from engine.contracts import Company, Contact, Delivery, Event, Kind, StandardTicket, Tier


class Customers(NamedTuple):
    """Contacts by id and e-mail address, companies by id and name, whatever their capitals."""

    contacts: Mapping[str, Contact]
    companies: Mapping[str, Company]


def customers(contacts: Iterable[Contact], companies: Iterable[Company]) -> Customers:
    """An id wins over an address or name that is spelled like it."""
    people, firms = list(contacts), list(companies)
    return Customers(
        {contact.email.casefold(): contact for contact in people}
        | {contact.id.casefold(): contact for contact in people},
        {company.name.casefold(): company for company in firms} | {company.id.casefold(): company for company in firms},
    )


def standing(requester: str | None, company: str | None, known: Customers) -> dict[str, Any]:
    """`tier` and `vip` as far as they are known: the tier is the company's, without one the contact's; the company is
    the ticket's, without one the contact's."""
    contact = known.contacts.get((requester or "").casefold())
    firm = known.companies.get((company or (contact and contact.company_id) or "").casefold())
    payer = firm or contact
    return ({"tier": payer.tier} if payer else {}) | ({"vip": contact.vip} if contact else {})


def with_customers(delivery: Delivery, known: Customers) -> Delivery:
    """The delivery, completed: tickets that say nothing have their customer's tier and VIP from creation on."""
    if not known.contacts and not known.companies:
        return delivery
    tickets = [completed(ticket, known) for ticket in delivery.tickets]
    tiers = {new.key: new.tier for old, new in zip(delivery.tickets, tickets, strict=True) if new.tier != old.tier}
    events = tuple(_born(event, tiers) for event in delivery.events) if tiers else delivery.events
    return delivery.model_copy(update={"tickets": tuple(tickets), "events": events})


def completed(ticket: StandardTicket, known: Customers) -> StandardTicket:
    """The ticket with the tier and VIP of its customer, where it says nothing of them."""
    found = standing(ticket.requester, ticket.company, known)
    missing = {name: value for name, value in found.items() if name not in ticket.model_fields_set}
    return ticket.model_copy(update=missing) if missing else ticket


def _born(event: Event, tiers: Mapping[str, Tier]) -> Event:
    """A creation tells the tier too."""
    if event.kind != Kind.CREATED or event.ticket_id not in tiers or "tier" not in event.data:
        return event
    return event.model_copy(update={"data": event.data | {"tier": tiers[event.ticket_id].value}})
