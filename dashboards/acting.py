"""What a reader has the desk do from a page: an operation of the desk, done once; its answer stands above the page.

A click names the version of the ticket that the page had drawn. The same click again does nothing; if somebody else
changed the ticket since, the reader is shown what happened and does it all the same, or not.
"""

import json
from typing import Any, NamedTuple

import streamlit as st

from dashboards import cards, history, words
from engine.shared.errors import HelmdeskError
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.operations import OPERATIONS, perform

ANSWER, DONE = "answer of the desk", "acts done"


class Act(NamedTuple):
    """`operation` of the table of operations on the thing `key`; `ticket` and `seen`: what the page had drawn, if the
    thing is a ticket's."""

    operation: str
    key: str | None = None
    ticket: str | None = None
    seen: int | None = None


class Answer(NamedTuple):
    """What became of an act: the error that refused it, or what others did meanwhile, or neither."""

    act: Act
    arguments: dict[str, Any]
    error: HelmdeskError | None = None
    meanwhile: tuple[Any, ...] = ()


def act(app: App, user: User, done: Act, **arguments: Any) -> None:
    """Do it as this user, as the callback of a button; `answer` draws what came of it."""
    token = json.dumps([done, arguments], default=str, sort_keys=True)
    if done.seen is not None and token in st.session_state.setdefault(DONE, set()):
        return
    if meanwhile := _by_others(app, user, done):
        st.session_state[ANSWER] = Answer(done, arguments, meanwhile=meanwhile)
        return
    try:
        perform(app, OPERATIONS[done.operation], user=user, key=done.key, arguments=arguments)
    except HelmdeskError as error:
        st.session_state[ANSWER] = Answer(done, arguments, error=error)
        return
    st.session_state.setdefault(DONE, set()).add(token)
    st.session_state[ANSWER] = Answer(done, arguments)


def answer(app: App, user: User, names: dict[str, str]) -> None:
    """What came of the last act, drawn once."""
    found: Answer | None = st.session_state.pop(ANSWER, None)
    if found is None:
        return
    if found.error is not None:
        cards.refused(found.error)
    elif found.meanwhile:
        zone = st.context.timezone
        for at, line in history.thread(list(found.meanwhile), [], names):
            st.warning(cards.verbatim(f"{words.instant(at, zone)}: {line}"))
        st.text("That happened after this page was drawn; nothing was done yet.")
        st.button("Do it all the same", on_click=act, args=(app, user, found.act._replace(seen=None)),
                  kwargs=found.arguments)  # fmt: skip
    else:
        st.toast(f"Done: {words.plain(found.act.operation)}.")


def _by_others(app: App, user: User, done: Act) -> tuple[Any, ...]:
    """What others did on the ticket since the page was drawn."""
    if done.ticket is None or done.seen is None:
        return ()
    later = (event for event in app.store.history(done.ticket) if event.version > done.seen)
    return tuple(event for event in later if event.actor not in (None, user.id))
