"""Triage by HTTP: what a text is about, what the knowledge base answers, how triage is doing, what it drafted."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from pydantic import Field, StrictInt, StrictStr
from starlette.concurrency import run_in_threadpool

from engine.access import Right, User
from engine.contracts import Priority, Tier
from pipelines.app import identity
from pipelines.service.bodies import Closed, Name, example
from pipelines.service.callers import person
from pipelines.service.parts import Parts, parts_of
from triage.contracts import Citation, Classification, Suggestion, TicketText

router = APIRouter(tags=["triage"])
READER = Annotated[User, Depends(person(Right.READ, doing="asking triage"))]
NOBODYS = "posted"
"""The ticket of a claim that is about a posted text."""


class Text(Closed):
    """A ticket's text, of at most 10,000 characters; priority and tier say how urgent it is, besides."""

    model_config = example({"subject": "VPN drops", "content": "Since Monday the tunnel drops on the hour, ERR_4012."})
    subject: Annotated[StrictStr, Field(max_length=500)] = ""
    content: Annotated[StrictStr, Field(min_length=1, max_length=10_000)]
    priority: Priority | None = None
    tier: Tier | None = None
    language: Annotated[StrictStr, Field(min_length=2, max_length=35)] | None = None


class Question(Closed):
    """A question in one's own words, and how many passages of the knowledge base to look at."""

    model_config = example({"question": "How do I rotate an API key?", "top_k": 5})
    question: Annotated[StrictStr, Field(min_length=1, max_length=2_000)]
    top_k: Annotated[StrictInt, Field(ge=1, le=20)] = 5


class Answer(Closed):
    """A drafted answer; `citations` are the sources that it cites as [n]. Where it is not grounded there is nothing to
    answer from, and the text says so."""

    text: str
    citations: list[Citation]
    grounded: bool
    model_used: str
    latency_ms: int


class ModelUse(Closed):
    """Calls of one model for one operation; the cost is in US dollars."""

    operation: str
    model_used: str
    calls: int
    mean_latency_ms: float
    prompt_tokens: int
    completion_tokens: int
    cost: float


class Stats(Closed):
    """As of the last publication; `documents` are the articles in the knowledge index now, null where there are none or
    another process has it open."""

    as_of: datetime
    classifications: int
    needs_review: int
    products: dict[str, int]
    urgencies: dict[str, int]
    documents: int | None
    models: list[ModelUse]


class Drafts(Closed):
    """The newest draft on a ticket, if there is one; nobody but a person sends it."""

    ticket: str
    suggestions: list[Suggestion]
    classification: Classification | None


@router.post("/triage/classify")
async def classify(request: Request, text: Text, reader: READER) -> Classification:  # noqa: ARG001
    """What is it about, how urgent, how sure is that? Nothing is stored."""
    parts = parts_of(request)
    ticket = TicketText(ticket_id=NOBODYS, **text.model_dump())
    claim = await parts.models.take(lambda: _claim(parts, ticket))
    parts.metrics.tokens.labels("classify").inc(claim.prompt_tokens + claim.completion_tokens)
    return claim


def _claim(parts: Parts, ticket: TicketText) -> Classification:
    triage = parts.app.triage
    if parts.model != (name := triage.model_file()):  # a training put another one in force
        triage.forget_classifier()
        parts.model = name
    return triage.classifier.classify([ticket])[0]


@router.post("/triage/respond")
async def respond(request: Request, question: Question, reader: READER) -> Answer:  # noqa: ARG001
    """What does the knowledge base answer? Every statement cites its source."""
    parts = parts_of(request)
    draft = await parts.models.take(lambda: _draft(parts, question))
    parts.metrics.tokens.labels("respond").inc(draft.prompt_tokens + draft.completion_tokens)
    parts.used_index()
    return Answer.model_validate(draft.model_dump(include=set(Answer.model_fields)))


def _draft(parts: Parts, question: Question) -> Suggestion:
    triage = parts.app.triage
    if not triage.index.count():
        triage.sync_knowledge()
    text = TicketText(ticket_id=NOBODYS, content=question.question)
    return triage.drafter.draft([text], triage.index.search([question.question], limit=question.top_k))[0]


@router.get("/triage/stats")
async def stats(request: Request, reader: READER) -> Stats:  # noqa: ARG001
    """How many were classified, as what, how many go to a person, and what models took."""
    parts = parts_of(request)
    held = await parts.models.take(parts.app.triage.held_articles)
    parts.used_index()
    return await run_in_threadpool(_stats, parts, len(held) or None)


def _stats(parts: Parts, documents: int | None) -> Stats:
    marts = parts.marts()
    products, urgencies = (
        dict(marts.query(f"SELECT {name}, count(*) FROM classifications GROUP BY 1 ORDER BY 2 DESC, 1").iter_rows())
        for name in ("product", "urgency")
    )
    review = marts.query("SELECT count(*) FROM classifications WHERE needs_review").item()
    return Stats(
        as_of=marts.publication.as_of,
        classifications=sum(products.values()),
        needs_review=review,
        products=products,
        urgencies=urgencies,
        documents=documents,
        models=[ModelUse(**use._asdict()) for use in parts.app.triage.store.usage()],
    )


@router.get("/tickets/{ticket:path}/suggestions")
def suggestions(request: Request, ticket: Annotated[Name, Path()], reader: READER) -> Drafts:
    """What triage drafted for a ticket, and what it takes it to be about."""
    app = parts_of(request).app
    found = app.store.ticket(ticket)
    drafts = app.triage.store.latest_suggestions([found.id])
    identity.saw(app, reader, door="GET /tickets/suggestions", ticket_id=found.id)
    claim = app.triage.store.latest([found.id]).get(found.id)
    return Drafts(ticket=found.id, suggestions=list(drafts.values()), classification=claim)
