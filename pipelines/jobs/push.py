"""Drafted replies go back to the system of their ticket, for its agents alone: queued once a draft, then delivered."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import polars as pl

from engine.contracts import OPEN_STATUSES
from engine.shared.errors import BadInput, NotAllowed
from engine.storage.outbox import Parcel
from pipelines.app.container import App
from pipelines.app.locks import alone
from pipelines.jobs.deliver import Delivered, deliver


class Choice(NamedTuple):
    """Which of the newest drafts of open tickets go, and how many stay: those that rest on no article, and those that a
    person has judged."""

    parcels: list[Parcel]
    ungrounded: int
    judged: int


class Pushed(NamedTuple):
    choice: Choice
    delivered: Delivered


def push_suggestions(app: App, *, at: datetime, source: str | None = None) -> Pushed:
    """Queue what was not queued before, and send what waits. Raises NotAllowed while HELMDESK_PUSH_SUGGESTIONS is off,
    BadInput for a source that takes no notes."""
    if not app.settings.push_suggestions:
        raise NotAllowed(
            "suggestions go nowhere: set HELMDESK_PUSH_SUGGESTIONS=true, so that they are written to their tickets as "
            "internal notes (--dry-run shows which)"
        )
    with alone(app, "push"):
        choice = chosen(app, source=source)
        app.outbox.queue_suggestions(choice.parcels, at=at)
        names = [app.notes[each].name for each in _sources(app, source)]
        return Pushed(choice, deliver(app, at=at, only=names))


def chosen(app: App, *, source: str | None = None) -> Choice:
    """What would be queued now."""
    tickets = _open_tickets(app, _sources(app, source))
    judged = {given.suggestion_id for given in app.triage.feedback.feedback()}
    drafts = app.triage.store.latest_suggestions(list(tickets))
    fresh = [draft for draft in drafts.values() if draft.id not in judged]
    allowed = [draft for draft in fresh if draft.grounded or app.settings.push_ungrounded]
    parcels = []
    for draft in sorted(allowed, key=lambda draft: draft.ticket_id):
        origin, number = tickets[draft.ticket_id]
        payload = {"ticket": number, "text": draft.text}
        key = f"{draft.ticket_id}/draft/{draft.id}"
        parcels.append(Parcel(app.notes[origin].name, draft.ticket_id, key, payload))
    known = app.outbox.known([parcel.key for parcel in parcels])
    new = [parcel for parcel in parcels if parcel.key not in known]
    return Choice(new, len(fresh) - len(allowed), len(drafts) - len(fresh))


def _sources(app: App, source: str | None) -> list[str]:
    if source is None:
        return sorted(app.notes)
    if source not in app.notes:
        raise BadInput(f"no notes go to {source!r}; there are {', '.join(sorted(app.notes)) or 'none with an address'}")
    return [source]


def _open_tickets(app: App, sources: list[str]) -> Mapping[str, tuple[str, str]]:
    """Source and the source's own key of each, by ticket."""
    columns = ["id", "source", "external_id"]
    there = {"source": sources, "status": [status.value for status in OPEN_STATUSES]}
    found: pl.DataFrame = app.store.frame("tickets", columns, where=there)
    return {ticket: (source, number) for ticket, source, number in found.iter_rows()}
