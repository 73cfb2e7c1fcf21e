"""What is it about? One ticket at a time that triage is not sure of, or that chance drew of what it is sure of; the
answers stand where they stood before.

The order is taken once and held: what comes in meanwhile waits at its end, and nothing jumps under the pointer.
"""

import time
from collections.abc import Mapping
from typing import Any

import streamlit as st
from more_itertools import chunked

from dashboards import acting, cards, opening, pages, sign_in, visit
from pipelines import actions
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import words

SHOWN = "ticket"  # the parameter of the address that names the ticket in question
ORDER, LAST, AT, PHRASES = "order of the review", "the last answer", "last answer at", "phrases"
BUTTONS, ABREAST = 12, 4  # labels of a blind question with a button of their own, and in a row
MOST = 12  # proposed phrases that are shown
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
        others_were_here(app, user, question.question.ticket_id, names)
        answers(app, user, question, order, can_answer=can_answer)
    after_the_answer(app, names)
    acting.answer(app, user, names)
    if question is not None:
        words_of(question)
    below(app, user, can_answer=can_answer)
    if identity.has(app, user, identity.Right.SUPERVISE):
        learned_phrases(app, user)


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
    """Two guesses, or each label where the question is blind; any other label, skip: always in the same places."""
    question = found.question
    at = order.index(question.ticket_id) + 1 if question.ticket_id in order else 1
    state, opened = "open" if found.is_open else "closed", words.instant(question.opened_at, st.context.timezone)
    st.caption(f"{at:,} of {max(len(order), 1):,} · {state} · opened {opened}")
    if question.is_blind:
        each_label(app, user, question.ticket_id, can_answer=can_answer)
    for place, column in enumerate([] if question.is_blind else st.columns(2)):
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


def each_label(app: App, user: User, ticket: str, *, can_answer: bool) -> None:
    """The first labels of the taxonomy in its order, none of them marked."""
    st.caption("What is it about? What triage says of this one shows after the answer.")
    for row in chunked(list(app.triage.taxonomy.product.labels)[:BUTTONS], ABREAST):
        for column, label in zip(st.columns(ABREAST), row, strict=False):
            column.button(label, key=f"{ticket} is {label}", width="stretch", disabled=not can_answer,
                          on_click=answered, args=(app, user, ticket, label))  # fmt: skip


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
        if not question.is_blind:
            cards.fact(st, "Why triage is not sure", question.reasoning)
        if st.button("Open the ticket", key=f"open {question.ticket_id}", type="tertiary"):
            st.switch_page(pages.TICKET, query_params={"ticket": question.ticket_id})


def answered(app: App, user: User, ticket: str, label: str, note: str | None = None) -> None:
    """Keep the answer and turn to the next ticket; a click that came too soon after the last answers nothing."""
    now = time.monotonic()
    if now - st.session_state.get(AT, 0.0) < AT_ONCE:
        return
    act, given = acting.Act(f"answer {ticket}"), list[Any]()
    text = st.session_state.get(note, "") if note else ""
    acting.attempt(
        app, user, act, lambda: given.append(actions.answer_review(app, ticket, label=label, by=user.id, note=text)),
        label=label,
    )  # fmt: skip
    found: acting.Answer | None = st.session_state.get(acting.ANSWER)
    if found is None or found.error is not None:
        return
    st.session_state[AT] = now
    st.session_state[LAST] = given[0] if given else None
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


def others_were_here(app: App, user: User, ticket: str, names: Mapping[str, str]) -> None:
    """Who comes second knows it, and may answer, too; what the first said shows after that."""
    for one in app.triage.feedback.review_history(ticket):
        if one.answered_by != user.id:
            when = words.instant(one.answered_at, st.context.timezone)
            who = names.get(one.answered_by, one.answered_by)
            st.info(cards.verbatim(f"{who} answered this, {when}. Yours is a second opinion; theirs shows after it."))


def after_the_answer(app: App, names: Mapping[str, str]) -> None:
    """What triage had said, where the question was a spot check; and who answered what before."""
    last = st.session_state.pop(LAST, None)
    if last is None:
        return
    reference = app.store.ticket(last.ticket_id).reference
    if last.is_spot_check:
        st.info(cards.verbatim(
            f"{reference} was of the random slice of what triage is sure of: you say {last.label}, triage had said "
            f"{last.said} ({words.percent(last.confidence)})."
        ))  # fmt: skip
    for one in last.before:
        who = names.get(one.answered_by, one.answered_by)
        when = words.instant(one.answered_at, st.context.timezone)
        same = "so you agree" if one.label == last.label else f"you say {last.label}, which counts now"
        st.warning(cards.verbatim(f"{who} answered {one.label} for {reference}, {when}: {same}."))


def learned_phrases(app: App, user: User) -> None:
    """What answers speak for, for a lead to accept or refuse; nothing of it is used before."""
    state = app.triage.feedback.answers_stamp(), app.triage.feedback.phrase_decisions()
    if st.session_state.get(PHRASES, (None, None))[0] != state:
        st.session_state[PHRASES] = (state, actions.phrases(app))
    found = st.session_state[PHRASES][1]
    if not (found.proposed or found.accepted):
        return
    st.subheader("Phrases that answers speak for")
    st.caption(
        "An accepted phrase is used like the taxonomy's own from the next triage on; a refused one never returns."
    )
    for one in found.proposed[:MOST]:
        about, yes, no = st.columns([4, 1, 1])
        examples = ", ".join(app.store.ticket(key).reference for key in one.examples)
        about.text(f"{one.label}: “{one.phrase}” · {words.count(one.texts, 'text')}, {one.elsewhere:,} of other labels "
                   f"· such as {examples}")  # fmt: skip
        for place, name, is_accepted in ((yes, "Accept", True), (no, "Refuse", False)):
            place.button(name, key=f"{name} {one.label} {one.phrase}", width="stretch", on_click=decide_phrase,
                         args=(app, user, one.phrase, one.label, is_accepted))  # fmt: skip
    more = len(found.proposed) - MOST
    if more > 0:
        st.caption(f"and {more:,} more: `helmdesk triage phrases`")
    for accepted in found.accepted:
        st.caption(cards.verbatim(f"in use for {accepted.label}: {accepted.phrase}"))


def decide_phrase(app: App, user: User, phrase: str, label: str, is_accepted: bool) -> None:
    act = acting.Act(f"{'accept' if is_accepted else 'refuse'} the phrase {phrase}")
    acting.attempt(
        app, user, act, lambda: actions.decide_phrase(app, phrase, label=label, is_accepted=is_accepted, user=user)
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
