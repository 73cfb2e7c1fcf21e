"""One ticket: what is asked, what is owed, and what one can do about it now."""

from collections.abc import Callable

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

SECTIONS: dict[str, Callable[[TicketView], None]] = {
    "Conversation": ticket_conversation.show,
    "Clocks": ticket_clocks.show,
    "Why": ticket_why.show,
    "Help": ticket_help.show,
    "Grants": ticket_marks.grants,
    "Marks": ticket_marks.marks,
    "Case": ticket_file.case,
    "History": ticket_file.audit,
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
    ticket_clocks.strip(view)
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
    SECTIONS[chosen or "Conversation"](view)


page()
