"""Hosted models as drafter: they word the middle of a reply, and what its sources do not say is struck out."""

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from triage.classify import claim_id
from triage.contracts import Citation, Passage, Suggestion, TicketText
from triage.drafting.article_policy import ArticlePolicy
from triage.drafting.article_sentences import readable_article
from triage.drafting.draft import ExtractiveDrafter, citation, framed, to_check
from triage.drafting.grounding import Checked, Nearness, Verdict, check_draft
from triage.drafting.statements import article_title, statements_of
from triage.drafting.wording import Phrases, Wording
from triage.llm.budget import Budget
from triage.llm.failures import Reason, Unusable
from triage.llm.models import Answer, HostedModel, ModelChain
from triage.llm.prompts import Prompt, draft_messages
from triage.ports import Embedder
from triage.redaction.kinds import Kind
from triage.redaction.redact import Numbering, restore
from triage.redaction.tickets import Known, KnownOf, marked, nothing_known, shown, shown_passage
from triage.sanitize import clean, clean_ticket

WORKERS: Final = 4
DRAFT_CHARACTERS: Final = 4000
PUT_BACK: Final = tuple(f"[{kind}_" for kind in (Kind.NAME, Kind.COMPANY))
"""What the desk itself knows may stand in a reply. Addresses and numbers that a ticket brought are struck out as beyond
the sources, whether they are hidden or not, and nobody mails a password back."""


class Worded(NamedTuple):
    """What stays of a hosted draft: its paragraphs with citations from 1, and the passages these stand for."""

    body: tuple[str, ...]
    sources: tuple[Passage, ...]


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
        known: KnownOf = nothing_known,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Without a `budget` every draft is asked for; `known` as for `Cascade`."""
        self._chain = ModelChain(models, budget=budget, timer=timer)
        self._local, self._clock, self._workers, self._known = local, clock, workers, known
        self._prompt = Prompt("draft")
        self.name = self._chain.name
        self._nearness = nearness_by(local.embedder)
        self.fallbacks = 0

    def draft(self, tickets: Sequence[TicketText], passages: Sequence[Sequence[Passage]]) -> list[Suggestion]:
        self._chain.start_batch()
        local = self._local.draft(tickets, passages)
        ask = partial(self._ask, self._known([ticket.ticket_id for ticket in tickets]))
        with ThreadPoolExecutor(self._workers) as pool:
            answers = list(pool.map(ask, tickets, passages, local))
        at = self._clock()
        return [
            draft if answer is None else self._suggestion(ticket, draft, answer, at=at)
            for ticket, draft, answer in zip(tickets, local, answers, strict=True)
        ]

    def _ask(self, known: Known, ticket: TicketText, passages: Sequence[Passage], local: Suggestion) -> Answer | None:
        if not local.grounded:
            return None
        wording, articles, typed = self._local.wording, self._local.articles, clean_ticket(ticket)
        numbering = Numbering()
        hidden = shown(marked(typed, known), numbering)
        sources = [p.model_copy(update={"text": readable_article(p.text)}) for p in passages]
        rules = [articles.rules(p.source) for p in passages]
        listed = [(*rule.emails, *rule.phones) for rule in rules]
        shown_passages = [shown_passage(p, known.names, numbering, on) for p, on in zip(sources, listed, strict=True)]
        of_passages = {mark: value for each in shown_passages for mark, value in each.placeholders.items()}
        own = {mark: value for mark, value in hidden.placeholders.items() if mark.startswith(PUT_BACK)}
        read = partial(
            read_draft, passages=passages, wording=wording, articles=articles, nearness=self._nearness,
            language=wording.language_of(ticket.language), own=own, of_passages=of_passages,
        )  # fmt: skip
        language = wording.languages["en"].names.get(wording.articles, wording.articles)
        prompt = partial(draft_messages, self._prompt, language=language)
        return self._chain.ask(
            prompt(hidden.ticket, [each.passage for each in shown_passages]),
            DraftAnswer.model_json_schema(),
            read,
            as_typed=None if self._chain.is_redacted else prompt(typed, sources),
            hidden=sum((each.counts for each in shown_passages), hidden.counts),
        )

    def _suggestion(self, ticket: TicketText, local: Suggestion, answer: Answer, *, at: datetime) -> Suggestion:
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
        wording = self._local.wording
        cited = tuple(_citation(n, p, self._local.articles) for n, p in enumerate(answer.value.sources, start=1))
        return Suggestion(
            id=claim_id("sug", ticket, model=str(answer.model), at=at),
            ticket_id=ticket.ticket_id,
            text=framed(answer.value.body, wording, wording.language_of(ticket.language)),
            citations=cited,
            macros=local.macros,
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


def read_draft(
    text: str,
    *,
    passages: Sequence[Passage],
    wording: Wording,
    articles: ArticlePolicy,
    language: str,
    nearness: Nearness | None = None,
    own: Mapping[str, str] | None = None,
    of_passages: Mapping[str, str] | None = None,
) -> Worded:
    """The sentences of an answer that its sources support; empty if the model says that there is no answer. `own` are
    the placeholders that the ticket's own values take the place of after all checks; those `of_passages` are what
    their sources say, and checked as such.

    Raises Unusable for another shape, or if nothing is left or less stays than was struck out: the local draft then
    says more.
    """
    try:
        answer = DraftAnswer.model_validate_json(text, strict=True)
    except ValidationError:
        raise Unusable(Reason.INVALID) from None
    if not answer.answerable:
        return Worded((), ())
    phrases = wording.phrases(language)
    stand_ins = {mark: _stand_in(mark) for mark in own or {}}
    reply = restore(clean(answer.text, limit=DRAFT_CHARACTERS), {**stand_ins, **(of_passages or {})})
    checked = check_draft(reply, dict(enumerate(passages, start=1)), phrases, articles=articles, nearness=nearness)
    usable = [sentence for sentence in checked if sentence.stays]
    struck_out = [sentence for sentence in checked if sentence.verdict is Verdict.DROPPED]
    if not usable or len(struck_out) > len(usable):
        raise Unusable(Reason.UNFIT, struck_out[0].reason if struck_out else "it states nothing")
    worded = _worded(usable, passages, phrases, articles)
    return worded._replace(body=tuple(_with_values(paragraph, own or {}) for paragraph in worded.body))


def _stand_in(mark: str) -> str:
    """A small word without digits for a placeholder: it names nothing and counts nothing, so that a sentence is checked
    for what it says beside."""
    return (
        "theirs"
        + "".join(
            letter if letter.isalpha() else chr(ord("a") + int(letter)) for letter in mark if letter.isalnum()
        ).lower()
    )


def _with_values(text: str, own: Mapping[str, str]) -> str:
    values = {_stand_in(mark): value for mark, value in own.items()}
    return re.sub("|".join(rf"\b{word}\b" for word in values), lambda word: values[word[0]], text) if values else text


def nearness_by(embedder: Embedder) -> Nearness:
    """By cosine; one caller at a time, because an embedder may remember."""
    lock = threading.Lock()

    def nearness(sentence: str, others: Sequence[str]) -> float:
        with lock:
            vectors = embedder.embed([sentence, *others])
        return float((vectors[1:] @ vectors[0]).max())

    return nearness


def _worded(
    usable: Sequence[Checked], passages: Sequence[Passage], phrases: Phrases, articles: ArticlePolicy
) -> Worded:
    """The kept sentences in their lines, steps and sources numbered anew, opened with a diagnosis if they have none."""
    used = list(dict.fromkeys(number for sentence in usable for number in sentence.sources))
    numbers = {number: place for place, number in enumerate(used, start=1)}
    lines: dict[int, list[Checked]] = {}
    for sentence in usable:
        lines.setdefault(sentence.line, []).append(sentence)
    paragraphs, steps = list[str](), 0
    for sentences in lines.values():
        line = " ".join(_cited(sentence, numbers, phrases) for sentence in sentences)
        steps += sentences[0].is_step
        is_next_step = sentences[0].is_step and steps > 1
        paragraphs.append(("\n" if is_next_step else "\n\n") + (f"{steps}. {line}" if sentences[0].is_step else line))
    opening = _diagnosis(passages[used[0] - 1], phrases, articles) if usable[0].is_step else ""
    return Worded(tuple(filter(None, [opening, "".join(paragraphs).strip()])), tuple(passages[n - 1] for n in used))


def _diagnosis(passage: Passage, phrases: Phrases, articles: ArticlePolicy) -> str:
    title = article_title(passage, articles.rules(passage.source))
    parts = [phrases.diagnosis.format(title=title.text), "[1]", *to_check(title.why, phrases), phrases.steps]
    return " ".join(parts) if title.text else ""


def _citation(number: int, passage: Passage, articles: ArticlePolicy) -> Citation:
    """With the first words of its source that a reply may hold."""
    rules = articles.rules(passage.source)
    first = next((statement.text for statement in statements_of(passage, rules)), "")
    return citation(number, passage, rules, first)


def _cited(sentence: Checked, numbers: Mapping[int, int], phrases: Phrases) -> str:
    marks = "".join(f"[{numbers[number]}]" for number in sentence.sources)
    return f"{sentence.text} {marks}" + (f" {phrases.to_check}" if sentence.verdict is Verdict.FLAGGED else "")
