"""What is promised on a ticket and how it went: each clock as of now, drawn over time, with the reason of a breach."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import streamlit as st

from dashboards import cards, opening
from dashboards.ticket_view import TicketView, zone
from pipelines import actions
from pipelines.figures import clock_lines, queries, words

BADGES: dict[str, Literal["green", "blue", "orange", "red"]] = {
    "met": "green",
    "on_track": "blue",
    "at_risk": "orange",
    "breached": "red",
}


def ledgers(view: TicketView) -> list[Any]:
    """Each promised clock as of now, from the history as it is now; a policy that can't be used is said instead."""
    try:
        return actions.explain(view.app, view.ticket.id, as_of=view.app.now())
    except opening.HelmdeskError as error:
        cards.refused(error)
        return []


def strip(view: TicketView) -> None:
    """The clocks of the present window in a line: how each stands, and what is left, counted down while it runs."""
    st.fragment(_strip, run_every=words.TICK if view.ticket.is_open else None)(view)


def _strip(view: TicketView) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        for ledger in ledgers(view):
            if ledger.row["is_current"]:
                with st.container(horizontal=True, vertical_alignment="center", width="content"):
                    _standing(ledger, view.app.now())


def _standing(ledger: Any, now: datetime) -> None:
    st.text(clock_lines.name_of(ledger))
    st.badge(words.STATES[ledger.row["state"]], color=BADGES.get(ledger.row["state"], "gray"))
    if facts := owed(ledger.row, now):
        st.caption(" · ".join(facts))


def owed(clock: Mapping[str, Any], now: datetime) -> list[str]:
    """What is left of a clock and when it falls due."""
    if clock["elapsed"] is None:
        return []
    runs = clock["stopped_at"] is None and clock["due_at"] is not None
    counts = runs and clock["remaining"] > 0 and not clock["is_paused"]
    return [
        f"{words.countdown(clock['remaining'])} left" if counts else words.left(clock["remaining"]),
        *(["paused now"] if clock["is_paused"] else []),
        *([words.due(clock["due_at"], now, clock["remaining"])] if runs else []),
    ]


def show(view: TicketView) -> None:
    if not (found := ledgers(view)):
        st.text("Nothing is promised on this ticket.")
        return
    now = view.app.now()
    st.caption(f"As of {words.instant(now, zone())}, in business time.")
    measured = [ledger for ledger in found if ledger.entries]
    if measured:
        st.altair_chart(clock_lines.picture(measured, now), alt="The clocks of this ticket over time")
    published = view.published("breach_reasons", "clock").iter_rows(named=True)
    reasons = {(row["clock"], row["window"]): row for row in published}
    for ledger in found:
        with st.container(border=True, gap="xsmall"):
            _clock(ledger, now, reasons.get((ledger.clock.value, ledger.window)))
    _waits(view)


def _clock(ledger: Any, now: datetime, reason: Mapping[str, Any] | None) -> None:
    clock = ledger.row
    with st.container(horizontal=True, vertical_alignment="center"):
        _standing(ledger, now)
    if ledger.not_measured:
        st.text(ledger.not_measured)
        return
    used = min(1.0, clock["elapsed"] / clock["target"]) if clock["target"] else 1.0
    st.progress(used, f"{words.worked(clock['elapsed'])} of {words.worked(clock['target'])} used")
    if clock["state"] == "breached":
        st.text(breach(reason))
    paused = f"{words.worked(clock['paused'])} paused" if clock["paused"] else "never paused"
    st.caption(f"{paused} · policy {words.plain(clock['policy'])}, calendar {words.plain(clock['calendar'])}")
    cards.ledger(f"How {clock_lines.name_of(ledger).lower()} adds up", ledger)


def breach(reason: Mapping[str, Any] | None) -> str:
    """Why a promise was broken, in a sentence."""
    if reason is None:
        return "Why it was broken is worked out with the next cycle."
    over = f"over by {words.worked(reason['over_by'])} when this was published"
    match reason["reason"]:
        case "never_picked_up" if reason["picked_up_at"] is None:
            return f"Nobody picked it up: {over}."
        case "never_picked_up":
            return f"It was picked up too late, after {words.worked(reason['seconds_to_pick_up'])}: {over}."
        case "waiting_internally":
            return f"It waited on our side for {words.worked(reason['seconds_waiting_internal'])}: {over}."
    return f"The work took longer than promised, {words.worked(reason['seconds_in_work'])}: {over}."


def _waits(view: TicketView) -> None:
    """How long the customer waited for answers, where messages are told."""
    replies = opening.ask(queries.waits_of, view.reader, view.ticket.id)
    if replies is None:
        return
    longest = f"longest wait {words.span(replies['longest_wait_seconds'])}, round the clock"
    since = replies["waits_since"]
    now = [] if since is None else [f"waits since {words.instant(since, zone())}"]
    summary = f"the customer asked {words.count(replies['questions'], 'time')}, answered {replies['answered']:,}"
    st.caption(" · ".join([summary, longest, *now]))
