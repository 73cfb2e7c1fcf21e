"""The head of a ticket's page: what it is, who has it, who asked and since when."""

from typing import Any

import streamlit as st

from dashboards import cards, history, words
from pipelines.app.container import App


def contacts(app: App, ticket: Any, happened: list[Any]) -> dict[str, str]:
    """The names of the customer's people who asked or wrote, by id."""
    people = {ticket.requester_id, *(event.actor for event in happened)} - {None}
    found = app.store.frame("contacts", ["id", "name"], where={"id": people})
    return dict(found.iter_rows())


def owner(ticket: Any, names: dict[str, str]) -> str:
    """Who accepted the ticket; only of an open one somebody still may."""
    if ticket.owner_id:
        return history.named(ticket.owner_id, names)
    return "nobody yet" if ticket.is_open else "nobody accepted it"


def show(ticket: Any, names: dict[str, str]) -> None:
    """Who, what, since when; every value as plain text."""
    zone = st.context.timezone
    ended = {"Resolved": ticket.resolved_at, "Closed": ticket.closed_at}
    facts = {
        "Reference": ticket.reference,
        "Status": words.plain(ticket.status) + (", escalated" if ticket.escalated else ""),
        "Priority": words.plain(ticket.priority) + (", VIP" if ticket.vip else ""),
        "Contract tier": words.plain(ticket.tier),
        "Type": words.plain(ticket.type),
        "Owner": owner(ticket, names),
        "Assigned to": history.named(ticket.assignee_id, names) if ticket.assignee_id else "nobody",
        "Group": names.get(ticket.group_id, ticket.group_id) or "–",
        "Requester": history.named(ticket.requester_id, names) if ticket.requester_id else "–",
        "Customer": history.named(ticket.company_id, names) if ticket.company_id else "–",
        "Opened": words.instant(ticket.created_at, zone),
        "Updated": words.instant(ticket.updated_at, zone),
        **{label: words.instant(at, zone) for label, at in ended.items() if at and not ticket.is_open},
    }
    with st.container(border=True):
        for first in range(0, len(facts), 5):
            for column, (label, value) in zip(st.columns(5), list(facts.items())[first : first + 5], strict=False):
                cards.fact(column, label, value)
