"""What a person may ask and do, by page, command or route: each action takes the app and says when it was done."""

from datetime import datetime
from typing import TYPE_CHECKING

from engine.shared.errors import BadInput, NotFound

if TYPE_CHECKING:
    import polars as pl

    from engine.contracts import Ticket
    from engine.entitlements import Entitlement
    from engine.lessons import LessonReview
    from engine.priority import TimeLeft
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


def outside(marts: "MartReader") -> "pl.DataFrame":
    """Open tickets that lie outside what their customer is entitled to: reference, name, because."""
    return marts.query(
        "SELECT entitlements.reference, name, entitlements.because FROM entitlements "
        "JOIN tickets USING (ticket) LEFT JOIN customers ON customers.company_id = entitlements.company_id "
        "WHERE is_open AND entitlements.because <> '' ORDER BY 1"
    )


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


def time_left(app: "App") -> "dict[str, TimeLeft]":
    """By open ticket, what its clocks had left when the marts were last published; none before."""
    from engine.priority import TimeLeft

    try:
        with published(app) as reader:
            queue = reader.frame("work_queue")
    except NotFound:
        return {}
    return {ticket: TimeLeft(*left) for ticket, *left in queue.select("ticket", "seconds_left", "share_left").rows()}


def score_in_words(app: "App", ticket: str) -> str | None:
    """How the score of an open ticket came about when the marts were last published, and when; None if it was not in
    the queue then."""
    try:
        with published(app) as reader:
            found = reader.query("SELECT score_parts FROM work_queue WHERE ticket = ?", [ticket])["score_parts"]
            return f"{found[0]}, as of {reader.publication.as_of:%Y-%m-%d %H:%MZ}" if len(found) else None
    except NotFound:
        return None


def product_of(app: "App", ticket: "Ticket") -> str | None:
    """The product that a person confirmed, else the one triage is sure of."""
    claim = None if ticket.product else app.triage.store.latest([ticket.id]).get(ticket.id)
    return ticket.product or (claim.product if claim and not claim.needs_review else None)


def entitlement(app: "App", ticket: "Ticket") -> "Entitlement":
    """How a ticket stands to what its customer is entitled to."""
    from engine import cases, entitlements
    from engine.contracts import Company

    companies = app.store.all(Company, id=ticket.company_id) if ticket.company_id else []
    resources = app.store.all(cases.AffectedResource, ticket_id=ticket.id)
    calendars = app.policies.sla.calendars
    return entitlements.check(
        companies[0] if companies else None,
        product=product_of(app, ticket),
        created_at=ticket.created_at,
        regions=[one.region for one in resources if one.region],
        is_open=lambda name, at: calendars[name].is_open(at),
        policy=app.policies.entitlements,
    )


def accept_lesson(
    app: "App", lesson_id: str, *, title: str, by: str, at: datetime, text: str | None = None
) -> "LessonReview":
    """Make a lesson an article that drafts may cite to customers, in words of one's own or as it is."""
    from pipelines.jobs.lessons import accept

    return accept(app, lesson_id, title=title, by=by, at=at, text=text)
