"""What do we know and owe? One ticket: its thread, its clocks, what triage and allocation say, and the next step."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

import polars as pl
import streamlit as st

from dashboards import cards, charts, enrichment, history, opening, pages, queries, sign_in, ticket_head, words
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App

BADGES: dict[str, Literal["green", "blue", "orange", "red"]] = {
    "met": "green",
    "on_track": "blue",
    "at_risk": "orange",
    "breached": "red",
}
LINES = 100


def page() -> None:
    pages.head("ticket")
    app = opening.app()
    user = sign_in.reader(app, door="")
    reader = opening.marts(app)
    if reader is None:
        cards.nothing_yet()
        return
    name = st.text_input("Ticket", key="ticket", bind="query-params", placeholder="its reference or id").strip()
    if not name:
        st.info("Type a reference or an id, or open a ticket from the work queue.")
        return
    try:
        ticket = app.desk.read_ticket(name, reader=user)
    except opening.HelmdeskError as error:
        cards.refused(error)
        return
    identity.saw(app, user, door="ticket", ticket_id=ticket.id)
    known = opening.ask(queries.dossier, reader, ticket.id)
    agents = names_of(app)
    happened = app.desk.read_history(ticket.id, reader=user)
    who = user.id if sign_in.may_work(app, user, doing="work on tickets") else ""
    names = opening.ask(queries.names, reader) | agents | ticket_head.contacts(app, ticket, happened)
    ticket_head.show(ticket, names)
    left, right = st.columns([3, 2], gap="large")
    with left:
        request(ticket)
        suggestion(app, ticket.id, known, who)
        thread(app, ticket, user, happened, names)
    with right:
        decisions_on(app, ticket, who)
        clocks(known.clocks, reader.publication.as_of)
        waits(known.replies)
        classification(known.classification, ticket.product)
        allocation(known.allocation)
        enrichment.section(reader, ticket.id)
    reckoning(app, ticket.id, known.clocks, reader.publication.as_of)


def names_of(app: App) -> dict[str, str]:
    """Agents who may act, by id, ordered by name."""
    return dict(app.store.frame("agents").filter("is_active").sort("name").select("id", "name").iter_rows())


def request(ticket: Any) -> None:
    st.subheader("What was asked?")
    with st.container(border=True):
        cards.fact(st, "Subject", ticket.subject or "–")
        cards.fact(st, "Message", ticket.content or "–")


def suggestion(app: App, ticket: str, known: queries.Dossier, who: str) -> None:
    st.subheader("What could we answer?")
    draft = known.suggestion
    if draft is None or not draft["grounded"]:
        st.text("No draft: the knowledge base gave no answer." if draft else "No reply was drafted yet.")
        macros(app, draft)
        return
    st.caption(f"A suggestion by {words.plain(draft['model_used'])}: read it, copy it, change it; a person sends it.")
    st.code(draft["text"], language=None, wrap_lines=True)
    for source in words.sources(draft["citations"]):
        st.text(source)
    macros(app, draft)
    judgement(app, ticket, draft["text"], who)


def macros(app: App, draft: dict[str, Any] | None) -> None:
    """The canned replies whose signals or codes the ticket has, each with its runbook and documents."""
    fitting = set(json.loads(draft["macros"] or "[]")) if draft else set()
    for macro in app.triage.macros:
        if macro.id not in fitting:
            continue
        with st.expander(f"Macro that fits: {macro.title}"):
            st.code(macro.text, language=None, wrap_lines=True)
            st.caption(f"Articles: {', '.join(macro.docs)}")
            if macro.runbook and urlsplit(macro.runbook).scheme == "https":
                st.link_button("Runbook", macro.runbook)


def judgement(app: App, ticket: str, draft: str, who: str) -> None:
    """What became of the draft, as the signed-in user says: it is noted, never sent from here."""

    def note(**what: str) -> None:
        take(lambda: actions.record_feedback(app, ticket, by=who, shown=draft, **what))

    with st.container(border=True):
        judgements = app.triage.feedback.feedback_of(ticket)
        so_far = f"{judgements[-1].given_by} noted: {judged(judgements[-1])}" if judgements else "Nobody has said yet."
        st.text(f"What became of this draft? {so_far}")
        st.caption("For the record: nothing is sent from here.")
        sent, edited, rejected = st.columns(3)
        sent.button("Sent as it is", disabled=not who, on_click=note)
        with edited.popover("Sent with changes", disabled=not who):
            text = st.text_area("The reply that was sent", draft, key=f"reply to {ticket}", max_chars=20_000)
            st.button("Keep the changed reply", disabled=not who, on_click=lambda: note(sent=text))
        with rejected.popover("Not used", disabled=not who):
            reason = st.text_input("Why not?", key=f"rejected on {ticket}", max_chars=2_000)
            st.button("Keep the reason", disabled=not who, on_click=lambda: note(rejected=reason))


def judged(feedback: Any) -> str:
    """What was done with a draft, in words."""
    if feedback.reason:
        return f"not used, {feedback.reason}"
    return f"sent with {words.percent(feedback.distance)} of it changed" if feedback.distance else "sent as it was"


def thread(app: App, ticket: Any, user: Any, happened: list[Any], names: dict[str, str]) -> None:
    """What happened and was written, as far as the user may read it, the newest last; of a long history its last
    part."""
    st.subheader("What happened?")
    event_ids = {event.id for event in app.store.history(ticket.id)}
    readable = app.desk.read_timeline(ticket.id, reader=user)
    lines = history.thread(happened, [entry for entry in readable if entry.id not in event_ids], names)
    if len(lines) > LINES:
        st.caption(f"The last {LINES} of {len(lines):,} lines.")
    zone = st.context.timezone
    for at, line in lines[-LINES:]:
        when, what = st.columns([2, 5])
        when.caption(words.instant(at, zone))
        what.text(line)


def decisions_on(app: App, ticket: Any, who: str) -> None:
    """The next step, taken through the desk, which may refuse it."""
    st.subheader("What is the next step?")
    with st.container(border=True):
        if ticket.owner_id is None:
            st.button(
                "Accept this ticket",
                type="primary",
                disabled=not who,
                on_click=take,
                args=[lambda: app.desk.accept(ticket.id, by=who, at=app.now())],
            )
        if ways := list(app.desk.policies.lifecycle.transitions.get(ticket.status, ())):
            status, go = st.columns([3, 2], vertical_alignment="bottom")
            to = status.selectbox("New status", ways, format_func=words.plain)
            go.button(
                "Change status",
                disabled=not who,
                on_click=take,
                args=[lambda: app.desk.change_status(ticket.id, to=to, by=who, at=app.now())],
            )
        if (refusal := st.session_state.pop("refused", None)) is not None:
            cards.refused(refusal)
    if who.startswith(identity.LOCAL):
        st.caption("Owning a ticket is an agent's: HELMDESK_USER, or a sign-in, says which one you are.")
    st.caption("Clocks and queue follow with the next cycle.")


def take(step: Callable[[], object]) -> None:
    """Take the step before the page is drawn again; why the desk refused is kept for that drawing."""
    try:
        step()
    except opening.HelmdeskError as error:
        st.session_state["refused"] = error


def name_of(clock: dict[str, Any]) -> str:
    return words.CLOCKS[clock["clock"]] + (f", window {clock['window']}" if clock["window"] > 1 else "")


def reckoning(app: App, ticket: str, found: pl.DataFrame, as_of: datetime) -> None:
    """The ledger behind each promised clock; a policy that can't be used is said instead."""
    try:
        ledgers = {(ledger.row["clock"], ledger.window): ledger for ledger in actions.explain(app, ticket, as_of=as_of)}
    except opening.HelmdeskError as error:
        cards.refused(error)
        return
    shown = [c for c in found.iter_rows(named=True) if (c["clock"], c["window"]) in ledgers]
    if shown:
        st.subheader("How does it add up?")
    for clock in shown:
        cards.ledger(f"How {name_of(clock).lower()} adds up", ledgers[clock["clock"], clock["window"]], clock)


def clocks(found: pl.DataFrame, as_of: datetime) -> None:
    st.subheader("What do we owe?")
    if found.is_empty():
        st.text("No clock yet: the next cycle starts them.")
        return
    st.caption(f"As of {words.instant(as_of, st.context.timezone)}, in business time")
    for clock in found.iter_rows(named=True):
        name = name_of(clock)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(name)
            st.badge(words.STATES[clock["state"]], color=BADGES.get(clock["state"], "gray"))
        if clock["why"]:
            st.caption(words.not_counted(clock["why"]))
        if clock["elapsed"] is None:
            continue
        used = clock["elapsed"] / clock["target"] if clock["target"] else 1.0
        st.progress(min(1.0, used), f"{words.worked(clock['elapsed'])} of {words.worked(clock['target'])} used")
        st.caption(" · ".join(owed(clock, as_of)))


def waits(replies: dict[str, Any] | None) -> None:
    """How long the customer waited for answers, where messages are told."""
    if replies is None:
        return
    longest = f"longest wait {words.span(replies['longest_wait_seconds'])}, round the clock"
    since = replies["waits_since"]
    now = [] if since is None else [f"waits since {words.instant(since, st.context.timezone)}"]
    summary = f"the customer asked {words.count(replies['questions'], 'time')}, answered {replies['answered']:,}"
    st.caption(" · ".join([summary, longest, *now]))


def owed(clock: dict[str, Any], as_of: datetime) -> list[str]:
    """What is left of a clock, when it falls due, and the promise behind it."""
    ended = clock["stopped_at"] is not None
    return [
        words.left(clock["remaining"]),
        f"{words.worked(clock['paused'])} paused" if clock["paused"] else "never paused",
        *(["paused now"] if clock["is_paused"] else []),
        *([] if ended or clock["due_at"] is None else [words.due(clock["due_at"], as_of, clock["remaining"])]),
        f"policy {words.plain(clock['policy'])}, calendar {words.plain(clock['calendar'])}",
    ]


def classification(claim: dict[str, Any] | None, confirmed: str | None) -> None:
    """What triage claimed, below what a person or the source has confirmed."""
    st.subheader("What is it about?")
    if confirmed:
        st.text(f"Confirmed: {confirmed}")
    if claim is None:
        st.text("Not classified yet.")
        return
    st.text(f"{claim['product']}, {words.percent(claim['confidence'])} sure; urgency {words.plain(claim['urgency'])}")
    if claim["needs_review"] and not confirmed:
        st.warning("Triage is not sure enough: a person decides.")
    if claim["runner_up"]:
        st.text(f"Runner-up: {claim['runner_up']}, {words.percent(claim['runner_up_confidence'])}")
    st.text(f"Why: {claim['reasoning']}")
    st.caption(f"Classified by {words.plain(claim['model_used'])}")


def allocation(decision: dict[str, Any] | None) -> None:
    st.subheader("Who should get it?")
    if decision is None:
        st.text("Not allocated yet.")
        return
    st.text(decision["rationale"])
    scores = queries.factor_scores(decision)
    if scores.height:
        composite = decision["composite"]
        st.altair_chart(charts.factor_bars(scores, f"Seven scores, weighted sum {composite:.2f}"))
    st.caption(f"Policy {words.plain(decision['policy'])}")


page()
