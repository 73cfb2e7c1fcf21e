"""A process that kills itself just before or after the event of its work is written, in the same transaction."""

import os
import signal
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import actions
from pipelines.app.container import App, open_app
from pipelines.jobs.triage_tickets import classify, draft
from pipelines.snapshot import Snapshot
from triage.contracts import Classification, TicketText

AT = datetime(2026, 3, 3, tzinfo=UTC)


class OneAnswer:
    """A classifier that needs no model: everything is about SWG."""

    name = "one answer"

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        return [
            Classification(id=f"c-{text.ticket_id}", ticket_id=text.ticket_id, product="SWG", urgency="low",
                           confidence=0.5, reasoning="r", needs_review=True, model_used=self.name, created_at=AT)
            for text in tickets
        ]  # fmt: skip


def opened(home: Path, database_url: str) -> App:
    app = open_app(home=home, database_url=database_url, embedder="wordllama")
    app.triage.__dict__["trained_classifier"] = OneAnswer()
    return app


def main(work: str, moment: str, home: Path, database_url: str) -> None:
    with opened(home, database_url) as app:
        name = "save" if work == "review" else "append"
        write = getattr(app.store, name)

        def die(*words: Any, **named: Any) -> None:
            if moment == "after":
                write(*words, **named)
            os.kill(os.getpid(), signal.SIGKILL)

        setattr(app.store, name, die)
        match work:
            case "classify":
                classify(app, Snapshot(app, AT).tickets_now, at=AT)
            case "draft":
                draft(app, Snapshot(app, AT).tickets_now, at=AT)
            case "review":
                actions.answer_review(app, "INC1", label="ZTNA", by="ana")
