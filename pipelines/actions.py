"""What a person may ask and do, by page, command or route: each action takes the app and says when it was done."""

from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.app.container import App
    from pipelines.jobs.review import Queued
    from pipelines.marts import MartReader
    from sla.clocks.explain import Ledger
    from triage.feedback.acceptance import Feedback
    from triage.feedback.reviews import Review


def published(app: "App") -> "MartReader":
    """The publication in force. Raises NotFound with the command that publishes one."""
    from pipelines.marts import MartReader

    return MartReader(app.settings.marts_folder)


def explain(app: "App", ticket: str, *, as_of: datetime) -> "list[Ledger]":
    """The ledgers behind a ticket's clocks as of an instant. Raises NotFound."""
    from pipelines.jobs.explain import explain as job

    return job(app, ticket, as_of=as_of)


def review_queue(app: "App", *, closed: bool = False) -> "list[Queued]":
    """Tickets that wait for a person's answer, the least certain first; open ones unless `closed`."""
    from pipelines.jobs import review

    return review.review_queue(app, closed=closed)


def review_question(app: "App", ticket: str) -> "Queued":
    """What a person is asked about one ticket. Raises NotFound before triage looked at it."""
    from pipelines.jobs import review

    return review.review_question(app, ticket)


def answer_review(app: "App", ticket: str, *, label: str, by: str, note: str = "") -> "Review":
    """Keep a person's answer and confirm the product on the ticket."""
    from pipelines.jobs import review

    return review.answer_review(app, ticket, label=label, by=by, note=note, at=app.now())


def record_feedback(
    app: "App",
    ticket: str,
    *,
    by: str,
    sent: str | None = None,
    rejected: str | None = None,
    shown: str | None = None,
) -> "Feedback":
    """Keep what a person did with the newest draft on a ticket; nothing is sent by it."""
    from pipelines.jobs import review

    return review.record_feedback(app, ticket, by=by, sent=sent, rejected=rejected, shown=shown, at=app.now())
