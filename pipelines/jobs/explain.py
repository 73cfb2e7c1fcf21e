"""Why does a clock of this ticket show what it shows?"""

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.jobs.evaluate_sla import clock_events, tickets_as_created
from pipelines.wiring import House

if TYPE_CHECKING:
    from sla.explain import Ledger


def explain(house: House, ticket_id: str, *, as_of: datetime) -> "list[Ledger]":
    """A ledger for every window of every promised clock, from the history as it is now, under the policies in force.

    `ticket_id` is the ticket's key, reference or external id. Raises NotFound.
    """
    from sla.explain import explain as ledgers

    key = house.store.ticket(ticket_id).id
    created = tickets_as_created(house, ticket=key).row(0, named=True)
    events = clock_events(house, ticket=key).to_dicts()
    return ledgers(created, events, house.sla_policies, house.calendars, as_of)
