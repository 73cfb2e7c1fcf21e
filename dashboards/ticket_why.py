"""Why it stands where it stands: its priority, its product, its group, and why not another."""

import json
from typing import Any

import streamlit as st

from dashboards import cards, enrichment
from dashboards.ticket_view import TicketView, zone
from pipelines.figures import charts, queries, words


def show(view: TicketView) -> None:
    _priority(view)
    _product(view)
    _group(view)
    enrichment.section(view.reader, view.ticket.id)


def _priority(view: TicketView) -> None:
    st.subheader("Why this priority?")
    st.text(f"Priority {words.plain(view.ticket.priority)}" + (", VIP" if view.ticket.vip else ""))
    for event in view.events:
        if event.kind == "priority":
            reason = f": {event.reason}" if event.reason else ""
            st.text(f"{words.instant(event.at, zone())}, {view.name(event.actor)} made it {event.value}{reason}")
    for envelope in view.of("Envelope"):
        if envelope.is_open:
            whom = view.name(envelope.assigned_to or envelope.team_id)
            st.text(f"Escalated: {view.name(envelope.requested_by)} asked {whom}: {envelope.reason}")
    queued = view.published("work_queue", "ticket")
    if queued.height:
        st.text(f"Score in the queue: {queued['score_parts'][0]}")
        st.caption(f"As of {words.instant(view.reader.publication.as_of, zone())}; the highest is worked on first.")


def _product(view: TicketView) -> None:
    """What triage claimed, below what a person or the source has confirmed."""
    st.subheader("Why this product?")
    if view.ticket.product:
        st.text(f"Confirmed: {view.ticket.product}")
    found = view.published("classifications", "created_at")
    if found.is_empty():
        st.text("Not classified yet.")
        return
    claim = found.row(-1, named=True)
    st.text(f"{claim['product']}, {words.percent(claim['confidence'])} sure; urgency {words.plain(claim['urgency'])}")
    if claim["needs_review"] and not view.ticket.product:
        st.warning("Triage is not sure enough: a person decides.")
    if claim["runner_up"]:
        st.text(f"Runner-up: {claim['runner_up']}, {words.percent(claim['runner_up_confidence'])}")
    st.text(f"Why: {claim['reasoning']}")
    st.caption(f"Classified by {words.plain(claim['model_used'])}")


def _group(view: TicketView) -> None:
    st.subheader("Why this group, and not another?")
    found = view.published("allocations", "decided_at")
    if found.is_empty():
        st.text("Not allocated here.")
        return
    decision = found.row(-1, named=True)
    st.text(decision["rationale"])
    scores = queries.factor_scores(decision)
    if scores.height:
        composite = decision["composite"]
        cards.chart(charts.factor_bars, scores, f"Seven scores, weighted sum {composite:.2f}")
    for sentence in others(decision):
        st.text(sentence)
    st.caption(f"Policy {words.plain(decision['policy'])}, {words.instant(decision['decided_at'], zone())}")


def others(decision: dict[str, Any]) -> list[str]:
    """The runners-up with their scores, and for each reason the groups it kept out."""
    behind = [f"{one['group_name']} ({one['composite']:.2f})" for one in json.loads(decision.get("runners_up") or "[]")]
    lines = [f"Behind it: {', '.join(behind)}"] if behind else []
    for out in json.loads(decision.get("excluded") or "[]"):
        more = out["groups"] - len(out["names"])
        names = ", ".join(out["names"]) + (f" and {more:,} more" if more else "")
        lines.append(f"Out, {out['reason']}: {names}")
    return lines
