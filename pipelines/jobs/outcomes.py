"""What a person says of tickets that a machine seems to have written: that they do not count."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from engine.contracts import Ticket, TicketOutcome
from engine.shared.errors import NotAllowed
from pipelines.app.container import App
from pipelines.snapshot import Snapshot


def proposed(app: App, *, at: datetime) -> pl.DataFrame:
    """Tickets proposed as machine mail, the oldest first, as rows of the store."""
    return Snapshot(app, at).proposed_machine_mail


def accept_outcomes(app: App, names: Sequence[str] | None, *, by: str, at: datetime) -> list[Ticket]:
    """The tickets that are machine mail from now on; without names all that are proposed. Raises NotFound, and
    NotAllowed for one of which nothing is proposed, before any is changed."""
    waiting = proposed(app, at=at)["ticket"].to_list()
    chosen = waiting if names is None else [app.store.ticket(name).id for name in names]
    if odd := next((key for key in chosen if key not in waiting), None):
        raise NotAllowed(f"Nothing is proposed of {odd}; `helmdesk outcomes` lists the tickets that are")
    return [app.desk.end_as(key, TicketOutcome.MACHINE_MAIL, by=by, at=at) for key in dict.fromkeys(chosen)]
