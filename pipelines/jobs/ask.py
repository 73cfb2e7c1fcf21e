"""What triage would say of texts that are no tickets yet: by the job's parts, on a copy, so nothing is kept."""

import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import polars as pl
from more_itertools import chunked
from pydantic import ConfigDict, Field, ValidationError

from engine.contracts import Frozen, TicketOutcome
from engine.plugins.files import numbered_lines
from engine.shared.errors import BadInput
from engine.shared.policy_file import first_wrong
from pipelines.app.container import App, open_app
from pipelines.app.settings import Settings
from pipelines.jobs.triage_tickets import BATCH, claims_on, drafts_for
from triage.contracts import FOR_A_PERSON, Classification, Suggestion, TicketText

DATABASE: Final = "helmdesk.db"
COPIED: Final = ("models", "knowledge.milvus.db", "knowledge_left_out", DATABASE, f"{DATABASE}-wal")
"""What of a home decides how triage answers."""


class Question(Frozen):
    """A line of the file; other keys than these are not read."""

    model_config = ConfigDict(extra="ignore")

    ticket_id: str = ""
    title: str = ""
    description: str = ""
    priority: str | None = None
    tier: str | None = None
    language: str | None = None
    source: str | None = None
    external_metadata: dict[str, Any] = Field(default_factory=dict)


def read_questions(file: Path) -> list[Question]:
    """Raises BadInput for a file that can't be read, and for the first line that is no question."""
    found = []
    for line in numbered_lines(file):
        try:
            question = Question.model_validate_json(line.text)
        except ValidationError as error:
            raise BadInput(
                f"{file}, line {line.number}: {first_wrong(error)}; a line is a JSON object such as "
                '{"ticket_id": "A1", "title": "…", "description": "…"}'
            ) from None
        found.append(question if question.ticket_id else question.model_copy(update={"ticket_id": str(line.number)}))
    return found


@contextmanager
def copy_of(settings: Settings) -> Iterator[App]:
    """An app whose home is a passing copy of what triage reads of this one; it asks no hosted model. A Milvus server
    and a database by address are asked as they are."""
    with TemporaryDirectory(prefix="helmdesk-ask-") as folder:
        for name in COPIED:
            there, here = settings.home / name, Path(folder) / name
            if there.is_dir():
                shutil.copytree(there, here)
            elif there.is_file():
                shutil.copyfile(there, here)
        given = settings.model_dump(
            exclude={"home", "groq_api_key", "openai_api_key", "llm_base_url"}, exclude_unset=True
        )
        with open_app(
            **{name: value for name, value in given.items() if name != "prefect_api_url"},
            home=Path(folder),
            groq_api_key=None,
            openai_api_key=None,
            llm_base_url="",
        ) as app:
            yield app


def answers(app: App, questions: Sequence[Question]) -> Iterator[dict[str, Any]]:
    """One answer a question, in order: what the triage job would claim and draft, and what enrichment would note."""
    if not app.settings.milvus_uri:
        app.triage.sync_knowledge()
    made_for = app.triage.taxonomy.sources
    for batch in chunked(questions, BATCH):
        texts = [_text_of(number, question) for number, question in enumerate(batch)]
        foreign = {
            t.ticket_id for t, q in zip(texts, batch, strict=True) if q.source and made_for and q.source not in made_for
        }
        claims = claims_on(app, texts, at=app.now(), foreign=foreign)
        machines = app.policies.outcomes.machine_mail(_frame(batch))
        by_people = [text for text, is_machine in zip(texts, machines, strict=True) if not is_machine]
        drafts = {draft.ticket_id: draft for draft in drafts_for(app, by_people, at=app.now())}
        for question, text, claim in zip(batch, texts, claims, strict=True):
            yield _answer(app, question, text, claim, drafts.get(text.ticket_id))


def _text_of(number: int, question: Question) -> TicketText:
    """Two lines may carry one id: inside a batch its place is the ticket's name."""
    return TicketText(
        ticket_id=str(number),
        subject=question.title,
        content=question.description,
        priority=question.priority,
        tier=question.tier,
        language=question.language,
    )


def _frame(batch: Sequence[Question]) -> pl.DataFrame:
    rows = [(q.title, q.description, json.dumps(q.external_metadata)) for q in batch]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(("subject", "content", "external_metadata"), pl.String), orient="row"
    )


def _answer(
    app: App, question: Question, text: TicketText, claim: Classification, draft: Suggestion | None
) -> dict[str, Any]:
    from triage.enrichment.languages import language_of
    from triage.evidence import error_codes
    from triage.sanitize import clean_ticket, whole_text

    words = whole_text(clean_ticket(text))
    language = language_of(words, app.policies.enrichment.languages)
    _, _, because = claim.reasoning.partition(FOR_A_PERSON)
    return {
        "ticket_id": question.ticket_id,
        "class": claim.product,
        "confidence": round(claim.confidence, 4),
        "needs_review": claim.needs_review,
        "reasons": because.removesuffix(".").split("; ") if because else [],
        "reasoning": claim.reasoning,
        "outcome": None if draft else TicketOutcome.MACHINE_MAIL.value,
        "codes": list(error_codes(words, app.triage.taxonomy)),
        "urgency": claim.urgency,
        "language": language.code if language else None,
        "draft": _draft(draft) if draft else None,
    }


def _draft(draft: Suggestion) -> dict[str, Any]:
    sources = [{"id": cited.article_id, "title": cited.title, "url": cited.url} for cited in draft.citations]
    return {"text": draft.text, "grounded": draft.grounded, "sources": sources}
