"""What a person may ask and do, by page, command or route: each action takes the app and says when it was done."""

from datetime import datetime
from typing import TYPE_CHECKING

from engine.shared.errors import BadInput, NotFound

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from engine.access import User
    from engine.contracts import Ticket
    from engine.entitlements import Entitlement
    from engine.kanban import Board, KanbanView
    from engine.priority import TimeLeft
    from engine.storage.newest import Leaf
    from pipelines.app.container import App
    from pipelines.jobs.audit import Chain, Verified
    from pipelines.jobs.deliver import Parcels
    from pipelines.jobs.doctor import Finding
    from pipelines.jobs.failures import Look
    from pipelines.jobs.grant_review import Listed, Unapproved
    from pipelines.jobs.phrases import Phrases
    from pipelines.jobs.review import Queued
    from pipelines.marts import MartReader, Publication
    from sla.clocks.explain import Ledger
    from triage.feedback.acceptance import Feedback
    from triage.feedback.phrases import PhraseDecision
    from triage.feedback.reviews import Answered, Review, SameAnswer


def outside(marts: "MartReader") -> "pl.DataFrame":
    """Open tickets that lie outside what their customer is entitled to: reference, name, because."""
    return marts.query(
        "SELECT entitlements.reference, name, entitlements.because FROM entitlements "
        "JOIN tickets USING (ticket) LEFT JOIN customers ON customers.company_id = entitlements.company_id "
        "WHERE is_open AND entitlements.because <> '' ORDER BY 1"
    )


def exported(
    app: "App", user: "User", publication: "Publication", name: str, rows: "pl.DataFrame", *, kind: str, where: str
) -> bytes:
    """Rows of a page as a file (csv, parquet), noted as taken. Raises NotAllowed without the right to export."""
    from pipelines.export_format import Format
    from pipelines.jobs import export

    return export.taken(app, user, rows, export.Head.of(publication, name, "A list of the pages.", rows=rows.height,
                                                        where=where), Format(kind))  # fmt: skip


def explain(app: "App", ticket: str, *, as_of: datetime) -> "list[Ledger]":
    """The ledgers behind a ticket's clocks as of an instant. Raises NotFound."""
    from pipelines.jobs.explain import explain as job

    return job(app, ticket, as_of=as_of)


def review_queue(app: "App", *, closed: bool = False) -> "list[Queued]":
    """Tickets that wait for a person's answer, the least certain first, open ones unless `closed`; among them the
    random slice of what triage is sure of."""
    from pipelines.jobs import review

    return review.review_queue(app, closed=closed)


def review_question(app: "App", ticket: str) -> "Queued":
    """What a person is asked about one ticket. Raises NotFound before triage looked at it."""
    from pipelines.jobs import review

    return review.review_question(app, ticket)


def answer_review(app: "App", ticket: str, *, label: str, by: str, note: str = "") -> "Answered":
    """Keep a person's answer and confirm the product on the ticket; what others had answered before comes with it."""
    from pipelines.jobs import review

    return review.answer_review(app, ticket, label=label, by=by, note=note, at=app.now())


def withdraw_review(app: "App", *, by: str) -> "Review":
    """Take back the last answer that this person gave. Raises NotFound if there is none."""
    from pipelines.jobs import review

    return review.withdraw_review(app, by=by, at=app.now())


def reviewers_agree(app: "App") -> "SameAnswer":
    """On how many tickets two people answered, and on how many of them they say the same."""
    from pipelines.jobs import review

    return review.reviewers_agree(app)


def phrases(app: "App") -> "Phrases":
    """The phrases that people's answers propose, and those that leads accepted."""
    from pipelines.jobs import phrases

    return phrases.phrases(app)


def decide_phrase(app: "App", phrase: str, *, label: str, is_accepted: bool, user: "User") -> "PhraseDecision":
    """A lead's yes or no to a proposed phrase; the next triage goes by it. Raises NotAllowed."""
    from pipelines.app import identity
    from pipelines.app.identity import Right
    from pipelines.jobs import phrases

    identity.require(app, user, Right.SUPERVISE, doing="deciding on a phrase")
    return phrases.decide_phrase(app, phrase, label=label, is_accepted=is_accepted, by=user.id, at=app.now())


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


def is_paused(app: "App", ticket: str) -> bool:
    """Whether an approved pause holds."""
    from engine.lifecycle import is_paused as rule

    return rule(app.store.history(ticket))


def broken_link(app: "App", ticket: str) -> int | None:
    """The version of the first event of a ticket's history that was altered; None if its chain is whole."""
    from engine.contracts import first_broken_link

    return first_broken_link(app.store.history(ticket))


def time_left(app: "App") -> "dict[str, TimeLeft]":
    """By open ticket, what its clocks had left when the marts were last published; none before."""
    from engine.priority import TimeLeft
    from pipelines.marts import MartReader

    try:
        with MartReader(app.settings.marts_folder) as reader:
            queue = reader.frame("work_queue")
    except NotFound:
        return {}
    return {ticket: TimeLeft(*left) for ticket, *left in queue.select("ticket", "seconds_left", "share_left").rows()}


def score_in_words(app: "App", ticket: str) -> str | None:
    """How the score of an open ticket came about when the marts were last published, and when; None if it was not in
    the queue then."""
    from pipelines.marts import MartReader

    try:
        with MartReader(app.settings.marts_folder) as reader:
            found = reader.query("SELECT score_parts FROM work_queue WHERE ticket = ?", [ticket])["score_parts"]
            return f"{found[0]}, as of {reader.publication.as_of:%Y-%m-%d %H:%MZ}" if len(found) else None
    except NotFound:
        return None


def board_views(app: "App", user: "User") -> "list[KanbanView]":
    """Views of the board that this user may open, the usual ones first."""
    from engine import kanban
    from engine.contracts import Agent

    if not app.store.all(Agent, id=user.id):
        return list(kanban.usual_views(None))
    return app.desk.views(by=user.id)


def board(app: "App", view_id: str, *, by: str, at: datetime) -> "Board":
    """The board of a view: all tickets that fit its filters, the open ones if none is on the status."""
    return board_of(app, app.desk.view(view_id, by=by), at=at)


def board_of(app: "App", view: "KanbanView", *, at: datetime, most: int | None = None) -> "Board":
    """The same of a view that is at hand, with at most so many cards a column."""
    import polars as pl

    from engine import kanban
    from engine.contracts import OPEN_STATUSES
    from pipelines.live_queue import STORED, live_queue

    wanted = kanban.statuses(view)
    rows = _with_fields(app, view, live_queue(app, at=at).rows.rename({"ticket": "id"}))
    if closed := set(wanted) - OPEN_STATUSES:
        others = [name for name in rows.columns if name in view.filters and name not in STORED]
        more = app.store.frame("tickets", [*STORED, *others], where={"status": closed})
        rows = pl.concat([rows, more], how="diagonal")
    return kanban.board(view, rows, preset=app.policies.desk.lifecycle, most=most)


def in_view(app: "App", view: "KanbanView", rows: "pl.DataFrame") -> "pl.DataFrame":
    """Those of the live queue's rows that a view's board shows."""
    from engine import kanban

    shown = kanban.fits(view, _with_fields(app, view, rows.rename({"ticket": "id"})))
    return shown.rename({"id": "ticket"})


def _with_fields(app: "App", view: "KanbanView", rows: "pl.DataFrame") -> "pl.DataFrame":
    """The open tickets with the fields that the view filters on."""
    from engine import kanban

    kanban.check_filters(view)
    others = sorted(set(view.filters) - set(rows.columns))
    fields = app.store.frame("tickets", ["id", *others], where={"id": set(rows["id"])}) if others else None
    return rows if fields is None else rows.join(fields, on="id", how="left", maintain_order="left")


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


def draw_grants(app: "App", user: "User", *, at: datetime) -> int:
    """List last week's grants for review; returns how many are new. Raises NotAllowed."""
    from engine.access import Right
    from pipelines.app import identity
    from pipelines.jobs.grant_review import draw

    identity.require(app, user, Right.SUPERVISE, doing="drawing grants for review")
    return draw(app, at=at)


def grants_listed(app: "App", *, reviewed: bool = False) -> "list[Listed]":
    """Grants that wait for a review, or were reviewed, the longest on the list first."""
    from pipelines.jobs.grant_review import review_list

    return review_list(app, reviewed=reviewed)


def grants_unapproved(app: "App") -> "list[Unapproved]":
    """Grants that wait for an approval, the longest waiting first."""
    from pipelines.jobs.grant_review import unapproved

    return unapproved(app)


def limits(app: "App") -> "dict[tuple[str, str], str]":
    """What a team may grant at a tier, with its currency, by team and tier."""
    from engine.contracts import EmpowermentConfig

    found = app.store.all(EmpowermentConfig)
    return {
        (one.team_id, tier): f"{limit:,.2f} {one.currency}"
        for one in found
        for tier, limit in (("agent", one.tier1_limit), ("team_lead", one.tier2_limit))
    }


def retry_unsent(app: "App", key: str, *, at: datetime) -> "Parcels":
    """Let a row that was refused or that rests be sent again, by its key, or `all` of them."""
    from engine.storage.outbox import NOTICE
    from pipelines.jobs.deliver import Parcels

    kinds = app.outbox.retry(None if key == "all" else key, at=at)
    return Parcels(decisions=kinds.total() - kinds[NOTICE], notices=kinds[NOTICE])


def drop_unsent(app: "App", destination: str) -> "Parcels":
    """Give up what waits for a destination that is no longer in use."""
    from engine.storage.outbox import NOTICES
    from pipelines.jobs.deliver import Parcels, drop

    rows = drop(app, destination)
    is_notice = destination.startswith(NOTICES)
    return Parcels(decisions=0 if is_notice else rows, notices=rows if is_notice else 0)


def look_for_failures(app: "App") -> "dict[str, Look]":
    """What could not be taken in, was not sent or failed, by part, with the way to mend each."""
    from pipelines.jobs.failures import look

    return look(app)


def examine(app: "App") -> "list[Finding]":
    """Every part tried once, with store, index and model: what `helmdesk doctor` shows."""
    from pipelines.jobs.doctor import examine as job

    return job(app.settings)


def verify_records(app: "App") -> "Verified":
    """Whether what was recorded is still as it was: what `helmdesk audit verify` says."""
    from pipelines.jobs.audit import verify

    return verify(app)


def audited_acts(app: "App", user: "User", of: str, *, actor: str | None = None, page: int = 1) -> "Leaf":
    """Who did what, by pages of 50, the newest first; `of` is one of `acts_by_kind`. Raises NotAllowed."""
    from pipelines.jobs.audit import acts

    return acts(app, user, of, actor=actor, page=page)


def acts_by_kind() -> list[str]:
    """What one may ask `audited_acts` for."""
    from pipelines.jobs.audit import ACTS

    return list(ACTS)


def audited_views(
    app: "App", user: "User", *, viewer: str | None, ticket: str | None, day: "date | None", page: int = 1
) -> "Leaf":
    """Who viewed customer data, by pages of 50, the latest first. Raises NotAllowed."""
    from pipelines.jobs.audit import views

    return views(app, user, viewer=viewer, ticket=ticket, day=day, page=page)


def audited_chain(app: "App", user: "User", ticket: str) -> "Chain":
    """A ticket's history and whether its chain is whole. Raises NotAllowed, and NotFound."""
    from pipelines.jobs.audit import chain

    return chain(app, user, ticket)


def weekly_report_html(app: "App", week: "date | None" = None, *, user: "User") -> str:
    """The report of the week that begins then, else of the last settled one, as a page that stands alone; noted as an
    export. Raises NotAllowed without the right to export, NotFound without such a week."""
    from pipelines.jobs.weekly_report.as_file import as_file
    from pipelines.jobs.weekly_report.figures import weekly_report

    return as_file(app, user, weekly_report(app, week, at=app.now())).decode()
