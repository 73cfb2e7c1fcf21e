"""Help on a ticket: envelopes with their threads, tasks, and what was asked of engineering and product."""

from typing import Any, Literal

import streamlit as st

from dashboards.ticket_view import TicketView, zone
from pipelines.figures import words

STATES: dict[str, Literal["orange", "blue", "green", "gray"]] = {
    "pending": "orange", "active": "blue", "completed": "green", "cancelled": "gray",
    "todo": "orange", "in_progress": "blue", "done": "green",
}  # fmt: skip
STEPS = {"todo": ("in_progress", "done", "cancelled"), "in_progress": ("done", "cancelled")}
"""Where a task is moved from each state."""
MOVES = {"in_progress": "Start", "done": "Done", "cancelled": "Cancel"}


def show(view: TicketView) -> None:
    st.subheader("Who helps?")
    found = sorted(view.of("Envelope"), key=lambda one: (not one.is_open, one.created_at))
    if not found:
        st.text("No expert was asked.")
    teams = _teams(view)
    for envelope in found:
        with st.container(border=True):
            _envelope(view, envelope, teams)
    if view.ticket.is_open and (view.is_mine or _is_expert(view)):
        with st.container(horizontal=True):
            view.offer("ticket envelope", "Ask for help")
            view.offer("ticket escalate", "Escalate to engineering or product")
    st.subheader("Tasks")
    tasks = view.of("Task")
    if not tasks:
        st.text("No task was given.")
    for task in tasks:
        with st.container(border=True):
            _task(view, task)
    if view.is_mine:
        view.offer("ticket task", "Add a task", given={"envelope_id": None})


def _teams(view: TicketView) -> set[str]:
    """The teams that the reader is in."""
    return set(view.app.store.frame("team_members", ["team_id"], where={"agent_id": {view.user.id}})["team_id"])


def _is_expert(view: TicketView) -> bool:
    return any(one.status == "active" and one.assigned_to == view.user.id for one in view.of("Envelope"))


def _envelope(view: TicketView, envelope: Any, teams: set[str]) -> None:
    me, state = view.user.id, "cancelled" if envelope.is_cancelled else envelope.status
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words.plain(state), color=STATES[state])
        st.text(f"{view.name(envelope.requested_by)} asks {view.name(envelope.assigned_to or envelope.team_id)}")
        st.caption(f"{words.instant(envelope.created_at, zone())}{_due(view, envelope)}")
    st.text(envelope.reason)
    for letter in (one for one in view.letters if one.envelope_id == envelope.id):
        st.caption(words.instant(letter.created_at, zone()))
        st.text(f"{view.name(letter.author_id)}: {letter.content}")
    if envelope.summary:
        st.text(f"Answer: {envelope.summary}")
    if not envelope.is_open:
        return
    may_accept = envelope.assigned_to == me if envelope.team_id is None else envelope.team_id in teams
    works = view.is_mine or (envelope.status == "active" and envelope.assigned_to == me)
    with st.container(horizontal=True):
        if envelope.status == "pending" and may_accept and not envelope.is_vendor:
            view.offer("envelope accept", "Accept", envelope.id, is_first=True)
        if works:
            if envelope.status == "active" or envelope.is_vendor:
                view.offer("envelope complete", "Complete", envelope.id, is_first=True)
            view.offer("ticket note", "Write inside", given={"envelope_id": envelope.id})
            view.offer("ticket task", "Task inside", given={"envelope_id": envelope.id})
        if view.is_mine or envelope.requested_by == me:
            view.offer("envelope cancel", "Cancel", envelope.id)


def _due(view: TicketView, envelope: Any) -> str:
    pending = envelope.status == "pending"
    return f" · answer {words.due(envelope.response_due_at, view.app.now())}" if pending else ""


def _task(view: TicketView, task: Any) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(words.plain(task.status), color=STATES.get(task.status, "gray"))
        st.text(task.title)
        due = f" · {words.due(task.due_date, view.app.now())}" if task.due_date and task.status in STEPS else ""
        st.caption(f"for {view.name(task.assigned_to)}, given by {view.name(task.created_by)}{due}")
    if task.description:
        st.text(task.description)
    if view.user.id in {task.assigned_to, task.created_by}:
        with st.container(horizontal=True):
            for to in STEPS.get(task.status, ()):
                view.offer("task move", MOVES[to], task.id, given={"to": to})
