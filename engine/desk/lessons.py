"""Lessons become articles by a person's yes alone."""

from datetime import datetime

from engine import cases, grant_review, lessons
from engine.contracts import Event, Kind
from engine.desk.use_case import UseCase
from engine.shared.errors import NotAllowed


class Lessons(UseCase):
    """A verdict is given once, and stands in the history of the ticket that taught the lesson."""

    def waiting_lessons(self) -> list[lessons.Candidate]:
        """Lessons of grant reviews and closings that nobody has accepted or rejected yet, the oldest first."""
        return lessons.candidates(
            self.store.all(grant_review.Lesson),
            self.store.all(cases.FeedbackSignal),
            self.store.all(lessons.LessonReview),
        )

    def accept_lesson(
        self, lesson_id: str, *, title: str, by: str, at: datetime, text: str | None = None
    ) -> lessons.LessonReview:
        """Make a lesson an article that drafts may cite to customers, in words of one's own or as it is."""
        return self._review(lesson_id, lessons.Verdict.ACCEPTED, by=by, at=at, title=title, text=text)

    def reject_lesson(self, lesson_id: str, *, by: str, at: datetime) -> lessons.LessonReview:
        """Say that a lesson is to be no article."""
        return self._review(lesson_id, lessons.Verdict.REJECTED, by=by, at=at)

    def _review(
        self,
        lesson_id: str,
        verdict: lessons.Verdict,
        *,
        by: str,
        at: datetime,
        title: str | None = None,
        text: str | None = None,
    ) -> lessons.LessonReview:
        reviewer = self.active_agent(by)
        if reviewer.role not in self.policies.grant_review.reviewers:
            raise NotAllowed(f"{reviewer.name} can't decide on lessons: that is for a lead or manager.")
        done = lessons.review(self.waiting_lessons(), lesson_id, verdict=verdict, by=by, at=at, title=title, text=text)
        ticket, at = self.load(done.ticket_id, at)
        if self.store.all(lessons.LessonReview, id=done.id):
            raise NotAllowed(f"Somebody else has decided on {done.id} meanwhile.")
        data = {"what": "lesson", "key": done.id}
        event = Event(ticket_id=ticket.id, kind=Kind.LINKED, at=at, value=verdict, actor=by, data=data)
        self.keep(ticket, [event], done, at=at)
        return done
