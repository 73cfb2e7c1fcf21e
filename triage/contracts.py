"""Triage's words: what a model claims about a ticket, and what it would answer."""

from typing import Annotated

from pydantic import Field

from engine.contracts import Frozen, Instant

Share = Annotated[float, Field(ge=0, le=1)]


class TicketText(Frozen):
    """What triage may know of a ticket. The text is untrusted: it is data, never an instruction."""

    ticket_id: str
    subject: str = ""
    content: str = ""
    quoted: Annotated[str, Field(exclude_if=lambda quoted: not quoted)] = ""
    """Of a cleaned ticket the mail it answers, signatures and disclaimers: not its writer's words."""
    priority: str | None = None
    tier: str | None = None
    language: str | None = None


class Guess(Frozen):
    label: str
    confidence: Share


FOR_A_PERSON = "For a person, because "
"""Begins the last sentence of the reasoning of a claim that needs review."""


class Classification(Frozen):
    """A typed claim about one ticket (S5-03). Every label is in the taxonomy; `needs_review` sends it to a person.

    `confidence` is the calibrated probability that `product` is right. `cost` is in US dollars.
    """

    id: str
    ticket_id: str
    product: str
    urgency: str
    confidence: Share
    reasoning: str
    needs_review: bool
    runner_up: Guess | None = None
    model_used: str
    prompt_hash: str | None = None
    latency_ms: Annotated[int, Field(ge=0)] = 0
    prompt_tokens: Annotated[int, Field(ge=0)] = 0
    completion_tokens: Annotated[int, Field(ge=0)] = 0
    cost: Annotated[float, Field(ge=0)] = 0.0
    created_at: Instant


class Passage(Frozen):
    """A piece of a knowledge article that a search found. `score` is comparable within one search only; `source` is
    what its article was synced as."""

    article_id: str
    chunk: int
    title: str
    url: str
    text: str
    score: float
    source: str = ""


class Citation(Frozen):
    """A source that the draft really cites as `[index]`."""

    index: Annotated[int, Field(ge=1)]
    article_id: str
    title: str
    url: str
    snippet: Annotated[str, Field(max_length=200)]


class Suggestion(Frozen):
    """A drafted reply. It is a suggestion: a person sends it. Not grounded means there is no answer to give."""

    id: str
    ticket_id: str
    text: str
    citations: tuple[Citation, ...] = ()
    macros: tuple[str, ...] = ()
    grounded: bool
    model_used: str
    prompt_hash: str | None = None
    latency_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    created_at: Instant


class Article(Frozen):
    """A knowledge article in Markdown. `product` is a taxonomy label or None."""

    id: str
    title: str
    url: str
    product: str | None = None
    tags: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    text: str


class Macro(Frozen):
    """A canned reply with the signals that suggest it and the documents it links (S4-12)."""

    id: str
    title: str
    product: str | None = None
    signals: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    text: str
    runbook: str | None = None
    docs: tuple[str, ...] = ()
