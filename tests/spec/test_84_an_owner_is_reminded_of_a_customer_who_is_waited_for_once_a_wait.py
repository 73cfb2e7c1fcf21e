"""INC-1, high, waits for the customer since 9:00: its owner's reminder rings at 11:00, not before and not again."""

from engine.contracts import Delivery, Status
from pipelines.app.container import App
from pipelines.jobs.sweep import sweep
from pipelines.snapshot import Snapshot
from tests.engine.people import AGENTS, MONDAY, TEAMS, delivered, later


def rings(app: App, hours: float) -> tuple[int, int]:
    """Reminders that were set and that rang."""
    done = sweep(app, Snapshot(app, later(hours)))
    return done.reminders, done.rung


def test_once_a_wait(app: App) -> None:
    app.store.put([*TEAMS, *AGENTS])
    app.store.ingest(
        Delivery(tickets=(delivered(1, priority="high", requester="pat", created_at=later(-1)),)), at=later(-1)
    )
    app.desk.accept("web:1", by="ana", at=later(-0.5))
    app.desk.change_status("web:1", by="ana", to=Status.WAITING_CUSTOMER, at=MONDAY)
    assert [rings(app, hours) for hours in (1.99, 2, 2.5, 4)] == [(0, 0), (1, 1), (0, 0), (0, 0)]
    [reminder] = app.desk.due_reminders(by="ana", at=later(4)).overdue
    assert reminder.message == "INC-1 waits for the customer: remind them."
    app.desk.receive("web:1", by="ana", text="Here it is.", at=later(5))
    app.desk.change_status("web:1", by="ana", to=Status.WAITING_CUSTOMER, at=later(6))
    assert [rings(app, hours) for hours in (7.9, 8)] == [(0, 0), (1, 1)]
