"""The case file of a ticket, the tickets it may belong to, and all that happened to it, by whom."""

from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from dashboards import enrichment, history
from dashboards.ticket_view import TicketView, zone
from pipelines import actions
from pipelines.figures import words

LINES = 100
ADDING = {
    "ticket resource": "Add a resource", "ticket incident": "Open an incident", "ticket link": "Link to an incident",
    "ticket evidence": "Add evidence", "ticket runbook": "Add a runbook",
}  # fmt: skip


def case(view: TicketView) -> None:
    st.subheader("Case file")
    found = view.app.desk.read_case(view.ticket.id, reader=view.user)
    if not found:
        st.text("Nothing was added yet.")
    for record in found:
        with st.container(border=True, gap="xsmall"):
            _record(view, record)
    ways = [name for name in ADDING if view.may(name)]
    chosen = st.selectbox("Add to the case", ways, None, format_func=ADDING.__getitem__, key="add") if ways else None
    if chosen:
        with st.container(border=True):
            view.form(chosen, ADDING[chosen])
    st.subheader("Linked tickets")
    enrichment.relatives(view.reader, view.ticket.id)


def _record(view: TicketView, record: Any) -> None:
    """One thing of the case file; addresses are shown, and followed by nobody but the reader."""
    match type(record).__name__:
        case "AffectedResource":
            facts = [record.region, record.version, record.health]
            st.text(f"Resource {record.resource}: {', '.join(filter(None, facts)) or 'no more is known'}")
            if record.config_snapshot:
                st.text(", ".join(f"{name}={value}" for name, value in record.config_snapshot.items()))
        case "Incident":
            st.text(f"Incident, {record.severity or 'no severity'}, {record.status}: {record.title}")
            lead = f"led by {view.name(record.commander)}" if record.commander else "nobody leads it"
            st.caption(f"{words.instant(record.opened_at, zone())} · {lead}")
            if record.status == "open":
                view.offer("incident close", "Close the incident", record.id)
        case "Evidence":
            st.text(f"Evidence, {words.plain(record.kind)}: {record.description or record.uri}")
            st.text(record.uri)
        case "LinkedRunbook":
            st.text(f"Runbook {record.runbook}, added by {view.name(record.linked_by)}")
            if urlsplit(record.runbook).scheme == "https":
                st.link_button("Open the runbook", record.runbook)
        case "Escalation":
            bug = f", {record.bug}" if record.bug else ""
            st.text(f"Escalated to {words.plain(record.side)} for {record.component}{bug}")
            if record.impact:
                st.text(record.impact.in_words)


def audit(view: TicketView) -> None:
    """All that happened, as far as the reader may know it, the newest first; and whether the chain is whole."""
    st.subheader("What happened?")
    broken = actions.broken_link(view.app, view.ticket.id)
    if broken is None:
        st.text(f"The chain of {words.count(view.ticket.version, 'event')} is whole: none was altered.")
    else:
        st.error(f"The history was altered from event {broken} on: `helmdesk audit verify` says more.")
    lines = history.thread(view.events, [], view.names)
    if len(lines) > LINES:
        st.caption(f"The last {LINES} of {len(lines):,} lines.")
    for at, line in reversed(lines[-LINES:]):
        when, what = st.columns([2, 5])
        when.caption(words.instant(at, zone()))
        what.text(line)
