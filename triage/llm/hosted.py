"""Hosted models as classifier and drafter: every answer is checked, an unusable one is replaced by the local one."""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from triage.classify import LocalClassifier, ProductClaim, claim_id, claim_of
from triage.contracts import Citation, Classification, Guess, Passage, Suggestion, TicketText
from triage.draft import ExtractiveDrafter, not_found, snippet
from triage.llm.models import Answer, HostedModel, ModelChain
from triage.llm.prompts import Prompt, classify_messages, draft_messages
from triage.macros import suggest_macros
from triage.sanitize import clean, clean_ticket, is_empty, whole_text
from triage.taxonomy import Taxonomy

WORKERS: Final = 4
REASONING_CHARACTERS: Final = 300
DRAFT_CHARACTERS: Final = 4000

_CITED = re.compile(r"\[(\d{1,3})\]")
_OUTWARD = re.compile(r"(?:https?://|www\.)[^\s)\]>\"'”]+|[\w.+-]+@[\w-]+\.[\w.-]+|\+?\d[\d ().-]{7,}\d")
_CODE = re.compile(r"`([^`\n]+)`")
_STEP = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+\S.*$", re.MULTILINE)


class HostedClassifier:
    """Asks hosted models first. Their word is weighed against the local classifier, which also takes over for them.

    A hosted model's stated confidence is not calibrated: the claim carries the mean of it and of the local probability
    of the same label, so that a label only one side believes in goes to a person. Urgency stays with the taxonomy's
    rules; a model that differs by more than one level sends the ticket to a person.
    """

    def __init__(
        self,
        models: Sequence[HostedModel],
        local: LocalClassifier,
        *,
        clock: Callable[[], datetime],
        workers: int = WORKERS,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._chain = ModelChain(models, timer=timer)
        self._local, self._clock, self._workers = local, clock, workers
        self._prompt = Prompt("classify")
        self._shape = _claim_shape(local.taxonomy)
        self.name = self._chain.name
        self.fallbacks = 0
        """How many claims the local classifier had to make since this was opened."""

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        self._chain.start_batch()
        local = self._local.products(tickets)
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        with ThreadPoolExecutor(self._workers) as pool:
            answers = list(pool.map(self._ask, cleaned))
        at = self._clock()
        return [
            self._claim(ticket, claim, answer, at)
            for ticket, claim, answer in zip(tickets, local, answers, strict=True)
        ]

    def _ask(self, ticket: TicketText) -> Answer:
        if is_empty(ticket):
            return Answer(None, None, ("there is nothing to ask about",), 0, 0, 0, 0.0)
        taxonomy = self._local.taxonomy
        return self._chain.ask(classify_messages(self._prompt, ticket, taxonomy), self._shape, lambda _: None)

    def _claim(self, ticket: TicketText, local: ProductClaim, answer: Answer, at: datetime) -> Classification:
        taxonomy = self._local.taxonomy
        if answer.value is None:
            self.fallbacks += 1
            claim, model = _taken_over(local, answer), self._local.name
        else:
            claim, model = _weighed(answer.value, local, taxonomy), str(answer.model)
        made = claim_of(ticket, claim, taxonomy, model=model, at=at, latency_ms=answer.latency_ms)
        made = made.model_copy(
            update={
                "prompt_hash": self._prompt.hash,
                "prompt_tokens": answer.prompt_tokens,
                "completion_tokens": answer.completion_tokens,
                "cost": answer.cost,
            }
        )
        return made if answer.value is None else _with_urgency_doubt(made, answer.value.urgency, taxonomy)


class HostedDrafter:
    """Asks hosted models to word a reply where the local drafter has found an answer, and checks what they wrote."""

    def __init__(
        self,
        models: Sequence[HostedModel],
        local: ExtractiveDrafter,
        *,
        clock: Callable[[], datetime],
        workers: int = WORKERS,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._chain = ModelChain(models, timer=timer)
        self._local, self._clock, self._workers = local, clock, workers
        self._prompt = Prompt("draft")
        self.name = self._chain.name
        self.fallbacks = 0

    def draft(self, tickets: Sequence[TicketText], passages: Sequence[Sequence[Passage]]) -> list[Suggestion]:
        self._chain.start_batch()
        local = self._local.draft(tickets, passages)
        with ThreadPoolExecutor(self._workers) as pool:
            answers = list(pool.map(self._ask, tickets, passages, local))
        at = self._clock()
        return [
            draft if answer is None else self._suggestion(ticket, found, draft, answer, at=at)
            for ticket, found, draft, answer in zip(tickets, passages, local, answers, strict=True)
        ]

    def _ask(self, ticket: TicketText, passages: Sequence[Passage], local: Suggestion) -> Answer | None:
        if not local.grounded:
            return None
        messages = draft_messages(self._prompt, clean_ticket(ticket), passages)
        return self._chain.ask(messages, DraftAnswer, lambda answer: draft_problem(answer, passages))

    def _suggestion(
        self, ticket: TicketText, passages: Sequence[Passage], local: Suggestion, answer: Answer, *, at: datetime
    ) -> Suggestion:
        spent = {
            "prompt_hash": self._prompt.hash,
            "latency_ms": answer.latency_ms,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "cost": answer.cost,
        }
        if answer.value is None:
            self.fallbacks += 1
            return local.model_copy(update=spent)
        text = clean(answer.value.text, limit=DRAFT_CHARACTERS) if answer.value.answerable else ""
        cited = _citations(text, passages)
        cleaned = clean_ticket(ticket)
        return Suggestion(
            id=claim_id("sug", ticket, model=str(answer.model), at=at),
            ticket_id=ticket.ticket_id,
            text=text or not_found(cleaned),
            citations=cited,
            macros=tuple(macro.id for macro in suggest_macros(whole_text(cleaned), self._local.macros)),
            grounded=bool(cited),
            model_used=str(answer.model),
            created_at=at,
            **spent,
        )


class DraftAnswer(BaseModel):
    """The draft as a hosted model gives it."""

    model_config = ConfigDict(extra="forbid")

    answerable: bool
    text: str


def draft_problem(answer: DraftAnswer, passages: Sequence[Passage]) -> str | None:
    """What makes a draft unusable: no citation, one that does not exist, a step without one, or a link, address,
    number or command that no source contains."""
    if not answer.answerable:
        return None
    text = clean(answer.text, limit=DRAFT_CHARACTERS)
    cited = {int(number) for number in _CITED.findall(text)}
    known = "\n".join(f"{passage.title}\n{passage.url}\n{passage.text}" for passage in passages)
    if not cited:
        return "the draft cites nothing"
    if not cited <= set(range(1, len(passages) + 1)):
        return "the draft cites a source that was not given"
    if any(not _CITED.search(step) for step in _STEP.findall(text)):
        return "a step has no source"
    foreign = [found for found in [*_OUTWARD.findall(text), *_CODE.findall(text)] if found.rstrip(".,;:") not in known]
    return "the draft contains a link, address, number or command that is in no source" if foreign else None


def _claim_shape(taxonomy: Taxonomy) -> type[BaseModel]:
    """The answer's shape with the taxonomy's labels as the only words allowed."""
    fields: dict[str, Any] = {
        "product": (Literal[tuple(taxonomy.product.labels)], ...),
        "urgency": (Literal[tuple(taxonomy.urgency.labels)], ...),
        "confidence": (Annotated[float, Field(ge=0, le=1)], ...),
        "reasoning": (str, ...),
    }
    return create_model("TicketClass", __config__=ConfigDict(extra="forbid"), **fields)


def _weighed(answer: Any, local: ProductClaim, taxonomy: Taxonomy) -> ProductClaim:
    confidence = (answer.confidence + local.probabilities[answer.product]) / 2
    other = (
        local.runner_up if answer.product == local.product else Guess(label=local.product, confidence=local.confidence)
    )
    said = _OUTWARD.sub("…", " ".join(clean(answer.reasoning, limit=REASONING_CHARACTERS).split()))
    agrees = "the local classifier agrees" if answer.product == local.product else f"the local one says {local.product}"
    limit = taxonomy.product.review_below
    doubts = [f"confidence {confidence:.2f} is below {limit:.2f}"] if confidence < limit else []
    return ProductClaim(answer.product, confidence, other, [f"“{said}”", agrees], doubts, local.probabilities)


def _taken_over(local: ProductClaim, answer: Answer) -> ProductClaim:
    why = "; ".join(answer.failures)
    return local._replace(
        reasons=[*local.reasons, f"by the local classifier, because no hosted answer was usable ({why})"]
    )


def _with_urgency_doubt(claim: Classification, said: str, taxonomy: Taxonomy) -> Classification:
    levels = list(taxonomy.urgency.labels)
    if abs(levels.index(said) - levels.index(claim.urgency)) <= 1:
        return claim
    doubt = f" For a person, because the model calls it {said}."
    return claim.model_copy(update={"needs_review": True, "reasoning": claim.reasoning + doubt})


def _citations(text: str, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The sources the text really cites, each once, in order of their number."""
    numbers = sorted({int(number) for number in _CITED.findall(text)})
    return tuple(
        Citation(index=n, article_id=p.article_id, title=p.title, url=p.url, snippet=snippet(" ".join(p.text.split())))
        for n in numbers
        for p in [passages[n - 1]]
    )
