"""Why does a clock of this ticket show what it shows?"""

from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.app.container import App
from pipelines.clock_replay import AS_CREATED, clock_events, read_events, read_tickets

if TYPE_CHECKING:
    from sla.clocks.explain import Ledger


def explain(app: App, ticket: str, *, as_of: datetime) -> "list[Ledger]":
    """A ledger for every window of every promised clock, from the history as it is now, under the policies in force.

    `ticket` is its key, reference or external id. Raises NotFound.
    """
    from sla.clocks.explain import explain as ledgers

    key = app.store.ticket(ticket).id
    created = read_tickets(app.store, ticket=key).select(**AS_CREATED).row(0, named=True)
    return ledgers(
        created,
        clock_events(read_events(app.store, ticket=key)).to_dicts(),
        app.policies.sla.policies,
        app.policies.sla.calendars,
        as_of,
    )
