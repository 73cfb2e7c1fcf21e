"""The choice of real parts, made once: which store, index, models and policies this process works with.

Parts are opened when first asked for, so that a command pays only for what it uses.
"""

from datetime import datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from pipelines.app.settings import read_settings
from pipelines.app.triage_parts import TriageParts

if TYPE_CHECKING:
    from pipelines.jobs.review import Queued
    from pipelines.marts import MartReader
    from sla.clocks.explain import Ledger
    from triage.feedback.acceptance import Feedback
    from triage.feedback.reviews import Review


def open_app(*, keep_last_good: bool = False, **overrides: object) -> "App":
    """The app as the environment describes it; `overrides` are settings given by hand.

    With `keep_last_good`, a broken policy file stops nothing: the last good one, kept below home, stays in force and
    the log says so. A scheduler wants that; a person at the command line wants to be told.
    """
    return App(read_settings(**overrides), keep_last_good=keep_last_good)


class App(TriageParts):
    """The parts of one running helmdesk. Use `with`: it releases the index file and the database."""

    def review_queue(self, *, closed: bool = False) -> "list[Queued]":
        """Tickets that wait for a person's answer, the least certain first."""
        from pipelines.jobs.review import review_queue

        return review_queue(self, closed=closed)

    def review_question(self, ticket: str) -> "Queued":
        """What a person is asked about one ticket, whether it waits or not."""
        from pipelines.jobs.review import review_question

        return review_question(self, ticket)

    def answer_review(self, ticket: str, *, label: str, by: str, note: str = "") -> "Review":
        """Keep a person's answer and confirm the product on the ticket."""
        from pipelines.jobs.review import answer_review

        return answer_review(self, ticket, label=label, by=by, note=note, at=self.now())

    def record_feedback(
        self,
        ticket: str,
        *,
        by: str,
        sent: str | None = None,
        rejected: str | None = None,
        shown: str | None = None,
    ) -> "Feedback":
        """Keep what a person did with the newest draft on a ticket; nothing is sent by it."""
        from pipelines.jobs.review import record_feedback

        return record_feedback(self, ticket, by=by, sent=sent, rejected=rejected, shown=shown, at=self.now())

    def marts(self) -> "MartReader":
        """The publication in force. Raises NotFound with the command that publishes one."""
        from pipelines.marts import MartReader

        return MartReader(self.settings.marts_folder)

    def explain(self, ticket_id: str, as_of: datetime) -> "list[Ledger]":
        """The ledgers behind a ticket's clocks as of an instant. Raises NotFound."""
        from pipelines.jobs.explain import explain

        return explain(self, ticket_id, as_of=as_of)

    def close(self) -> None:
        for part in ("index", "store"):
            if part in self.__dict__:
                self.__dict__.pop(part).close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
