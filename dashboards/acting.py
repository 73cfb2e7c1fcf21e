"""What a reader has the desk do from a page: an operation of the desk, done once; its answer stands above the page.

A click names the version of the ticket that the page had drawn. The same click again does nothing; if somebody else
changed the ticket since, the reader is shown what happened and does it all the same, or not.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import streamlit as st

from dashboards import cards, forms, history
from engine.shared.errors import HelmdeskError
from pipelines.app import identity
from pipelines.app.container import App
from pipelines.app.identity import User
from pipelines.figures import words
from pipelines.operations import OPERATIONS, arguments, perform

ANSWER, DONE, ACTS = "answer of the desk", "acts done", "number of acts"
SILENT = frozenset({"alert", "acknowledged", "drafted", "reminder"})
"""Kinds of events that change nothing a click rests on."""
WAYS_OUT = {
    "ticket accept": "Accept it", "ticket reopen": "Reopen it", "ticket resolve": "Resolve it",
    "ticket close": "Close it", "ticket envelope": "Ask by an envelope",
}  # fmt: skip
"""What the button says that leads on from a refusal."""
IN_WORDS = {
    "ticket accept": "the ticket is yours", "ticket reply": "the reply is on the ticket",
    "ticket receive": "what the customer says is on the ticket", "ticket note": "the note is on the ticket",
    "ticket status": "the status is changed", "ticket priority": "the priority is changed",
    "ticket due": "the agreed end is on the ticket", "ticket pause": "the clocks stand still",
    "ticket resume": "the clocks run", "ticket resolve": "the ticket is resolved",
    "ticket close": "the ticket is closed", "ticket reopen": "the ticket is open again",
    "ticket release": "the ticket has no owner any more",
    "ticket assign": "the ticket is assigned", "ticket transfer": "the ticket has another owner",
    "ticket envelope": "the expert is asked by an envelope", "ticket task": "the task is on the ticket",
    "ticket flag": "the flag is on the ticket", "ticket unflag": "the flag is off the ticket",
    "ticket remind": "you will be reminded", "ticket working-on": "news of the ticket wait for a while",
    "ticket resource": "the resource is on the ticket", "ticket incident": "the incident is open",
    "ticket link": "the ticket is linked to the incident", "ticket evidence": "the evidence is on the ticket",
    "ticket runbook": "the runbook is linked", "ticket escalate": "the other team is asked",
    "incident close": "the incident is closed", "envelope accept": "the envelope is yours",
    "envelope complete": "the envelope is answered", "envelope cancel": "the envelope is cancelled",
    "task move": "the task is moved", "reminder snooze": "the reminder comes later",
    "reminder complete": "the reminder is done with", "alert acknowledge": "the alert is acknowledged",
    "parcel retry": "it is sent again with the next delivery", "destination drop": "what was not sent is dropped",
    "grant propose": "the grant is proposed", "grant approve": "the grant is decided",
    "review decide": "the review is kept", "review second": "the second opinion is kept",
    "desk read": "marked as read", "desk prefer": "your settings are kept", "view save": "the view is kept",
    "view move": "the card is moved",
}  # fmt: skip
"""What has become so by an operation."""
KEY = re.compile(r"[\w#@][\w:/.@#+-]*\w|\w")
CODE = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
OF_A_RECORD = re.compile(r"\w[\w-]*:[^\s/;,]+(?:/[\w-]+)+")


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
    operation = OPERATIONS[done.operation]
    attempt(app, user, done, lambda: perform(app, operation, user=user, key=done.key, arguments=arguments), **arguments)


def attempt(app: App, user: User, done: Act, step: Callable[[], object], **arguments: Any) -> None:
    """The same for a step that is no operation of the table: `done.operation` says in words what it is."""
    token = json.dumps([done, arguments], default=str, sort_keys=True)
    if done.seen is not None and token in st.session_state.setdefault(DONE, set()):
        return
    if meanwhile := _by_others(app, user, done):
        st.session_state[ANSWER] = Answer(done, arguments, meanwhile=meanwhile)
        return
    try:
        step()
    except HelmdeskError as error:
        st.session_state[ANSWER] = Answer(done, arguments, error=error)
        return
    st.session_state.setdefault(DONE, set()).add(token)
    st.session_state[ACTS] = acts() + 1
    st.session_state[ANSWER] = Answer(done, arguments)


def acts() -> int:
    """How often the desk has done something for the reader since the page was loaded."""
    return int(st.session_state.get(ACTS, 0))


def acknowledge(app: App, user: User, ticket: str, seen: int, alerts: Sequence[str]) -> None:
    """A ticket's alerts, one after the other; the first that is refused ends it, and its answer is shown."""
    for alert in alerts:
        act(app, user, Act("alert acknowledge", alert, ticket, seen))
        if not _is_done():
            return


def _is_done() -> bool:
    found: Answer | None = st.session_state.get(ANSWER)
    return found is not None and found.error is None and not found.meanwhile


def form(app: App, user: User, wanted: Act, label: str, *, place: str = "", **options: Any) -> None:
    """The form of an operation (`forms.form` has its options); what is refused stays written. `place` tells two forms
    of one page apart that do the same."""

    def do(values: dict[str, Any]) -> bool:
        act(app, user, wanted, **values)
        return _is_done()

    name = _name(wanted, options.get("given", forms.NOTHING), place)
    forms.form(app, OPERATIONS[wanted.operation], name, label, do, **options)


def offer(
    app: App, user: User, wanted: Act, label: str, *, place: str = "", is_first: bool = False, **options: Any
) -> None:
    """The operation behind a button, with its form if it asks for anything; nothing without the right to it."""
    if not may(app, user, wanted.operation):
        return
    given: Mapping[str, Any] = options.get("given", forms.NOTHING)
    name = _name(wanted, given, place)
    key = f"{name} button {forms.turn(name)}"
    if all(field in given for field in arguments(OPERATIONS[wanted.operation]).model_fields):
        kind: Literal["primary", "secondary"] = "primary" if is_first else "secondary"
        st.button(label, key=key, type=kind, on_click=act, args=(app, user, wanted), kwargs=dict(given))
        return
    with st.popover(label, key=key):
        form(app, user, wanted, label, place=place, **options)


def _name(wanted: Act, given: Mapping[str, Any], place: str) -> str:
    known = [f"{field}={value}" for field, value in sorted(given.items())]
    return " ".join(filter(None, [wanted.operation, wanted.key, *known, place]))


def answer(app: App, user: User, names: Mapping[str, str]) -> None:
    """What came of the last act, drawn once; of a refusal the way out, too, if it is the reader's to take."""
    found: Answer | None = st.session_state.pop(ANSWER, None)
    if found is None:
        return
    if found.error is not None:
        refusal = cards.verbatim(by_names(app, str(found.error), found.act, names))
        st.error(refusal)
        st.toast(refusal)  # who has scrolled down sees it, too
        _way_out(app, user, found)
    elif found.meanwhile:
        st.toast("Somebody else was faster: what happened stands at the top of the page.")
        zone = st.context.timezone
        for at, line in history.thread(list(found.meanwhile), [], names):
            st.warning(cards.verbatim(f"{words.instant(at, zone)}: {line}"))
        st.text("That happened after this page was drawn; nothing was done yet.")
        if found.act.operation in OPERATIONS:
            st.button("Do it all the same", on_click=act, args=(app, user, found.act._replace(seen=None)),
                      kwargs=found.arguments)  # fmt: skip
    else:
        st.toast(f"Done: {IN_WORDS.get(found.act.operation, found.act.operation)}.")


def by_names(app: App, text: str, done: Act, names: Mapping[str, str]) -> str:
    """A sentence of the desk with names for the keys of people, groups and tickets, and `waiting_customer` in plain
    words; the page shows which record of a ticket it is about."""
    known = dict(names)
    if done.ticket is not None:
        known[done.ticket] = app.store.ticket(done.ticket).reference
    text = re.sub(rf"\b([A-Z]\w+) {OF_A_RECORD.pattern}", r"\1", text)
    for key in CODE.findall(text):
        known.setdefault(key, words.plain(key))
    return named(OF_A_RECORD.sub("it", text), known)


def named(text: str, names: Mapping[str, str]) -> str:
    """The text with names for the keys of people and groups in it."""
    return KEY.sub(lambda key: names.get(key[0], key[0]), text)


def may(app: App, user: User, operation: str) -> bool:
    """Whether the user has the right that the operation takes, and is one who acts at all."""
    right = OPERATIONS[operation].right
    return identity.has(app, user, right) and not user.id.startswith(identity.LOCAL)


def _way_out(app: App, user: User, found: Answer) -> None:
    name, ticket = found.error.way_out if found.error else None, found.act.ticket
    if name is None or ticket is None:
        return
    way = Act(name, ticket, ticket, app.store.ticket(ticket).version)
    offer(app, user, way, WAYS_OUT[name], place="way out", is_first=True)


def _by_others(app: App, user: User, done: Act) -> tuple[Any, ...]:
    """What others did on the ticket since the page was drawn, as far as the user may know it."""
    if done.ticket is None or done.seen is None:
        return ()
    later = (event for event in app.desk.read_history(done.ticket, reader=user) if event.version > done.seen)
    return tuple(event for event in later if event.actor not in (None, user.id) and event.kind not in SILENT)
