"""Review and feedback: the queue of what triage is not sure of, people's answers, and what became of drafts."""

from datetime import datetime
from typing import Any, NamedTuple

from engine.contracts import Event, Kind, Ticket
from engine.shared.errors import Conflict, NotFound
from engine.storage.audit_log import Entry
from engine.storage.seals import RECORDS, Covered
from pipelines.app.container import App
from pipelines.jobs.triage_tickets import text_of
from triage.contracts import Suggestion
from triage.feedback.acceptance import Feedback
from triage.feedback.acceptance import feedback as judged
from triage.feedback.honesty import in_slice, mixed, place_of
from triage.feedback.reviews import (
    Answered,
    Doubt,
    Review,
    SameAnswer,
    Waiting,
    agreement,
    check_text,
    in_order,
    is_blind_question,
    is_settled,
    is_spot_check,
    name_of,
    review,
    waiting,
)
from triage.feedback.tables import feedback, review_withdrawals, reviews

ANSWERS = Covered(reviews, ("number", *Review.model_fields), ("number",))
"""People's answers, by what the event of each says."""
WITHDRAWALS = Covered(review_withdrawals, ("number", "withdrawn_by", "withdrawn_at"), ("number",))
FEEDBACK = Covered(feedback, ("number", *Feedback.model_fields), ("number",))
"""What became of drafts, by what the log says of each."""


class Queued(NamedTuple):
    """A ticket of the review queue as the desk knows it, and what a person is asked.

    `reference` is the ticket's key where another ticket has the same reference, so that it names one only.
    """

    reference: str
    is_open: bool
    question: Waiting


def review_queue(app: App, *, closed: bool = False) -> list[Queued]:
    """Tickets that wait for a person's answer: those triage is not sure of, the least certain first, open ones unless
    `closed`; and, as the first question and each so many after it, those of the random slice of sure claims.

    Of the slice closed tickets are asked about, too: what is closed was claimed as well, and what stays open longest
    is hardest, so that open ones alone would say less good of triage than is so. The slice is asked in the order of
    chance in which it was drawn, so that what was answered of it at any time is a random part.
    """
    policy = app.policies.learning.honest_slice
    drawn = app.triage.feedback.sure(lambda ticket: in_slice(ticket, policy.seed, policy.share))
    claims = {claim.ticket_id: (claim, text) for claim, text in (*app.triage.feedback.unsure(), *drawn)}
    tickets = {ticket.id: ticket for ticket in app.store.tickets(ids=list(claims))}
    answers = app.triage.feedback.answers()
    doubts = [Doubt(*claims[key], ticket.created_at) for key, ticket in tickets.items()]
    left = [doubt for doubt in doubts if not is_settled(doubt, answers.get(doubt.claim.ticket_id))]
    unsure = in_order(
        one for one in left if one.claim.needs_review and (closed or tickets[one.claim.ticket_id].is_open)
    )
    checks = [one for one in left if not one.claim.needs_review]
    checks.sort(key=lambda one: place_of(one.claim.ticket_id, seed=policy.seed))
    shared = _shared_references(app) if left else set()
    return [
        Queued(ticket.id if ticket.reference in shared else ticket.reference, ticket.is_open, _question(app, doubt))
        for doubt in mixed(unsure, checks, every=policy.every)
        for ticket in [tickets[doubt.claim.ticket_id]]
    ]


def review_question(app: App, ticket: str) -> Queued:
    """What a person is asked about one ticket, whether it waits or not. Raises NotFound before triage looked at it."""
    record = _ticket(app, ticket)
    claim = app.triage.store.latest([record.id]).get(record.id)
    if claim is None:
        raise NotFound(f"Triage has not looked at {record.reference} yet; run `helmdesk triage` first")
    return Queued(record.reference, record.is_open, _question(app, Doubt(claim, text_of(record), record.created_at)))


def answer_review(app: App, ticket: str, *, label: str, by: str, at: datetime, note: str = "") -> Answered:
    """Keep a person's answer and confirm the product on the ticket, both or neither; who changed the ticket meanwhile
    keeps that change, and of two who answer at once the later one is given the other's answer. Raises NotFound,
    BadInput for a label outside the taxonomy."""
    record = _ticket(app, ticket)
    claim = app.triage.store.latest([record.id]).get(record.id)
    answer = review(
        text_of(record), claim, app.triage.taxonomy, label=label, by=by, note=note, opened_at=record.created_at, at=at
    )
    with app.store.transaction() as connection:
        current = app.store.ticket(record.id, within=connection)
        given = app.triage.feedback.review_history(record.id, within=connection)
        number = app.triage.feedback.add_review(answer, within=connection)
        confirmed = current.model_copy(update={"product": answer.label})
        sealed = {RECORDS: dict([ANSWERS.seal({"number": number, **answer.model_dump()})]), "before": current.product}
        app.store.save(confirmed, [_confirmed(answer, number, sealed)], at=app.now(), within=connection)
    is_check = claim is not None and is_spot_check(claim, app.policies.learning.honest_slice)
    before = tuple(one for one in given if one.answered_by != answer.answered_by)
    return Answered(**dict(answer), is_spot_check=is_check, before=before)


def withdraw_review(app: App, *, by: str, at: datetime) -> Review:
    """Take back the last answer that somebody gave: it counts and teaches no more, and if no later answer replaced it,
    the ticket's product is again what it was before. Raises NotFound if there is none."""
    found = app.triage.feedback.last_review(by=name_of(by))
    if found is None:
        raise NotFound(f"{by} gave no answer that could be taken back; `helmdesk triage review` shows what waits")
    number, answer = found
    given = app.store.history(answer.ticket_id)
    before = next((e.data.get("before") for e in given if e.id == f"reviewed/{answer.ticket_id}/{number}"), None)
    row = {"number": number, "withdrawn_by": answer.answered_by, "withdrawn_at": at}
    with app.store.transaction() as connection:
        current = app.store.ticket(answer.ticket_id, within=connection)
        counts = app.triage.feedback.review_history(answer.ticket_id)[-1] == answer
        app.triage.feedback.withdraw(number, by=answer.answered_by, at=at, within=connection)
        product = before if counts and current.product == answer.label else current.product
        taken_back = Event(
            id=f"review-withdrawn/{answer.ticket_id}/{number}",
            ticket_id=answer.ticket_id,
            kind=Kind.CLASSIFIED,
            at=at,
            actor=answer.answered_by,
            data={"model": "review", RECORDS: dict([WITHDRAWALS.seal(row)])},
        )
        changed = current.model_copy(update={"product": product})
        app.store.save(changed, [taken_back], at=app.now(), within=connection)
    return answer


def reviewers_agree(app: App) -> SameAnswer:
    """Whether people who answered on one ticket say the same."""
    return agreement(app.triage.feedback.labels_given())


def record_feedback(
    app: App,
    ticket: str,
    *,
    by: str,
    at: datetime,
    sent: str | None = None,
    rejected: str | None = None,
    shown: str | None = None,
) -> Feedback:
    """Keep what was done with the newest draft on a ticket: sent as it is, sent as the text `sent`, or `rejected` with
    a reason. Nothing is sent by it. Raises NotFound without a draft, Conflict if it is not the one that was `shown`."""
    record = _ticket(app, ticket)
    draft = _newest_draft(app, record)
    if shown is not None and shown != draft.text:
        raise Conflict(
            f"There is a newer draft for {record.reference}; read that one first, it shows after the next cycle"
        )
    given = judged(draft, by=by, at=at, sent=sent, rejected=rejected, label=_label(app, record))
    _keep_feedback(app, given, by=by, at=at)
    return given


def send_draft(app: App, ticket: str, *, by: str, at: datetime, text: str | None = None) -> Ticket:
    """Reply with the newest draft, as it is or edited to `text`, and keep that as its feedback. Raises as
    `record_feedback`, before anything was sent."""
    record = _ticket(app, ticket)
    draft = _newest_draft(app, record)
    given = judged(draft, by=by, at=at, sent=text, label=_label(app, record))
    answered = app.desk.reply(record.id, by=by, text=draft.text if text is None else text, at=at)
    _keep_feedback(app, given, by=by, at=at)
    return answered


def _keep_feedback(app: App, given: Feedback, *, by: str, at: datetime) -> None:
    """With its seal in the log, both or neither."""
    with app.store.transaction() as connection:
        number = app.triage.feedback.add_feedback(given, within=connection)
        sealed = {RECORDS: dict([FEEDBACK.seal({"number": number, **given.model_dump()})])}
        app.store.put([], entry=Entry("draft_feedback", at, given.ticket_id, by, sealed), within=connection)


def _newest_draft(app: App, record: Ticket) -> Suggestion:
    draft = app.triage.store.latest_suggestions([record.id]).get(record.id)
    if draft is None:
        todo = (
            "run `helmdesk triage` first"
            if record.is_open
            else f"drafts are for open tickets and it is {record.status}"
        )
        raise NotFound(f"No reply was drafted for {record.reference}; {todo}")
    return draft


def _question(app: App, doubt: Doubt) -> Waiting:
    return waiting(doubt, is_blind=is_blind_question(doubt.claim, app.policies.learning.honest_slice))


def _shared_references(app: App) -> set[str]:
    """References that several tickets have, each from another source."""
    names = app.store.frame("tickets", ["reference"])["reference"]
    return set(names.filter(names.is_duplicated()))


def _ticket(app: App, ticket: str) -> Ticket:
    check_text("key of the ticket", ticket)
    return app.store.ticket(ticket)


def _confirmed(answer: Review, number: int, data: dict[str, Any]) -> Event:
    return Event(
        id=f"reviewed/{answer.ticket_id}/{number}",
        ticket_id=answer.ticket_id,
        kind=Kind.CLASSIFIED,
        at=answer.answered_at,
        value=answer.label,
        actor=answer.answered_by,
        reason=answer.note or None,
        data={"model": "review", "said": answer.said, **data},
    )


def _label(app: App, ticket: Ticket) -> str | None:
    """The product as confirmed, else as claimed."""
    claim = app.triage.store.latest([ticket.id]).get(ticket.id)
    return ticket.product or (claim.product if claim else None)
