"""What a person may ask and do, by page, command or route: each action takes the app and says when it was done."""

from datetime import datetime
from typing import TYPE_CHECKING

from engine.shared.errors import BadInput, NotFound

if TYPE_CHECKING:
    from engine.contracts import Ticket
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


def reply(
    app: "App", ticket_id: str, *, by: str, at: datetime, text: str | None = None, draft: bool = False
) -> "Ticket":
    """Write to the customer as the owner: a text, the newest draft as it is, or a text that began as that draft.

    Of a draft it keeps what became of it, as triage's feedback.
    """
    from pipelines.jobs import review

    if draft:
        return review.send_draft(app, ticket_id, by=by, text=text, at=at)
    if text is None:
        raise BadInput("a reply takes a text, or `draft` to send the newest draft as it is")
    return app.desk.reply(ticket_id, by=by, text=text, at=at)


def seconds_left(app: "App") -> dict[str, float]:
    """By open ticket, what its next promise had left when the marts were last published; none before."""
    try:
        queue = published(app).frame("work_queue")
    except NotFound:
        return {}
    known = queue.select("ticket", "seconds_left").drop_nulls()
    return {ticket: float(seconds) for ticket, seconds in known.iter_rows()}
