"""What is it about? Tickets that triage is not sure of, the least certain first; one click answers."""

import math
from typing import Any

import streamlit as st

from dashboards import cards, opening, pages, sign_in, words
from pipelines import actions
from pipelines.app.container import App

ROWS = 10


def page() -> None:
    pages.head("review")
    app = opening.app()
    user = sign_in.reader(app, door="review")
    if opening.marts(app) is None:
        cards.nothing_yet()
        return
    who = user.id if sign_in.may_work(app, user, doing="answering") else ""
    if (refusal := st.session_state.pop("refused", None)) is not None:
        cards.refused(refusal)
    with_closed = st.toggle("Closed tickets, too", key="closed in review", persist_state="session")
    queue = actions.review_queue(app, closed=with_closed)
    st.caption(
        "Tickets that triage is not sure of: the least certain first, then the oldest. Answers are learned from."
    )
    if not queue:
        st.info("No ticket waits for an answer.")
        return
    for queued in turn_to(queue):
        review_card(app, queued, who)


def turn_to(queue: list[Any]) -> list[Any]:
    """The part of the queue on the page that was turned to."""
    pages = math.ceil(len(queue) / ROWS)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        line = st.empty()
        number = st.pagination(pages, key="page of the review queue") if pages > 1 else 1
    first = (number - 1) * ROWS
    shown = queue[first : first + ROWS]
    line.caption(f"Waiting: {len(queue):,}, shown {first + 1:,} to {first + len(shown):,}")
    return shown


def review_card(app: App, queued: Any, who: str) -> None:
    """One ticket: what was asked, the two best guesses as buttons, any other label, and why triage is unsure."""
    question = queued.question
    with st.container(border=True):
        about, answers = st.columns([3, 2], gap="large")
        with about:
            state = "open" if queued.is_open else "closed"
            st.text(f"{queued.reference} · opened {words.instant(question.opened_at, st.context.timezone)} · {state}")
            cards.fact(st, "Subject", question.subject or "–")
            cards.fact(st, "Message", question.excerpt or "–")
        with answers:
            for guess in question.guesses:
                st.button(
                    f"{guess.label}, {words.percent(guess.confidence)}",
                    key=f"{question.ticket_id} is {guess.label}",
                    disabled=not who,
                    on_click=answer,
                    args=(app, question.ticket_id, guess.label, who),
                )
            other(app, question, who)
        cards.fact(st, "Why triage is not sure", question.reasoning)
        if st.button("Open the ticket", key=f"open {question.ticket_id}", type="tertiary"):
            st.switch_page(pages.TICKET, query_params={"ticket": question.ticket_id})


def other(app: App, question: Any, who: str) -> None:
    """Any label that is not among the guesses, with room to say why."""
    guessed = {guess.label for guess in question.guesses}
    labels = {label: name.name for label, name in app.triage.taxonomy.product.labels.items() if label not in guessed}
    with st.popover("Something else", disabled=not who):
        label = st.selectbox(
            "Label", list(labels), format_func=lambda key: f"{key}: {labels[key]}", key=f"label {question.ticket_id}"
        )
        note = st.text_input("Why, for those who learn from it", key=f"note {question.ticket_id}", max_chars=2_000)
        st.button(
            "Answer",
            key=f"{question.ticket_id} is something else",
            type="primary",
            disabled=not who,
            on_click=answer,
            args=(app, question.ticket_id, label, who, note),
        )


def answer(app: App, ticket: str, label: str, who: str, note: str = "") -> None:
    """Keep the answer before the page is drawn again; why it was refused is kept for that drawing."""
    try:
        actions.answer_review(app, ticket, label=label, by=who, note=note)
    except opening.HelmdeskError as error:
        st.session_state["refused"] = error


page()
