"""One ticket: what is asked, what is owed, and what one can do about it now."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboards import (
    acting,
    cards,
    opening,
    sign_in,
    ticket_clocks,
    ticket_conversation,
    ticket_file,
    ticket_head,
    ticket_help,
    ticket_marks,
    ticket_steps,
    ticket_why,
    visit,
)
from dashboards.ticket_view import TicketView, view_of
from pipelines.app import identity

Section = Callable[[TicketView, list[Any]], None]
SECTIONS: dict[str, Section] = {
    "Conversation": lambda view, _: ticket_conversation.show(view),
    "Clocks": ticket_clocks.show,
    "Why": lambda view, _: ticket_why.show(view),
    "Help": lambda view, _: ticket_help.show(view),
    "Grants": lambda view, _: ticket_marks.grants(view),
    "Marks": lambda view, _: ticket_marks.marks(view),
    "Case": lambda view, _: ticket_file.case(view),
    "History": lambda view, _: ticket_file.audit(view),
}


def page() -> None:
    app, user, reader, _ = visit.begin("ticket", is_logged=False)
    name = st.text_input("Ticket", key="ticket", bind="query-params", placeholder="its reference or id").strip()
    if not name:
        st.info("Type a reference or an id, or open a ticket from the queue.")
        return
    try:
        ticket = app.desk.read_ticket(name, reader=user)
    except opening.HelmdeskError as error:
        cards.refused(error)
        return
    identity.saw(app, user, door="ticket", ticket_id=ticket.id)
    view = view_of(app, user, ticket, reader)
    acting.answer(app, user, view.names)
    ticket_head.show(view)
    clocks = ticket_clocks.ledgers(view)
    ticket_clocks.strip(view, clocks)
    if not sign_in.may_work(app, user, doing="work on tickets"):
        pass
    elif user.id.startswith(identity.LOCAL):
        st.caption("Working on a ticket is an agent's: HELMDESK_USER, or a sign-in, says which one you are.")
    else:
        ticket_steps.show(view)
    chosen = st.segmented_control(
        "Section", list(SECTIONS), default="Conversation", required=True, key="section", bind="query-params",
        label_visibility="collapsed",
    )  # fmt: skip
    SECTIONS[chosen or "Conversation"](view, clocks)


page()
