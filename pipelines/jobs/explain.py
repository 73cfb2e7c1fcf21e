"""Why does a clock of this ticket show what it shows?"""

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.app.container import App
from pipelines.jobs.evaluate_sla import clock_events, tickets_as_created

if TYPE_CHECKING:
    from sla.clocks.explain import Ledger


def explain(app: App, ticket_id: str, *, as_of: datetime) -> "list[Ledger]":
    """A ledger for every window of every promised clock, from the history as it is now, under the policies in force.

    `ticket_id` is the ticket's key, reference or external id. Raises NotFound.
    """
    from sla.clocks.explain import explain as ledgers

    key = app.store.ticket(ticket_id).id
    created = tickets_as_created(app, ticket=key).row(0, named=True)
    events = clock_events(app, ticket=key).to_dicts()
    return ledgers(created, events, app.policies.sla.policies, app.policies.sla.calendars, as_of)
