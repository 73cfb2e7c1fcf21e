"""Lessons become articles by a person's yes alone."""

from datetime import datetime

from engine import cases, lessons
from engine.access import User
from engine.contracts import Event, Kind
from engine.desk.use_case import UseCase
from engine.grant_review import GrantReviewItem, Lesson, SecondOpinion, needs_second
from engine.shared.errors import NotAllowed


class Lessons(UseCase):
    """A verdict is given once, and stands in the history of the ticket that taught the lesson."""

    def waiting_lessons(self, *, reader: User) -> list[lessons.Candidate]:
        """Lessons of grant reviews and closings that nobody has accepted or rejected yet, the oldest first; none that
        tells what was found in a grant of which somebody else's opinion is still to come."""
        return self._lessons_for(reader.id)

    def _lessons_for(self, reader: str) -> list[lessons.Candidate]:
        second, policy = {one.item_id for one in self.store.all(SecondOpinion)}, self.policies.grant_review
        hidden = {
            item.resolution_id
            for item in self.store.all(GrantReviewItem)
            if item.is_hidden_from(reader, needs_second=needs_second(item, policy=policy), has_second=item.id in second)
        }
        return lessons.candidates(
            [one for one in self.store.all(Lesson) if one.resolution_id not in hidden],
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
        done = lessons.review(self._lessons_for(by), lesson_id, verdict=verdict, by=by, at=at, title=title, text=text)
        ticket, at = self.load(done.ticket_id, at)
        if self.store.all(lessons.LessonReview, id=done.id):
            raise NotAllowed(f"Somebody else has decided on {done.id} meanwhile.")
        data = {"what": "lesson", "key": done.id}
        event = Event(ticket_id=ticket.id, kind=Kind.LINKED, at=at, value=verdict, actor=by, data=data)
        self.keep(ticket, [event], done, at=at)
        return done
