"""What is it about? One ticket at a time that triage is not sure of; the answers stand where they stood before.

The order is taken once and held: what comes in meanwhile waits at its end, and nothing jumps under the pointer.
"""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from dashboards import acting, cards, opening, pages, sign_in, visit, words
from pipelines import actions
from pipelines.app.container import App
from pipelines.app.identity import User

SHOWN = "ticket"  # the parameter of the address that names the ticket in question
ORDER, OTHERS, AT = "order of the review", "what others answered", "last answer at"
AT_ONCE = 0.4  # seconds: a second click within them is not meant for the ticket that has just come


def page() -> None:
    app, user, _, names = visit.begin("review")
    can_answer = sign_in.may_work(app, user, doing="answering")
    with_closed = st.toggle("Closed tickets, too", key="closed", bind="query-params", on_change=start_over)
    order = held_order(app, closed=with_closed)
    question = in_question(app, order)
    if question is None:
        st.info("No ticket waits for an answer. Triage asks about those it is not sure of:")
        cards.command("cycle")
    else:
        answers(app, user, question, order, can_answer=can_answer)
    what_others_answered(app, names)
    acting.answer(app, user, names)
    if question is not None:
        words_of(question)
    below(app, user, can_answer=can_answer)


def held_order(app: App, *, closed: bool) -> list[str]:
    """The tickets that wait, as they stood when the reader came; a new look is taken once they are through."""
    order: list[str] | None = st.session_state.get(ORDER)
    if not order:
        order = [one.question.ticket_id for one in actions.review_queue(app, closed=closed)]
        st.session_state[ORDER] = order
    return order


def start_over() -> None:
    st.session_state.pop(ORDER, None)
    st.query_params.pop(SHOWN, None)


def in_question(app: App, order: list[str]) -> Any:
    """The ticket that the address names, else the first that waits; the address names it from then on."""
    wanted = st.query_params.get(SHOWN) or (order[0] if order else None)
    if wanted is None:
        return None
    try:
        found = actions.review_question(app, wanted)
    except opening.HelmdeskError as error:
        cards.refused(error)
        return None
    st.query_params[SHOWN] = found.question.ticket_id
    return found


def answers(app: App, user: User, found: Any, order: list[str], *, can_answer: bool) -> None:
    """Two guesses, any other label, skip: always in the same places."""
    question = found.question
    at = order.index(question.ticket_id) + 1 if question.ticket_id in order else 1
    state, opened = "open" if found.is_open else "closed", words.instant(question.opened_at, st.context.timezone)
    st.caption(f"{at:,} of {max(len(order), 1):,} · {state} · opened {opened}")
    columns = st.columns(2)
    for place, column in enumerate(columns):
        guess = question.guesses[place] if place < len(question.guesses) else None
        column.button(
            f"{guess.label}, {words.percent(guess.confidence)}" if guess else "No second guess",
            key=f"{question.ticket_id} is {guess.label if guess else 'nothing'}",
            type="secondary" if place else "primary",
            width="stretch",
            disabled=not can_answer or guess is None,
            on_click=answered,
            args=(app, user, question.ticket_id, guess.label if guess else ""),
        )
    other, skipped = st.columns(2)
    with other:
        something_else(app, user, question, can_answer=can_answer)
    skip = f"skip {question.ticket_id}"
    skipped.button("Skip it", key=skip, width="stretch", on_click=turn, args=(question.ticket_id,))


def something_else(app: App, user: User, question: Any, *, can_answer: bool) -> None:
    guessed = {guess.label for guess in question.guesses}
    labels = {label: name.name for label, name in app.triage.taxonomy.product.labels.items() if label not in guessed}
    with st.popover("Something else", disabled=not can_answer, width="stretch"):
        label = st.selectbox(
            "Label", list(labels), format_func=lambda key: f"{key}: {labels[key]}", key=f"label {question.ticket_id}"
        )
        note = f"note {question.ticket_id}"
        st.text_input("Why, for those who learn from it", key=note, max_chars=2_000)
        st.button("Answer", key=f"{question.ticket_id} is something else", type="primary", disabled=not can_answer,
                  on_click=answered, args=(app, user, question.ticket_id, label, note))  # fmt: skip


def words_of(found: Any) -> None:
    """What a person needs to answer: the ticket's own words, as text, and why triage is not sure."""
    question = found.question
    with st.container(border=True):
        st.text(f"{found.reference} · {question.subject or '–'}")
        cards.fact(st, "Message", question.excerpt or "–")
        cards.fact(st, "Why triage is not sure", question.reasoning)
        if st.button("Open the ticket", key=f"open {question.ticket_id}", type="tertiary"):
            st.switch_page(pages.TICKET, query_params={"ticket": question.ticket_id})


def answered(app: App, user: User, ticket: str, label: str, note: str | None = None) -> None:
    """Keep the answer and turn to the next ticket; a click that came too soon after the last answers nothing."""
    now = time.monotonic()
    if now - st.session_state.get(AT, 0.0) < AT_ONCE:
        return
    before = [one for one in app.triage.feedback.review_history(ticket) if one.answered_by != user.id]
    act = acting.Act(f"answer {ticket}")
    text = st.session_state.get(note, "") if note else ""
    acting.attempt(app, user, act, lambda: actions.answer_review(app, ticket, label=label, by=user.id, note=text),
                   label=label)  # fmt: skip
    found: acting.Answer | None = st.session_state.get(acting.ANSWER)
    if found is None or found.error is not None:
        return
    st.session_state[AT] = now
    st.session_state[OTHERS] = (ticket, label, before)
    turn(ticket)


def turn(ticket: str) -> None:
    """The following ticket takes the place of this one."""
    order: list[str] = st.session_state.get(ORDER, [])
    at = order.index(ticket) if ticket in order else 0
    left = [one for one in order if one != ticket]
    st.session_state[ORDER] = left
    if left:
        st.query_params[SHOWN] = left[at % len(left)]
    else:
        st.query_params.pop(SHOWN, None)


def what_others_answered(app: App, names: Mapping[str, str]) -> None:
    """Whoever answers a ticket that another answered is told who and what, and whether they agree."""
    ticket, label, before = st.session_state.pop(OTHERS, ("", "", ()))
    for one in before:
        who = names.get(one.answered_by, one.answered_by)
        when = words.instant(one.answered_at, st.context.timezone)
        same = "so you agree" if one.label == label else f"you say {label}, which counts now"
        st.warning(
            cards.verbatim(f"{who} answered {one.label} for {app.store.ticket(ticket).reference}, {when}: {same}.")
        )


def below(app: App, user: User, *, can_answer: bool) -> None:
    """One's last answer to take back, and how often two people agree."""
    found = app.triage.feedback.last_review(by=user.id) if can_answer else None
    if found is not None:
        _, last = found
        label = f"Take back {last.label} for {app.store.ticket(last.ticket_id).reference}"
        st.button(label, key="take back", on_click=take_back, args=(app, user))
    both = actions.reviewers_agree(app)
    agreed = f"the same in {both.agreed:,} of {words.count(both.by_two, 'ticket')}" if both.by_two else "none yet"
    st.caption(f"Tickets that two people answered: {agreed}. Answers are learned from.")


def take_back(app: App, user: User) -> None:
    """The answer counts no more, and its ticket is in question again."""
    gone: list[Any] = []
    acting.attempt(
        app, user, acting.Act("take the answer back"), lambda: gone.append(actions.withdraw_review(app, by=user.id))
    )
    for one in gone:
        order = [ticket for ticket in st.session_state.get(ORDER, []) if ticket != one.ticket_id]
        st.session_state[ORDER] = [one.ticket_id, *order]
        st.query_params[SHOWN] = one.ticket_id


page()
