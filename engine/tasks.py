"""A task is a small piece of work inside a ticket or an envelope."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from engine import envelopes, ownership
from engine.contracts import Event, Frozen, Instant, Kind, Ticket
from engine.shared.errors import NotAllowed


class TaskStatus(StrEnum):
    TO_DO = "todo"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class Task(Frozen):
    """Work for one agent; `envelope_id` is None when it stands directly under the ticket."""

    id: str
    ticket_id: str
    envelope_id: str | None = None
    title: str
    description: str = ""
    assigned_to: str | None = None
    status: TaskStatus = TaskStatus.TO_DO
    due_date: Instant | None = None
    created_by: str
    created_at: Instant
    completed_at: Instant | None = None


FINAL = frozenset({TaskStatus.DONE, TaskStatus.CANCELLED})


def add(task: Task, *, ticket: Ticket, envelope: envelopes.Envelope | None = None) -> tuple[Task, list[Event]]:
    """A new task, given by the owner, or inside an envelope by its expert as well."""
    if task.envelope_id is None:
        ownership.guard(ticket, by=task.created_by, doing="add a task")
    elif envelope is None or envelope.id != task.envelope_id:
        raise NotAllowed(f"Task {task.title!r} names envelope {task.envelope_id}, which was not given.")
    else:
        envelopes.guard_thread(ticket, envelope, by=task.created_by)
    return task, [_event(task, task.created_by, task.created_at)]


def move(task: Task, *, to: TaskStatus, by: str, at: datetime) -> tuple[Task, list[Event]]:
    """Start, finish, take back or cancel; by who has it or who gave it. Done and cancelled are final."""
    if by not in {task.assigned_to, task.created_by}:
        raise NotAllowed(f"Task {task.title!r} is {task.assigned_to or 'nobody'}'s, given by {task.created_by}.")
    if task.status in FINAL or to == task.status:
        raise NotAllowed(f"Task {task.title!r} is {task.status} and can't become {to}.")
    moved = task.model_copy(update={"status": to, "completed_at": at if to in FINAL else None})
    return moved, [_event(moved, by, at)]


def overdue(tasks: Iterable[Task], *, at: datetime) -> list[Task]:
    """Open tasks past their due date, longest overdue first."""
    late = [(t.due_date, t.id, t) for t in tasks if t.status not in FINAL and t.due_date and t.due_date <= at]
    return [task for _, _, task in sorted(late, key=lambda row: row[:2])]


def _event(task: Task, by: str, at: datetime) -> Event:
    data = {"status": task.status.value, "title": task.title, "assigned_to": task.assigned_to}
    return Event(ticket_id=task.ticket_id, kind=Kind.TASK, at=at, value=task.id, actor=by, data=data)
