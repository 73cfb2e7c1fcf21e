"""A ticket beside the list it was chosen from: what it is, what is owed, what was written last, and the next step."""

from typing import Any

import polars as pl
import streamlit as st

from dashboards import acting, pages, ticket_conversation, ticket_head, ticket_steps
from dashboards.ticket_clocks import BADGES
from dashboards.ticket_view import TicketView
from pipelines.figures import words

LETTERS = 3
FORMS = {"ticket reply": ("Reply", "p"), "ticket envelope": ("Envelope", "e"), "ticket status": ("Status", "s")}
DOING = "doing beside the list"


def show(view: TicketView, clocks: pl.DataFrame) -> None:
    """`clocks` are the ticket's running clocks as of now."""
    ticket = view.ticket
    st.text(f"{ticket.reference}: {ticket.subject or 'without a subject'}")
    with st.container(horizontal=True, gap="small"):
        st.badge(words.plain(ticket.status), color="blue")
        st.badge(words.plain(ticket.priority), color=ticket_head.PRIORITIES.get(ticket.priority, "gray"))
        for mark in ticket_head.marks(view):
            st.badge(mark, color="violet")
    who = f"owned by {view.name(ticket.owner_id)}" if ticket.owner_id else "nobody owns it"
    assigned = f", assigned to {view.name(ticket.assignee_id)}" if ticket.assignee_id else ""
    asks = f"{view.name(ticket.requester_id)}, {view.name(ticket.company_id)}, {words.plain(ticket.tier)}"
    st.text(f"{who}{assigned} · {view.names.get(ticket.group_id, ticket.group_id) or 'no group'}\nasked by {asks}")
    owed(clocks)
    steps(view)
    written(view)


def owed(clocks: pl.DataFrame) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        for clock in clocks.sort("remaining").iter_rows(named=True):
            st.badge(words.CLOCKS[clock["clock"]], color=BADGES.get(clock["state"], "gray"))
            st.text(words.left(clock["remaining"]) + (", paused" if clock["is_paused"] else ""))


def steps(view: TicketView) -> None:
    """The keys: open, accept, reply, envelope, status. The form of what was chosen stands below."""
    ticket, doing = view.ticket, (view.ticket.id, view.ticket.version)
    with st.container(horizontal=True, gap="small"):
        if st.button("Open", key="open aside", shortcut="enter"):
            st.switch_page(pages.TICKET, query_params={"ticket": ticket.reference})
        if view.may("ticket accept") and ticket.owner_id is None:
            st.button("Accept", key="accept aside", shortcut="a", type="primary", on_click=acting.act,
                      args=(view.app, view.user, view.act("ticket accept")))  # fmt: skip
        for operation, (label, key) in FORMS.items():
            if view.may(operation):
                st.button(label, key=f"{operation} aside", shortcut=key, on_click=_begin, args=(*doing, operation))
    if st.session_state.get(DOING, ())[:2] != doing:
        return
    operation = st.session_state[DOING][2]
    with st.container(border=True):
        if operation == "ticket reply":
            ticket_conversation.composer(view)
        else:
            view.form(operation, FORMS[operation][0], **ticket_steps.options(view, operation))


def _begin(ticket: str, version: int, operation: str) -> None:
    """The same key again puts the form away."""
    wanted = (ticket, version, operation)
    st.session_state[DOING] = () if st.session_state.get(DOING) == wanted else wanted


def written(view: TicketView) -> None:
    """The last letters and, behind a word, the newest draft."""
    draft: Any = ticket_conversation.newest_draft(view)
    if draft is not None:
        with st.expander("A draft is ready", on_change="rerun") as there:
            if there.open:
                ticket_conversation.read_draft(draft)
    for letter in ticket_conversation.letters(view)[:LETTERS]:
        ticket_conversation.draw(view, letter)
