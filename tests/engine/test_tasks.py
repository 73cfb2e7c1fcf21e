"""Tasks are given by the owner or inside an envelope, and moved by who has them."""

from typing import Any

import pytest

from engine import envelopes, tasks
from engine.shared.errors import NotAllowed
from engine.tasks import Task, TaskStatus
from tests.engine.people import MONDAY, later, owned

ACTIVE = envelopes.Envelope(
    id="e1", ticket_id="web:1", requested_by="ana", assigned_to="ben", team_id="network", status="active",
    reason="DNS", created_at=MONDAY, response_due_at=later(4),
)  # fmt: skip


def a_task(**changes: Any) -> Task:
    facts = {"id": "t1", "ticket_id": "web:1", "title": "call", "created_by": "ana", "assigned_to": "ben"}
    return Task(**{**facts, "created_at": MONDAY, **changes})


def test_owner_gives_tasks_and_strangers_do_not() -> None:
    task, [event] = tasks.add(a_task(), ticket=owned())
    assert (task.status, event.value, event.data["status"]) == (TaskStatus.TO_DO, "t1", "todo")
    with pytest.raises(NotAllowed, match="only the owner"):
        tasks.add(a_task(created_by="ben"), ticket=owned())


def test_expert_gives_tasks_inside_the_envelope() -> None:
    tasks.add(a_task(created_by="ben", envelope_id="e1"), ticket=owned(), envelope=ACTIVE)
    with pytest.raises(NotAllowed, match="not fin"):
        tasks.add(a_task(created_by="fin", envelope_id="e1"), ticket=owned(), envelope=ACTIVE)
    with pytest.raises(NotAllowed, match="which was not given"):
        tasks.add(a_task(created_by="ben", envelope_id="e2"), ticket=owned(), envelope=ACTIVE)


def test_done_and_cancelled_are_final() -> None:
    started, _ = tasks.move(a_task(), to=TaskStatus.IN_PROGRESS, by="ben", at=later(1))
    done, _ = tasks.move(started, to=TaskStatus.DONE, by="ana", at=later(2))
    assert done.completed_at == later(2)
    for final in (done, a_task(status="cancelled")):
        with pytest.raises(NotAllowed, match="can't become todo"):
            tasks.move(final, to=TaskStatus.TO_DO, by="ana", at=later(3))


def test_task_is_moved_by_who_has_or_gave_it() -> None:
    with pytest.raises(NotAllowed, match="is ben's, given by ana"):
        tasks.move(a_task(), to=TaskStatus.DONE, by="fin", at=later(1))


def test_overdue_tasks_come_longest_first() -> None:
    late, later_still = a_task(id="b", due_date=later(1)), a_task(id="a", due_date=later(2))
    others = [a_task(due_date=later(9)), a_task(), a_task(status="done", due_date=later(1))]
    assert tasks.overdue([later_still, late, *others], at=later(3)) == [late, later_still]
