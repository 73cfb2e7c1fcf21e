"""What one can do with a ticket now: what the desk does in this state stands first, all else under More."""

from typing import Any, NamedTuple

import streamlit as st

from dashboards.ticket_view import TicketView
from pipelines import actions
from pipelines.figures import words

LABELS = {
    "ticket accept": "Accept", "ticket status": "Status", "ticket resolve": "Resolve", "ticket priority": "Priority",
    "ticket due": "Agree an end", "ticket pause": "Pause the clocks", "ticket resume": "Let the clocks run",
    "ticket assign": "Assign",
    "ticket close": "Close", "ticket reopen": "Reopen", "ticket release": "Release", "ticket transfer": "Transfer",
    "ticket receive": "Take down what the customer says",
}  # fmt: skip

LEADS = frozenset({"ticket assign", "ticket pause"})
"""What only a lead of the ticket's team does."""
DECIDES = frozenset({"ticket priority", "ticket due", "ticket resume"})
"""What its owner does, too."""


class Standing(NamedTuple):
    """What of a ticket and its reader decides on the next step."""

    is_open: bool
    is_resolved: bool
    has_owner: bool
    is_mine: bool
    leads: bool
    is_paused: bool
    can_move: bool


def fitting(now: Standing) -> list[str]:
    """The operations that the desk does in this standing, the next step first; it has the last word on each."""
    decides = now.is_mine or now.leads
    held = {
        "ticket accept": now.is_open and not now.has_owner,
        "ticket assign": now.is_open and not now.has_owner and now.leads,
        "ticket resume": now.is_open and now.is_paused and decides,
        "ticket status": now.is_open and now.is_mine and now.can_move,
        "ticket resolve": now.is_open and now.is_mine,
        "ticket close": now.is_resolved and now.is_mine,
        "ticket reopen": not now.is_open and (now.is_mine or not now.has_owner),
        "ticket release": not now.is_open and now.is_mine,
        "ticket priority": now.is_open and decides,
        "ticket due": now.is_open and decides,
        "ticket pause": now.is_open and now.leads and not now.is_mine and not now.is_paused,
    }
    return [name for name, holds in held.items() if holds]


def standing(view: TicketView) -> Standing:
    ticket = view.ticket
    return Standing(
        is_open=ticket.is_open,
        is_resolved=ticket.status == "resolved",
        has_owner=ticket.owner_id is not None,
        is_mine=view.is_mine,
        leads=view.may("ticket pause") and view.app.desk.leads(ticket.id, reader=view.user.id),
        is_paused=actions.is_paused(view.app, ticket.id),
        can_move=bool(moves(view)),
    )


def moves(view: TicketView) -> dict[str, str]:
    """Where a change of its status leads from here."""
    ways = view.app.desk.policies.lifecycle.moves_from(view.ticket.status)
    return {str(way): words.plain(way) for way in ways}


def options(view: TicketView, operation: str) -> dict[str, Any]:
    return {"choices": {"to": moves(view)}} if operation == "ticket status" else {}


def show(view: TicketView) -> None:
    """The buttons, and the form of what was chosen under More."""
    now = standing(view)
    first = [name for name in fitting(now) if view.may(name)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        for place, name in enumerate(first):
            view.offer(name, LABELS[name], is_first=place == 0, **options(view, name))
        others = (frozenset() if now.leads else LEADS) | (frozenset() if now.leads or now.is_mine else DECIDES)
        rest = [name for name in LABELS if name not in first and name not in others and view.may(name)]
        chosen = (
            st.selectbox(
                "More", rest, None, format_func=LABELS.__getitem__, placeholder="More", label_visibility="collapsed",
                key="more", width=200,
            )
            if rest
            else None
        )  # fmt: skip
    if chosen:
        with st.container(border=True):
            view.form(chosen, LABELS[chosen], **options(view, chosen))
