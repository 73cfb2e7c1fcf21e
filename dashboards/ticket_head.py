"""The head of a ticket's page: what it is, who has it, who asked and since when."""

from typing import Any, Literal

import streamlit as st

from dashboards import cards, history
from dashboards.ticket_view import TicketView
from pipelines.figures import words

PRIORITIES: dict[str, Literal["red", "orange", "blue", "gray"]] = {
    "critical": "red", "high": "orange", "medium": "blue", "low": "gray",
}  # fmt: skip
WIDTH = 148


def owner(ticket: Any, names: history.Names) -> str:
    """Who accepted the ticket; only of an open one somebody still may."""
    if ticket.owner_id:
        return history.named(ticket.owner_id, names)
    return "nobody yet" if ticket.is_open else "nobody accepted it"


def show(view: TicketView) -> None:
    """What it is, its marks, who and since when; every value as plain text."""
    ticket, zone = view.ticket, st.context.timezone
    with st.container(horizontal=True, vertical_alignment="center"):
        st.text(f"{ticket.reference}: {ticket.subject or 'without a subject'}")
        st.badge(words.plain(ticket.status), color="blue" if ticket.is_open else "gray")
        st.badge(words.plain(ticket.priority), color=PRIORITIES.get(ticket.priority, "gray"))
        for mark in marks(view):
            st.badge(mark, color="violet")
    ended = {"Resolved": ticket.resolved_at, "Closed": ticket.closed_at}
    facts = {
        "Owner": owner(ticket, view.names),
        "Assigned to": view.name(ticket.assignee_id),
        "Group": view.names.get(ticket.group_id, ticket.group_id) or "–",
        "Requester": history.named(ticket.requester_id, view.names) if ticket.requester_id else "–",
        "Customer": history.named(ticket.company_id, view.names) if ticket.company_id else "–",
        "Contract tier": words.plain(ticket.tier),
        "Type": words.plain(ticket.type),
        "Opened": words.instant(ticket.created_at, zone),
        "Updated": words.instant(ticket.updated_at, zone),
        **{label: words.instant(at, zone) for label, at in ended.items() if at and not ticket.is_open},
    }
    with st.container(border=True, horizontal=True):
        for label, value in facts.items():
            with st.container(width=WIDTH):
                cards.fact(st, label, value)


def marks(view: TicketView) -> list[str]:
    """What a reader should know at once."""
    waiting = sum(one.approval_status == "pending" for one in view.of("Resolution"))
    envelopes = sum(one.is_open for one in view.of("Envelope"))
    return [
        *(["VIP"] if view.ticket.vip else []),
        *(["escalated"] if view.ticket.escalated and not envelopes else []),
        *([words.count(envelopes, "open envelope")] if envelopes else []),
        *([words.count(waiting, "grant") + " to approve"] if waiting else []),
        *sorted(words.plain(flag.type) for flag in view.of("CaseFlag") if flag.is_active),
    ]
