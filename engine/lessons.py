"""What closed cases and grant reviews taught becomes a knowledge article once a person says yes."""

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from engine.cases import Backlog, FeedbackSignal
from engine.contracts import Frozen, Instant
from engine.grant_review import Lesson
from engine.shared.errors import NotAllowed, NotFound

LONGEST_TITLE = 300
"""Characters that an index can hold."""


class Origin(StrEnum):
    GRANT_REVIEW = "grant review"
    CLOSING = "closing"


class Candidate(Frozen):
    """A lesson that nobody has looked at yet."""

    key: str
    ticket_id: str
    origin: Origin
    text: str
    created_at: Instant


class Verdict(StrEnum):
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class LessonReview(Frozen):
    """A person's word on a lesson, once; `id` is the lesson's. Accepted, it is an article with this title and text."""

    id: str
    ticket_id: str
    verdict: Verdict
    title: str | None = None
    text: str
    reviewed_by: str
    reviewed_at: Instant

    @property
    def article_id(self) -> str:
        return f"lesson-{hashlib.sha256(self.id.encode()).hexdigest()[:12]}"


def candidates(
    lessons: Iterable[Lesson], signals: Iterable[FeedbackSignal], reviews: Iterable[LessonReview]
) -> list[Candidate]:
    """Lessons of grant reviews and what closings tell the docs backlog, but those reviewed; the oldest first."""
    decided = {review.id for review in reviews}
    found = [
        Candidate(
            key=one.id, ticket_id=one.ticket_id, origin=Origin.GRANT_REVIEW, text=one.text, created_at=one.created_at
        )
        for one in lessons
    ]
    found += [
        Candidate(
            key=one.id, ticket_id=one.ticket_id, origin=Origin.CLOSING, text=one.summary, created_at=one.created_at
        )
        for one in signals
        if one.backlog == Backlog.DOCS
    ]
    return sorted((one for one in found if one.key not in decided), key=lambda one: (one.created_at, one.key))


def review(
    waiting: Iterable[Candidate],
    lesson_id: str,
    *,
    verdict: Verdict,
    by: str,
    at: datetime,
    title: str | None = None,
    text: str | None = None,
) -> LessonReview:
    """Keep the verdict on a lesson that waits, for an article with a text of its own or the lesson's.

    Raises NotFound for one that does not wait, NotAllowed for an article without a title or text.
    """
    found = next((one for one in waiting if one.key == lesson_id), None)
    if found is None:
        raise NotFound(
            f"No lesson {lesson_id} waits for a review; `helmdesk knowledge lessons list` shows those that do."
        )
    words = found.text if text is None else text.strip()
    if verdict == Verdict.ACCEPTED and not (words and (title or "").strip()):
        raise NotAllowed(f"The article of {lesson_id} needs a title and a text.")
    if len(title or "") > LONGEST_TITLE:
        raise NotAllowed(f"The title of an article has at most {LONGEST_TITLE} characters.")
    return LessonReview(
        id=found.key,
        ticket_id=found.ticket_id,
        verdict=verdict,
        title=" ".join(title.split()) if title else None,
        text=words,
        reviewed_by=by,
        reviewed_at=at,
    )


def markdown(review: LessonReview) -> str:
    """The article as a Markdown file with front matter."""
    head = {
        "id": review.article_id,
        "title": review.title,
        "url": f"lessons/{review.article_id}.md",
        "tags": ["lesson"],
    }
    fields = "".join(f"{name}: {json.dumps(value)}\n" for name, value in head.items())
    return f"---\n{fields}---\n{review.text}\n"
