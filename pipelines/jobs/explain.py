"""Why does a clock of this ticket show what it shows?"""

from datetime import datetime
from typing import TYPE_CHECKING

from engine.not_measured import in_words
from pipelines.app.container import App
from pipelines.clock_replay import clock_inputs, read_events, read_tickets

if TYPE_CHECKING:
    from sla.clocks.explain import Ledger


def explain(app: App, ticket: str, *, as_of: datetime) -> "list[Ledger]":
    """A ledger for every window of every promised clock, from the history as it is now, under the policies in force.

    `ticket` is its key, reference or external id. Raises NotFound.
    """
    from sla.clocks.explain import explain as ledgers

    found, rules = app.store.ticket(ticket), app.policies.sla
    stored, history = read_tickets(app.store, ticket=found.id), read_events(app.store, rules, ticket=found.id)
    born, moves = clock_inputs(stored, history, rules)
    why = {name: in_words(unknown.why) for name, unknown in (found.unknown or {}).items()}
    return ledgers(born.row(0, named=True), moves.to_dicts(), rules.policies, rules.calendars, as_of, why=why)
