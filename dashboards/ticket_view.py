"""One ticket as its page has it: the ticket, what the reader may know of it, and what can be asked of the desk."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import polars as pl
import streamlit as st

from dashboards import acting, opening
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import queries
from pipelines.marts import MartReader


class TicketView(NamedTuple):
    """`names` of people, groups, teams and customers by id; `events`, `letters` and `records` as far as the reader may
    know them: what happened, what was written, and envelopes, tasks, flags, grants, nudges, own reminders."""

    app: App
    user: User
    ticket: Any
    reader: MartReader
    names: Mapping[str, str]
    events: list[Any]
    letters: list[Any]
    records: list[Any]

    @property
    def is_mine(self) -> bool:
        return bool(self.ticket.owner_id == self.user.id)

    def name(self, key: str | None) -> str:
        return "nobody" if key is None else self.names.get(key, key)

    def of(self, kind: str) -> list[Any]:
        """The records of a kind, such as `Envelope`."""
        return [record for record in self.records if type(record).__name__ == kind]

    def may(self, operation: str) -> bool:
        return acting.may(self.app, self.user, operation)

    def act(self, operation: str, key: str | None = None) -> acting.Act:
        return acting.Act(operation, key or self.ticket.id, self.ticket.id, self.ticket.version)

    def offer(self, operation: str, label: str, key: str | None = None, **options: Any) -> None:
        """The operation behind a button, if the reader has the right."""
        acting.offer(self.app, self.user, self.act(operation, key), label, **options)

    def form(self, operation: str, label: str, **options: Any) -> None:
        acting.form(self.app, self.user, self.act(operation), label, **options)

    def published(self, mart: str, order: str) -> pl.DataFrame:
        """The rows of a mart about this ticket."""
        return opening.ask(queries.of_ticket, self.reader, mart, self.ticket.id, order)


def view_of(app: App, user: User, ticket: Any, reader: MartReader) -> TicketView:
    """What the reader may know of the ticket now."""
    happened = app.desk.read_history(ticket.id, reader=user)
    done = {event.id for event in app.store.history(ticket.id)}
    letters = [entry for entry in app.desk.read_timeline(ticket.id, reader=user) if entry.id not in done]
    names = opening.ask(queries.names, reader) | _people(app) | _contacts(app, ticket, happened)
    return TicketView(
        app, user, ticket, reader, names, happened, letters, app.desk.read_records(ticket.id, reader=user)
    )


def _people(app: App) -> dict[str, str]:
    frames = [app.store.frame(table).select("id", "name") for table in ("teams", "agents")]
    return dict(pl.concat(frames).iter_rows())


def _contacts(app: App, ticket: Any, happened: list[Any]) -> dict[str, str]:
    """The customer's people who asked or wrote."""
    people = {ticket.requester_id, *(event.actor for event in happened)} - {None}
    return dict(app.store.frame("contacts", ["id", "name"], where={"id": people}).iter_rows())


def zone() -> str | None:
    return st.context.timezone
