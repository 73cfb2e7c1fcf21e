"""Hosted models as drafter: every answer is checked, an unusable one is replaced by the local one."""

import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

from triage.budget import Budget
from triage.classify import claim_id
from triage.contracts import Citation, Passage, Suggestion, TicketText
from triage.draft import ExtractiveDrafter, not_found, snippet
from triage.llm.batch import OUTWARD
from triage.llm.failures import Reason, Unusable
from triage.llm.models import Answer, HostedModel, ModelChain
from triage.llm.prompts import Prompt, draft_messages
from triage.macros import suggest_macros
from triage.sanitize import clean, clean_ticket, whole_text

WORKERS: Final = 4
DRAFT_CHARACTERS: Final = 4000

_CITED = re.compile(r"\[(\d{1,3})\]")
_CODE = re.compile(r"`([^`\n]+)`")
_STEP = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+\S.*$", re.MULTILINE)


class HostedDrafter:
    """Asks hosted models to word a reply where the local drafter has found an answer, and checks what they wrote."""

    def __init__(
        self,
        models: Sequence[HostedModel],
        local: ExtractiveDrafter,
        *,
        clock: Callable[[], datetime],
        budget: Budget | None = None,
        workers: int = WORKERS,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Without a `budget` every draft is asked for."""
        self._chain = ModelChain(models, budget=budget, timer=timer)
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
        return self._chain.ask(messages, DraftAnswer.model_json_schema(), lambda text: read_draft(text, passages))

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


def read_draft(text: str, passages: Sequence[Passage]) -> DraftAnswer:
    """The draft in an answer's text. Raises Unusable for another shape, or for what `draft_problem` finds."""
    try:
        answer = DraftAnswer.model_validate_json(text, strict=True)
    except ValidationError:
        raise Unusable(Reason.INVALID) from None
    if problem := draft_problem(answer, passages):
        raise Unusable(Reason.UNFIT, problem)
    return answer


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
    foreign = [found for found in [*OUTWARD.findall(text), *_CODE.findall(text)] if found.rstrip(".,;:") not in known]
    return "the draft contains a link, address, number or command that is in no source" if foreign else None


def _citations(text: str, passages: Sequence[Passage]) -> tuple[Citation, ...]:
    """The sources the text really cites, each once, in order of their number."""
    numbers = sorted({int(number) for number in _CITED.findall(text)})
    return tuple(
        Citation(index=n, article_id=p.article_id, title=p.title, url=p.url, snippet=snippet(" ".join(p.text.split())))
        for n in numbers
        for p in [passages[n - 1]]
    )
