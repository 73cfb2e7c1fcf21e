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
from triage.redaction.redact import Numbering
from triage.redaction.tickets import KnownOf, Marked, marked, nothing_known, shown
from triage.sanitize import shorten
from triage.taxonomy import Taxonomy

CONTENT_CHARACTERS: Final = 2000
"""Shown of one ticket, beginning and end: one endless ticket must not crowd out its neighbours."""
Words = tuple[str, str]
"""Subject and content: all that a hosted model is shown of a ticket."""


class Typed(NamedTuple):
    """A ticket with what is to be hidden in it. What makes it the same as another one: its words `alone`, with
    placeholders numbered for it alone, and `as_typed`."""

    marked: Marked
    alone: Words
    as_typed: Words


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
    themselves, what was `hidden` by kind, and every failure by its reason."""

    def __init__(
        self,
        models: Sequence[HostedModel],
        *,
        taxonomy: Taxonomy,
        policy: AskingPolicy,
        budget: Budget,
        cache: AnswerCache,
        known: KnownOf = nothing_known,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._known = known
        self._chain = ModelChain(models, budget=budget, timer=timer)
        self._taxonomy, self._policy, self._cache = taxonomy, policy, cache
        self._prompt = Prompt("classify_batch")
        self._schema = answer_schema(taxonomy.product.labels)
        self.name, self.prompt_hash = self._chain.name, self._prompt.hash
        self.counts: Counter[str] = Counter()

    def ask(self, tickets: Sequence[TicketText], *, at: datetime) -> list[Finding]:
        """One finding a ticket, in order; the first are asked about first. The tickets are cleaned ones. Those whose
        words are the same once hidden is what is to be hidden are asked about once."""
        known = self._known([ticket.ticket_id for ticket in tickets])
        given = [_typed(marked(ticket, known)) for ticket in tickets]
        distinct: dict[Words, Typed] = {}
        for ticket in given:
            distinct.setdefault(self._words(ticket), ticket)
        found = self._from_cache(list(distinct.values()))
        open_ones = [ticket for words, ticket in distinct.items() if words not in found]
        answers = dict(zip(map(self._words, open_ones), self._ask_all(open_ones), strict=True))
        self._keep([(distinct[words], finding) for words, finding in answers.items()], at)
        first = {id(ticket) for ticket in distinct.values()}
        findings = [(ticket, (found | answers)[self._words(ticket)]) for ticket in given]
        return [
            finding if id(ticket) in first else Finding(finding.opinion, finding.model, finding.why)
            for ticket, finding in findings
        ]

    def _ask_all(self, tickets: Sequence[Typed]) -> list[Finding]:
        self._chain.start_batch()
        findings = self._ask_batches(list(chunked(tickets, self._policy.tickets_per_prompt)))
        again = [n for n, finding in enumerate(findings) if finding.may_help_alone]
        for number, second in zip(again, self._ask_batches([[tickets[n]] for n in again]), strict=True):
            findings[number] = _both(findings[number], second)
        self.counts["asked again"] += len(again)
        return findings

    def _ask_batches(self, batches: Sequence[Sequence[Typed]]) -> list[Finding]:
        with ThreadPoolExecutor(self._policy.at_once) as pool:
            answers = list(pool.map(self._ask_batch, batches))
        findings = []
        for batch, answer in zip(batches, answers, strict=True):
            self.counts.update(failure.reason.value for failure in answer.failures)
            if answer.value is not None:
                self.counts.update(reason.value for reason in answer.value.failures.values())
            findings += [_finding(answer, number, len(batch)) for number in range(1, len(batch) + 1)]
        return findings

    def _ask_batch(self, tickets: Sequence[Typed]) -> Answer:
        numbering = Numbering()
        hidden = [shown(ticket.marked, numbering) for ticket in tickets]
        counts = sum((ticket.counts for ticket in hidden), Counter[str]())
        messages = classify_messages(self._prompt, [_cut(ticket.ticket) for ticket in hidden], self._taxonomy)
        typed = [_cut(ticket.marked.ticket) for ticket in tickets]
        as_typed = None if self._chain.is_redacted else classify_messages(self._prompt, typed, self._taxonomy)
        read = partial(read_answers, size=len(tickets), labels=self._taxonomy.product.labels)
        self.counts.update({f"hidden {kind}": count for kind, count in counts.items()})
        return self._chain.ask(messages, self._schema, read, as_typed=as_typed, hidden=counts)

    def _from_cache(self, tickets: Sequence[Typed]) -> dict[Words, Finding]:
        """What one of the models said of the same words before, the preferred model first."""
        keys = {self._words(ticket): [self._key(ticket, model) for model in self._chain.models] for ticket in tickets}
        answers = self._cache.find([key for found in keys.values() for key in found])
        findings = {}
        for words, found in keys.items():
            if answer := next((answers[key] for key in found if key in answers), None):
                opinion = Opinion(answer.label, answer.confidence, "as answered before for the same words")
                findings[words] = Finding(opinion, answer.model)
        self.counts["kept"] += len(findings)
        return findings

    def _keep(self, findings: Sequence[tuple[Typed, Finding]], at: datetime) -> None:
        models = {model.name: model for model in self._chain.models}
        answers = {
            self._key(ticket, models[found.model]): KeptAnswer(
                found.model, found.opinion.label, found.opinion.confidence
            )
            for ticket, found in findings
            if found.opinion is not None and found.model is not None
        }
        self._cache.keep(answers, at=at)

    def _key(self, ticket: Typed, model: HostedModel) -> str:
        """By the words that this model is shown; what is hidden from it can't have changed its answer."""
        subject, content = ticket.alone if model.is_redacted else ticket.as_typed
        return answer_key(subject, content, taxonomy=self._taxonomy.digest, model=model.name, prompt=self.prompt_hash)

    def _words(self, ticket: Typed) -> Words:
        return ticket.alone if self._chain.is_redacted else ticket.as_typed


def _cut(ticket: TicketText) -> TicketText:
    return ticket.model_copy(update={"content": shorten(ticket.content, CONTENT_CHARACTERS)})


def _typed(ticket: Marked) -> Typed:
    alone, typed = _cut(shown(ticket, Numbering()).ticket), _cut(ticket.ticket)
    return Typed(ticket, (alone.subject, alone.content), (typed.subject, typed.content))


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
