"""Ana hears of INC-1 at 9:05; what comes at 9:06, 9:20 and 9:34 is one message at 9:35."""

from pathlib import Path

from engine.notifications import QueuedNotification
from pipelines.app.container import App
from pipelines.jobs.deliver import deliver
from tests.pipelines.notices import MINUTE, MONDAY, desk, tell


def heard(app: App, minute: float) -> int:
    return deliver(app, at=MONDAY + minute * MINUTE).notices_in_inbox


def test_what_comes_in_half_an_hour_is_one_message_at_its_end(tmp_path: Path) -> None:
    with desk(tmp_path) as app:
        app.desk.remind("web:1", by="ana", trigger_at=MONDAY + 34 * MINUTE, message="call", at=MONDAY)
        tell(app, "n1", ticket="web:1")
        assert heard(app, 5) == 1
        for minute in (6, 20):
            tell(app, f"n{minute}", ticket="web:1", at=MONDAY + minute * MINUTE)
        app.desk.ring_reminders(at=MONDAY + 34 * MINUTE)
        assert (heard(app, 34), heard(app, 35)) == (0, 1)
        newest, _ = app.desk.inbox(by="ana")
        assert [row.event_type for row in app.desk.news_in(newest.id, by="ana")] == ["flagged", "flagged", "reminder"]


def test_who_works_on_it_hears_an_hour_later_and_of_a_breach_at_once(tmp_path: Path) -> None:
    with desk(tmp_path) as app:
        tell(app, "n6", ticket="web:1", at=MONDAY + 6 * MINUTE)
        app.desk.working_on("web:1", by="ana", at=MONDAY + 10 * MINUTE)
        tell(app, "n20", ticket="web:1", at=MONDAY + 20 * MINUTE)
        tell(app, "breach", ticket="web:1", event="sla_breach", at=MONDAY + 20 * MINUTE)
        [breach] = app.store.all(QueuedNotification, event_type="sla_breach")
        assert (breach.channel, breach.scheduled_for) == ("push", MONDAY + 20 * MINUTE)
        assert [heard(app, minute) for minute in (20, 69, 70)] == [1, 0, 1]
        assert app.desk.inbox(by="ana")[0].subject == "2 notices: 2 flagged"
