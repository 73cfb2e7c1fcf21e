"""What was written on a ticket, the newest where one writes: customer, desk and internal notes told apart."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import streamlit as st

from dashboards import acting, forms
from dashboards.ticket_view import TicketView, zone
from pipelines import actions
from pipelines.figures import words

SHOWN = 30
SEND = "Send to the customer"
Side = Literal["customer", "desk", "note", "envelope"]
BADGES: dict[Side, tuple[str, Literal["blue", "green", "orange", "violet"]]] = {
    "customer": ("customer", "blue"),
    "desk": ("desk", "green"),
    "note": ("internal note", "orange"),
    "envelope": ("inside an envelope", "violet"),
}
SIDES: dict[str, Side] = {"email_inbound": "customer", "email_outbound": "desk", "resolution": "desk", "note": "note"}


class Letter(NamedTuple):
    at: datetime
    author: str
    side: Side
    text: str


def letters(view: TicketView) -> list[Letter]:
    """All that was written, the newest first: what was written here and what the source brought, each once."""
    here = [
        Letter(
            one.created_at, one.author_id, "envelope" if one.envelope_id else SIDES.get(one.type, "note"), one.content
        )
        for one in view.letters
    ]
    known = {(one.at, one.author) for one in here}
    brought = [one for one in _brought(view) if (one.at, one.author) not in known]
    question = Letter(
        view.ticket.created_at, view.ticket.requester_id or "customer", "customer", view.ticket.content or "–"
    )
    return sorted([question, *here, *brought], key=lambda one: one.at, reverse=True)


def _brought(view: TicketView) -> Iterable[Letter]:
    agents = set(forms.agents(view.app))
    for event in view.events:
        text = event.data.get("text") or event.data.get("content")
        if text and event.kind in ("message", "response", "customer_message"):
            is_note = event.data.get("visibility") == "internal" or event.actor in agents
            side: Side = "desk" if event.kind == "response" else "note" if is_note else "customer"
            yield Letter(event.at, event.actor, "customer" if event.kind == "customer_message" else side, str(text))


def show(view: TicketView) -> None:
    composer(view)
    written = letters(view)
    for letter in written[:SHOWN]:
        draw(view, letter)
    if len(written) > SHOWN:
        with st.expander(f"{len(written) - SHOWN:,} earlier", on_change="rerun") as earlier:
            for letter in written[SHOWN:] if earlier.open else ():
                draw(view, letter)


def draw(view: TicketView, letter: Letter) -> None:
    label, color = BADGES[letter.side]
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(label, color=color)
            st.text(view.name(letter.author))
            st.caption(words.instant(letter.at, zone()))
        st.text(letter.text)


def composer(view: TicketView) -> None:
    """Where the owner answers, beginning with the newest draft; and a note for colleagues."""
    draft = newest_draft(view)
    if not view.may("ticket reply"):
        read_draft(draft)
        return
    if view.is_mine and view.ticket.is_open:
        _answer(view, draft)
    else:
        read_draft(draft)
        st.caption(
            "Its owner answers the customer." if view.ticket.owner_id else "Who accepts it answers the customer."
        )
    _macros(view, draft)
    with st.container(horizontal=True):
        view.offer("ticket note", "Write a note", given={"envelope_id": None})
        if _is_new(view, draft):
            _not_used(view, draft)


def _is_new(view: TicketView, draft: Any) -> bool:
    """Whether there is a draft of which nobody said yet what became of it."""
    judged = view.app.triage.feedback.feedback_of(view.ticket.id) if draft is not None else []
    return draft is not None and all(one.suggestion_id != draft.id for one in judged)


def newest_draft(view: TicketView) -> Any:
    """The newest draft if it rests on sources, else None."""
    draft = view.app.triage.store.latest_suggestions([view.ticket.id]).get(view.ticket.id)
    return draft if draft is not None and draft.grounded else None


def _answer(view: TicketView, draft: Any) -> None:
    begins = _is_new(view, draft) and st.toggle("Begin with the draft", value=True, key=f"begin with {draft.id}")
    with st.container(border=True):
        st.caption("Answer to the customer")
        if begins:
            view.form("ticket reply", SEND, given={"draft": True}, starts={"text": draft.text}, place=draft.id)
            st.caption(f"A suggestion by {words.plain(draft.model_used)}: read it, change it; you send it.")
            _citations(draft)
        else:
            view.form("ticket reply", SEND, given={"draft": False})


def read_draft(draft: Any) -> None:
    if draft is not None:
        st.caption(f"A draft by {words.plain(draft.model_used)}: a suggestion, not sent.")
        st.code(draft.text, language=None, wrap_lines=True)
        _citations(draft)


def _citations(draft: Any) -> None:
    """The articles that the draft cites, as links."""
    for cited in draft.citations:
        with st.container(horizontal=True, vertical_alignment="center"):
            if urlsplit(cited.url).scheme == "https":
                st.link_button(f"Article {cited.index}", cited.url)
            st.text(f"[{cited.index}] {cited.title}")


def _not_used(view: TicketView, draft: Any) -> None:
    """Why a draft was no use, for triage to learn from."""
    with st.popover("The draft is no use"):
        reason = f"rejected {draft.id}"
        st.text_input("Why not?", key=reason, max_chars=2_000)
        st.button("Keep the reason", on_click=_rejected, args=(view, draft, reason))


def _rejected(view: TicketView, draft: Any, reason: str) -> None:
    def keep() -> object:
        why = st.session_state[reason]
        return actions.record_feedback(view.app, view.ticket.id, by=view.user.id, rejected=why, shown=draft.text)

    acting.attempt(view.app, view.user, acting.Act("the draft is judged", draft.id, view.ticket.id), keep)


def _macros(view: TicketView, draft: Any) -> None:
    """The canned replies whose signals or codes the ticket has, each with its runbook and documents."""
    found = view.published("suggestions", "created_at")
    fitting = set(json.loads(found["macros"][-1] or "[]")) if found.height else set(draft.macros if draft else ())
    for macro in view.app.triage.macros:
        if macro.id in fitting:
            with st.expander(f"Macro that fits: {macro.title}"):
                st.code(macro.text, language=None, wrap_lines=True)
                st.caption(f"Articles: {', '.join(macro.docs)}")
                if macro.runbook and urlsplit(macro.runbook).scheme == "https":
                    st.link_button("Runbook", macro.runbook)
