"""What people answered and what became of drafts, kept as history; and which model is in force since when.

Nothing is ever written over: two people who answer at once both keep their answer, and the one that came last counts.
An answer that was taken back stays and counts no more from then on.
"""

from collections.abc import Callable, Iterable
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import polars as pl
from more_itertools import chunked
from sqlalchemy import ColumnElement, Connection, CursorResult, Engine, Row, Select, Table, and_, func, select
from sqlalchemy.exc import IntegrityError

from engine.contracts import Frozen, Instant
from engine.shared.errors import Conflict, NotFound
from triage.contracts import Classification, Guess, TicketText
from triage.feedback.acceptance import Feedback
from triage.feedback.phrases import PhraseDecision
from triage.feedback.reviews import Review
from triage.feedback.tables import feedback, metadata, model_runs, phrase_decisions, review_withdrawals, reviews
from triage.store import TEXT_FIELDS
from triage.tables import classifications, triage_tickets

KEYS_AT_ONCE = 500


class ModelRun(Frozen):
    """One training: what was learned, how it did against the model in force, and whether it took over.

    `succeeds` is the number of the run it took over from, 0 for what is learned from the taxonomy alone; None if it
    did not take over. `reference` is the mix of labels and confidence it gave to tickets of its time that it did not
    learn from.
    """

    number: int = 0
    name: str
    file: str
    data_sha256: str
    champion: str
    reason: str
    learned_rows: int
    reviews_seen: int
    tested: int
    champion_right: int
    challenger_right: int
    difference_low: float
    took_over: bool
    succeeds: int | None = None
    measured: dict[str, Any]
    reference: dict[str, Any]
    trained_at: Instant


class FeedbackStore:
    """Beside the claims of `TriageStore`, in the same database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def create_tables(self) -> None:
        """For a database of its own; in the desk's database the migrations make the same tables."""
        metadata.create_all(self._engine)

    def add_review(self, answer: Review, *, within: Connection | None = None) -> int:
        """Keep an answer; returns its number. Raises NotFound for a ticket that triage has not looked at. `within` is
        the transaction of a caller who writes the ticket as well."""
        return self._insert(reviews, answer.model_dump(), answer.ticket_id, within)

    def add_feedback(self, given: Feedback, *, within: Connection | None = None) -> int:
        """Keep what was done with a draft; returns its number. Raises NotFound like `add_review`."""
        row = given.model_dump() | {"outcome": given.outcome.value, "articles": list(given.articles)}
        return self._insert(feedback, row, given.ticket_id, within)

    def answers(self, *, as_of: datetime | None = None) -> dict[str, Review]:
        """The answer that counts of each answered ticket: the last that arrived, of those given by `as_of`."""
        query = select(reviews).where(_stands(as_of))
        query = query if as_of is None else query.where(reviews.c.answered_at <= as_of)
        return {row.ticket_id: _review(row) for row in self._read(query.order_by(reviews.c.number))}

    def review_history(self, ticket_id: str | None = None, *, within: Connection | None = None) -> list[Review]:
        """All answers, or those on one ticket, that were not taken back, in the order they arrived. `within` is the
        transaction of a caller who holds the ticket."""
        query = select(reviews).where(_stands()).order_by(reviews.c.number)
        query = query if ticket_id is None else query.where(reviews.c.ticket_id == ticket_id)
        return [_review(row) for row in (within.execute(query) if within else self._read(query))]

    def last_review(self, *, by: str) -> tuple[int, Review] | None:
        """The number and the answer that somebody gave last and did not take back."""
        query = select(reviews).where(reviews.c.answered_by == by, _stands()).order_by(reviews.c.number.desc()).limit(1)
        return next(((row.number, _review(row)) for row in self._read(query)), None)

    def withdraw(self, number: int, *, by: str, at: datetime, within: Connection) -> None:
        """Take the answer of this number back. Raises Conflict if it was taken back already."""
        try:
            within.execute(review_withdrawals.insert().values(number=number, withdrawn_by=by, withdrawn_at=at))
        except IntegrityError:
            raise Conflict("That answer was taken back already") from None

    def labels_given(self) -> list[tuple[str, str, str]]:
        """Ticket, label and who gave it of every answer that stands, in the order they arrived."""
        columns = reviews.c.ticket_id, reviews.c.label, reviews.c.answered_by
        return [tuple(row) for row in self._read(select(*columns).where(_stands()).order_by(reviews.c.number))]

    def answer_count(self) -> int:
        """How many answers there are, with those that a later one replaced or that were taken back."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.count()).select_from(reviews)).scalar_one()

    def answers_stamp(self) -> tuple[int, int]:
        """How many answers were given, and how many taken back: as long as both are the same, so are all answers."""
        counts = [select(func.count()).select_from(table).scalar_subquery() for table in (reviews, review_withdrawals)]
        with self._engine.connect() as connection:
            given, gone = connection.execute(select(*counts)).one()
        return given, gone

    def add_decision(self, decision: PhraseDecision, *, within: Connection) -> int:
        """Keep what a lead decided about a phrase; returns its number."""
        return _number(within.execute(phrase_decisions.insert().values(decision.model_dump())))

    def phrase_decisions(self) -> list[PhraseDecision]:
        """All decisions on phrases, in the order they arrived."""
        rows = self._read(select(phrase_decisions).order_by(phrase_decisions.c.number))
        return [PhraseDecision(**{name: row._mapping[name] for name in PhraseDecision.model_fields}) for row in rows]

    def tickets_answered(self, *, after: int) -> int:
        """On how many tickets somebody answered since the first so many answers were kept, and did not take it back."""
        later = select(reviews.c.ticket_id, reviews.c.number).order_by(reviews.c.number).offset(after).subquery()
        stand = later.c.number.not_in(select(review_withdrawals.c.number))
        with self._engine.connect() as connection:
            return connection.execute(select(func.count(later.c.ticket_id.distinct())).where(stand)).scalar_one()

    def feedback(self, *, as_of: datetime | None = None) -> list[Feedback]:
        """What counts of each judged draft: the last that was said of it, by `as_of`."""
        query = select(feedback) if as_of is None else select(feedback).where(feedback.c.given_at <= as_of)
        newest = {row.suggestion_id: _feedback(row) for row in self._read(query.order_by(feedback.c.number))}
        return list(newest.values())

    def feedback_of(self, ticket_id: str) -> list[Feedback]:
        """All that was said of the drafts on a ticket, in the order it arrived."""
        query = select(feedback).where(feedback.c.ticket_id == ticket_id).order_by(feedback.c.number)
        return [_feedback(row) for row in self._read(query)]

    def unsure(self) -> list[tuple[Classification, TicketText]]:
        """Tickets whose newest claim needs a person, with the text the claim is about."""
        ranked = _newest(classifications)
        return self._with_text(ranked, and_(ranked.c.rank == 1, ranked.c.needs_review))

    def sure(self, is_chosen: Callable[[str], bool]) -> list[tuple[Classification, TicketText]]:
        """The chosen of the tickets whose newest claim needs no person; by the key of a ticket."""
        ranked = _newest(classifications)
        is_sure = and_(ranked.c.rank == 1, ~ranked.c.needs_review)
        keys = [row.ticket_id for row in self._read(select(ranked.c.ticket_id).where(is_sure))]
        parts = chunked(filter(is_chosen, keys), KEYS_AT_ONCE)
        return [pair for some in parts for pair in self._with_text(ranked, and_(is_sure, ranked.c.ticket_id.in_(some)))]

    def _with_text(self, ranked: Any, wanted: ColumnElement[bool]) -> list[tuple[Classification, TicketText]]:
        joined = select(ranked, *(triage_tickets.c[name] for name in TEXT_FIELDS if name != "ticket_id"))
        query = joined.join(triage_tickets, triage_tickets.c.ticket_id == ranked.c.ticket_id)
        return [
            (_claim(row), TicketText(**{name: row._mapping[name] for name in TEXT_FIELDS}))
            for row in self._read(query.where(wanted))
        ]

    def claims_of(self, model: str) -> pl.DataFrame:
        """The newest claim on each ticket, where this model made it: ticket, product, confidence, created_at."""
        ranked = _newest(classifications)
        names = "ticket", "product", "confidence", "created_at"
        is_its = and_(ranked.c.rank == 1, ranked.c.model_used == model)
        query = select(ranked.c.ticket_id, *(ranked.c[name] for name in names[1:])).where(is_its)
        schema = dict(zip(names, (pl.String(), pl.String(), pl.Float64(), pl.Datetime("us", "UTC")), strict=True))
        return pl.DataFrame([tuple(row) for row in self._read(query)], schema=schema, orient="row")

    def add_run(self, run: ModelRun) -> ModelRun:
        """Keep a training, with its number. Raises Conflict if another model took over meanwhile."""
        row = run.model_dump(exclude={"number"})
        try:
            with self._engine.begin() as connection:
                number = _number(connection.execute(model_runs.insert().values(row)))
        except IntegrityError:
            raise Conflict(
                "Another model took over while this one was learned; train again to compare with it"
            ) from None
        return run.model_copy(update={"number": number})

    def runs(self) -> list[ModelRun]:
        """All trainings, the first one first."""
        return [_run(row) for row in self._read(select(model_runs).order_by(model_runs.c.number))]

    def in_force(self) -> ModelRun | None:
        """The last model that took over; None while it is what is learned from the taxonomy alone."""
        order = model_runs.c.number.desc()
        return next(
            map(_run, self._read(select(model_runs).where(model_runs.c.took_over).order_by(order).limit(1))), None
        )

    def _insert(self, table: Table, row: dict[str, Any], ticket_id: str, within: Connection | None = None) -> int:
        try:
            with nullcontext(within) if within else self._engine.begin() as connection:
                return _number(connection.execute(table.insert().values(row)))
        except IntegrityError:
            raise NotFound(f"Triage has not looked at {ticket_id} yet; run `helmdesk triage` first") from None

    def _read(self, statement: Select[Any]) -> Iterable[Row[Any]]:
        with self._engine.connect() as connection:
            return connection.execute(statement).all()


def _stands(as_of: datetime | None = None) -> ColumnElement[bool]:
    """Which answers were not taken back, by `as_of`."""
    gone = select(review_withdrawals.c.number)
    return reviews.c.number.not_in(gone if as_of is None else gone.where(review_withdrawals.c.withdrawn_at <= as_of))


def _number(inserted: CursorResult[Any]) -> int:
    key = inserted.inserted_primary_key
    assert key is not None
    return int(key[0])


def _newest(table: Table) -> Any:
    """Every row with its `rank` among those of its ticket, 1 the newest."""
    order = table.c.created_at.desc(), table.c.id.desc()
    return select(
        table, func.row_number().over(partition_by=table.c.ticket_id, order_by=order).label("rank")
    ).subquery()


def _review(row: Row[Any]) -> Review:
    return Review(**{name: row._mapping[name] for name in Review.model_fields})


def _feedback(row: Row[Any]) -> Feedback:
    return Feedback(**{name: row._mapping[name] for name in Feedback.model_fields})


def _run(row: Row[Any]) -> ModelRun:
    return ModelRun(**row._mapping)


def _claim(row: Row[Any]) -> Classification:
    values = {name: row._mapping[name] for name in Classification.model_fields if name != "runner_up"}
    second = Guess(label=row.runner_up, confidence=row.runner_up_confidence) if row.runner_up else None
    return Classification(**values, runner_up=second)
