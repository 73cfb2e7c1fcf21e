"""Asking hosted models about tickets: the same words once, ten in a prompt, and alone what came to nothing there."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from more_itertools import chunked

from triage.contracts import TicketText
from triage.llm.answer_cache import AnswerCache, KeptAnswer, answer_key
from triage.llm.batch import Opinion, answer_schema, read_answers
from triage.llm.budget import Budget
from triage.llm.failures import OF_CONTENT
from triage.llm.models import Answer, HostedModel, ModelChain
from triage.llm.policy import AskingPolicy
from triage.llm.prompts import Prompt, classify_messages
from triage.sanitize import shorten
from triage.taxonomy import Taxonomy

CONTENT_CHARACTERS: Final = 2000
"""Shown of one ticket, beginning and end: one endless ticket must not crowd out its neighbours."""
Words = tuple[str, str]
"""Subject and content: all that a hosted model is shown of a ticket."""


class Finding(NamedTuple):
    """What asking about one ticket brought: an opinion or why there is none, and its share of what the asking took."""

    opinion: Opinion | None
    model: str | None
    why: tuple[str, ...] = ()
    may_help_alone: bool = False
    latency_ms: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0


class Asking:
    """Counts in `counts`, since it was opened: tickets answered by what was `kept`, tickets `asked again` by
    themselves, and every failure by its reason."""

    def __init__(
        self,
        models: Sequence[HostedModel],
        *,
        taxonomy: Taxonomy,
        policy: AskingPolicy,
        budget: Budget,
        cache: AnswerCache,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._chain = ModelChain(models, budget=budget, timer=timer)
        self._taxonomy, self._policy, self._cache = taxonomy, policy, cache
        self._prompt = Prompt("classify_batch")
        self._schema = answer_schema(taxonomy.product.labels)
        self.name, self.prompt_hash = self._chain.name, self._prompt.hash
        self.counts: Counter[str] = Counter()

    def ask(self, tickets: Sequence[TicketText], *, at: datetime) -> list[Finding]:
        """One finding a ticket, in order; the first are asked about first. The tickets are cleaned ones."""
        tickets = [_shown(ticket) for ticket in tickets]
        distinct: dict[Words, TicketText] = {}
        for ticket in tickets:
            distinct.setdefault(_words(ticket), ticket)
        found = self._from_cache(list(distinct.values()))
        open_ones = [ticket for words, ticket in distinct.items() if words not in found]
        answers = dict(zip(map(_words, open_ones), self._ask_all(open_ones), strict=True))
        self._keep(answers, at)
        first = {id(ticket) for ticket in distinct.values()}
        findings = [(ticket, (found | answers)[_words(ticket)]) for ticket in tickets]
        return [
            finding if id(ticket) in first else Finding(finding.opinion, finding.model, finding.why)
            for ticket, finding in findings
        ]

    def _ask_all(self, tickets: Sequence[TicketText]) -> list[Finding]:
        self._chain.start_batch()
        findings = self._ask_batches(list(chunked(tickets, self._policy.tickets_per_prompt)))
        again = [n for n, finding in enumerate(findings) if finding.may_help_alone]
        for number, second in zip(again, self._ask_batches([[tickets[n]] for n in again]), strict=True):
            findings[number] = _both(findings[number], second)
        self.counts["asked again"] += len(again)
        return findings

    def _ask_batches(self, batches: Sequence[Sequence[TicketText]]) -> list[Finding]:
        with ThreadPoolExecutor(self._policy.at_once) as pool:
            answers = list(pool.map(self._ask_batch, batches))
        findings = []
        for batch, answer in zip(batches, answers, strict=True):
            self.counts.update(failure.reason.value for failure in answer.failures)
            if answer.value is not None:
                self.counts.update(reason.value for reason in answer.value.failures.values())
            findings += [_finding(answer, number, len(batch)) for number in range(1, len(batch) + 1)]
        return findings

    def _ask_batch(self, tickets: Sequence[TicketText]) -> Answer:
        messages = classify_messages(self._prompt, tickets, self._taxonomy)
        read = partial(read_answers, size=len(tickets), labels=self._taxonomy.product.labels)
        return self._chain.ask(messages, self._schema, read)

    def _from_cache(self, tickets: Sequence[TicketText]) -> dict[Words, Finding]:
        """What one of the models said of the same words before, the preferred model first."""
        keys = {
            _words(ticket): [self._key(_words(ticket), model.name) for model in self._chain.models]
            for ticket in tickets
        }
        answers = self._cache.find([key for found in keys.values() for key in found])
        findings = {}
        for words, found in keys.items():
            if answer := next((answers[key] for key in found if key in answers), None):
                opinion = Opinion(answer.label, answer.confidence, "as answered before for the same words")
                findings[words] = Finding(opinion, answer.model)
        self.counts["kept"] += len(findings)
        return findings

    def _keep(self, findings: dict[Words, Finding], at: datetime) -> None:
        answers = {
            self._key(words, found.model): KeptAnswer(found.model, found.opinion.label, found.opinion.confidence)
            for words, found in findings.items()
            if found.opinion is not None and found.model is not None
        }
        self._cache.keep(answers, at=at)

    def _key(self, words: Words, model: str) -> str:
        subject, content = words
        return answer_key(subject, content, taxonomy=self._taxonomy.digest, model=model, prompt=self.prompt_hash)


def _shown(ticket: TicketText) -> TicketText:
    return ticket.model_copy(update={"content": shorten(ticket.content, CONTENT_CHARACTERS)})


def _words(ticket: TicketText) -> Words:
    return ticket.subject, ticket.content


def _finding(answer: Answer, number: int, size: int) -> Finding:
    """Ticket `number` of `size` in one prompt, with an even share of what it took; the shares add up to the whole."""
    why = tuple(map(str, answer.failures))
    opinion, may_help = None, any(failure.reason in OF_CONTENT for failure in answer.failures)
    if answer.value is not None:
        opinion = answer.value.opinions.get(number)
        may_help = opinion is None
        why += (f"{answer.model}: {answer.value.failures[number]}",) if opinion is None else ()
    return Finding(
        opinion,
        answer.model,
        why,
        may_help and size > 1,
        _share(answer.latency_ms, number, size),
        _share(answer.prompt_tokens, number, size),
        _share(answer.completion_tokens, number, size),
        answer.cost / size,
    )


def _share(total: int, number: int, size: int) -> int:
    return total * number // size - total * (number - 1) // size


def _both(first: Finding, second: Finding) -> Finding:
    return second._replace(
        why=tuple(dict.fromkeys(first.why + second.why)),
        latency_ms=first.latency_ms + second.latency_ms,
        prompt_tokens=first.prompt_tokens + second.prompt_tokens,
        completion_tokens=first.completion_tokens + second.completion_tokens,
        cost=first.cost + second.cost,
    )
