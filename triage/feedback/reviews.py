"""Review: a person says what a ticket is about where triage is not sure, and the answer is kept to learn from."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from engine.contracts import Frozen, Instant
from engine.shared.errors import BadInput
from triage.contracts import FOR_A_PERSON, Classification, Guess, Share, TicketText
from triage.feedback.honesty import in_slice
from triage.feedback.policy import SlicePolicy
from triage.learning.product_model import LabelledText
from triage.sanitize import clean_ticket, readable_text
from triage.taxonomy import Taxonomy

EXCERPT = 400
LONGEST_NAME = 200
LONGEST_NOTE = 2_000
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


class Review(Frozen):
    """A person's answer on one ticket, beside what triage had said.

    `text` is what a model reads of the ticket, as it was when it was answered: the answer is about that.
    """

    ticket_id: str
    label: str
    text: str
    claim_id: str | None = None
    said: str | None = None
    confidence: Share | None = None
    model_used: str | None = None
    answered_by: str
    note: str = ""
    opened_at: Instant
    answered_at: Instant


class Answered(Review):
    """An answer as it was given: whether it checked what triage was sure of, and what others had answered on the ticket
    by then, as it stood when this one was written down."""

    is_spot_check: bool = False
    before: tuple[Review, ...] = ()


class Doubt(NamedTuple):
    """A claim that a person should decide, with the ticket it is about and when that was opened."""

    claim: Classification
    ticket: TicketText
    opened_at: datetime


class Waiting(NamedTuple):
    """A ticket in the review queue: what a person needs to answer. Its text is untrusted.

    A blind question has neither guesses nor reasoning, so that no door can show them before the answer.
    """

    ticket_id: str
    subject: str
    excerpt: str
    guesses: tuple[Guess, ...]
    reasoning: str
    opened_at: datetime

    @property
    def is_blind(self) -> bool:
        return not self.guesses

    @property
    def doubt(self) -> str:
        """Why triage is not sure: the end of its reasoning."""
        return self.reasoning.rpartition(FOR_A_PERSON)[2]


def review(
    ticket: TicketText,
    claim: Classification | None,
    taxonomy: Taxonomy,
    *,
    label: str,
    by: str,
    opened_at: datetime,
    at: datetime,
    note: str = "",
) -> Review:
    """A person's answer. Raises BadInput for a label outside the taxonomy (capitals don't matter), no name, or a note
    over 2,000 characters or that can't be stored as text."""
    name = name_of(by)
    check_text("note", note)
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"The note has {len(note):,} characters; {LONGEST_NOTE:,} are kept at most, so shorten it")
    return Review(
        ticket_id=ticket.ticket_id,
        label=known_label(label, taxonomy),
        text=text_read(ticket),
        claim_id=claim.id if claim else None,
        said=claim.product if claim else None,
        confidence=claim.confidence if claim else None,
        model_used=claim.model_used if claim else None,
        answered_by=name,
        note=note,
        opened_at=opened_at,
        answered_at=at,
    )


def name_of(by: str) -> str:
    """Who says so, white space tidied. Raises BadInput for nobody or more than 200 characters."""
    name = " ".join(by.split())
    if not name or len(name) > LONGEST_NAME:
        raise BadInput(f"An answer needs the name of who gives it, at most {LONGEST_NAME} characters; nothing was kept")
    check_text("name", name)
    return name


def check_text(what: str, text: str) -> None:
    """Raises BadInput for what no database keeps as text: NUL, or bytes that were no UTF-8."""
    if _UNKEEPABLE.search(text):
        raise BadInput(f"The {what} is no UTF-8 text or holds a NUL; nothing was kept. Write it again as plain text")


def known_label(label: str, taxonomy: Taxonomy) -> str:
    """The label as the taxonomy writes it."""
    written = {name.casefold(): name for name in taxonomy.product.labels}
    found = written.get(label.strip().casefold())
    if found is None:
        raise BadInput(f"{label!r} is no label of taxonomy {taxonomy.id}; it has {', '.join(taxonomy.product.labels)}")
    return found


def text_read(ticket: TicketText) -> str:
    """What a model reads of a ticket, and so what it learns from."""
    return readable_text(clean_ticket(ticket))


def is_settled(doubt: Doubt, answer: Review | None) -> bool:
    """Answered, and the ticket still reads as it did then."""
    return answer is not None and answer.text == text_read(doubt.ticket)


def in_order(doubts: Iterable[Doubt]) -> list[Doubt]:
    """The least certain first, of equally certain ones the oldest."""
    return sorted(doubts, key=lambda one: (one.claim.confidence, one.opened_at, one.claim.ticket_id))


def waiting(doubt: Doubt, *, is_blind: bool = False) -> Waiting:
    ticket, claim = clean_ticket(doubt.ticket), doubt.claim
    best = Guess(label=claim.product, confidence=claim.confidence)
    guesses = (best, claim.runner_up) if claim.runner_up else (best,)
    return Waiting(
        claim.ticket_id,
        ticket.subject,
        ticket.content[:EXCERPT] + ("…" if len(ticket.content) > EXCERPT else ""),
        () if is_blind else guesses,
        "" if is_blind else claim.reasoning,
        doubt.opened_at,
    )


def is_blind_question(claim: Classification, policy: SlicePolicy) -> bool:
    """A sure claim of the random slice; and some of the unsure ones, so that the question gives nothing away."""
    return in_slice(claim.ticket_id, policy.seed, policy.blind_unsure if claim.needs_review else policy.share)


def is_spot_check(claim: Classification, policy: SlicePolicy) -> bool:
    return not claim.needs_review and in_slice(claim.ticket_id, policy.seed, policy.share)


class SameAnswer(NamedTuple):
    """Tickets that two people answered, and on how many of them they say the same."""

    by_two: int
    agreed: int


def agreement(labels: Iterable[tuple[str, str, str]]) -> SameAnswer:
    """Whether the last answers of the first two people on a ticket agree; of (ticket, label, who), as they arrived."""
    said: dict[str, dict[str, str]] = {}
    for ticket, label, who in labels:
        said.setdefault(ticket, {})[who] = label
    both = [list(by_person.values())[:2] for by_person in said.values() if len(by_person) > 1]
    return SameAnswer(len(both), sum(first == second for first, second in both))


def rows_to_learn(answers: Sequence[Review]) -> list[LabelledText]:
    """What people answered, as labelled texts; without a letter or digit there is nothing to learn."""
    return [LabelledText(one.text, one.label) for one in answers if any(map(str.isalnum, one.text))]
