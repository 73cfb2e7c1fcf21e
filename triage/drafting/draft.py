"""A reply made of sentences from the knowledge base, each with its source; where there is none, it says so."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from triage.classify import claim_id
from triage.contracts import Citation, Macro, Passage, Suggestion, TicketText
from triage.drafting.article_policy import NO_PLACES, ArticlePolicy, Rules
from triage.drafting.macros import suggest_macros
from triage.drafting.places import is_own_address
from triage.drafting.statements import Statement, article_title, heading_path, statements_of
from triage.drafting.wording import PLAIN_ENGLISH, Phrases, Wording
from triage.evidence import codes_like, codes_typed
from triage.ports import Embedder
from triage.sanitize import clean_ticket, is_empty, readable_text, whole_text

FLOOR: Final = 0.42
"""Of 22 questions to the knowledge base all reach it, of 200 questions from other worlds one in fifty does."""
MAX_STEPS: Final = 6
SNIPPET: Final = 200


class Cited(NamedTuple):
    """A statement with the passage it stands in."""

    statement: Statement
    passage: Passage


class Reply(NamedTuple):
    """A drafted text; `sources[n - 1]` is what it cites as [n]. Without sources it says that there is no answer."""

    text: str
    sources: tuple[Passage, ...]
    cited: tuple[Citation, ...]


class ExtractiveDrafter:
    """Its words are phrases of the wording and sentences of articles: of the ticket it repeats nothing."""

    def __init__(
        self,
        embedder: Embedder,
        *,
        clock: Callable[[], datetime],
        macros: Sequence[Macro] = (),
        wording: Wording = PLAIN_ENGLISH,
        articles: ArticlePolicy = NO_PLACES,
        floor: float = FLOOR,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`floor` is the score of the best passage under which nothing counts as an answer, unless a code is named."""
        self.name = f"extractive:{embedder.name}"
        self.macros, self.wording, self.articles, self.embedder = tuple(macros), wording, articles, embedder
        self._clock, self._floor, self._timer = clock, floor, timer

    def draft(self, tickets: Sequence[TicketText], passages: Sequence[Sequence[Passage]]) -> list[Suggestion]:
        started = self._timer()
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        replies = [self.reply(ticket, found) for ticket, found in zip(cleaned, passages, strict=True)]
        macros = [suggest_macros(whole_text(ticket), self.macros) for ticket in cleaned]
        latency_ms = round((self._timer() - started) * 1000 / max(1, len(tickets)))
        at = self._clock()
        return [
            Suggestion(
                id=claim_id("sug", ticket, model=self.name, at=at),
                ticket_id=ticket.ticket_id,
                text=reply.text,
                citations=reply.cited,
                macros=tuple(macro.id for macro in fitting),
                grounded=bool(reply.cited),
                model_used=self.name,
                latency_ms=latency_ms,
                created_at=at,
            )
            for ticket, reply, fitting in zip(tickets, replies, macros, strict=True)
        ]

    def reply(self, ticket: TicketText, passages: Sequence[Passage]) -> Reply:
        """To a cleaned ticket: greeting, diagnosis, steps, how to check them, next contact."""
        language = self.wording.language_of(ticket.language)
        cited = self._cited(ticket, passages)
        steps = self._steps(ticket, cited)
        title = article_title(steps[0].passage, self._rules(steps[0].passage)) if steps else None
        if title is None or not title.text:
            return Reply(framed([], self.wording, language), (), ())
        check = next((c for c in cited if c.statement.is_check and not c.statement.is_item), None)
        used = [*steps, *([check] if check else [])]
        numbers = _numbers(used)
        phrases = self.wording.phrases(language)
        steps_follow = phrases.steps if all(c.statement.is_remedy for c in steps) else phrases.says
        body = [
            " ".join(
                [
                    phrases.diagnosis.format(title=title.text),
                    f"[{numbers[_key(steps[0])]}]",
                    *to_check(title.why, phrases),
                    steps_follow,
                ]
            ),
            "\n".join(f"{place}. {_quoted(c, numbers, phrases)}" for place, c in enumerate(steps, start=1)),
            *([f"{phrases.verify} {_quoted(check, numbers, phrases)}"] if check else []),
        ]
        first = {_key(c): c.passage for c in used}
        return Reply(
            framed(body, self.wording, language), tuple(first[key] for key in numbers), self._citations(used, numbers)
        )

    def _cited(self, ticket: TicketText, passages: Sequence[Passage]) -> list[Cited]:
        """All statements of the article that answers best, in its order; none if nothing is near enough."""
        if is_empty(ticket) or not passages:
            return []
        named = _named_article(whole_text(ticket), passages)
        if named is None and passages[0].score < self._floor:
            return []
        chosen = [passage for passage in passages if passage.article_id == (named or passages[0].article_id)]
        in_order = sorted(chosen, key=lambda passage: passage.chunk)
        return _once(
            [
                Cited(statement, passage)
                for passage in in_order
                for statement in statements_of(passage, self._rules(passage))
            ]
        )

    def _rules(self, passage: Passage) -> Rules:
        return self.articles.rules(passage.source)

    def _citations(self, used: list[Cited], numbers: dict[tuple[str, int], int]) -> tuple[Citation, ...]:
        """The passages really used, each once, with the first words taken from it."""
        first = {_key(c): c for c in reversed(used)}
        return tuple(
            citation(n, first[key].passage, self._rules(first[key].passage), first[key].statement.text)
            for key, n in numbers.items()
        )

    def _steps(self, ticket: TicketText, cited: list[Cited]) -> list[Cited]:
        """The steps of a remedy; without any, the three statements nearest to the ticket that say more than how the
        problem shows."""
        steps = [c for c in cited if c.statement.is_remedy][:MAX_STEPS]
        telling = [c for c in cited if not c.statement.tells_a_story] or cited
        if steps or not telling:
            return steps
        ticket_vector = self.embedder.embed([readable_text(ticket)])[0]
        nearness = self.embedder.embed([c.statement.text for c in telling]) @ ticket_vector
        nearest = set(np.argsort(-nearness, kind="stable")[:3].tolist())
        return [c for place, c in enumerate(telling) if place in nearest]


def framed(body: Sequence[str], wording: Wording, language: str) -> str:
    """A reply around the cited paragraphs of `body`; without any, it says that nothing was found."""
    phrases = wording.phrases(language)
    if body:
        middle = [*body, *filter(None, [wording.quoting(language)]), phrases.next_contact]
    else:
        middle = [phrases.nothing_found, phrases.facts_wanted]
    return "\n\n".join([phrases.greeting, phrases.thanks, *middle, phrases.closing])


def _quoted(cited: Cited, numbers: dict[tuple[str, int], int], phrases: Phrases) -> str:
    """A statement, behind each of its sentences the source and the mark that it is to be checked."""
    number = numbers[_key(cited)]
    return " ".join(
        " ".join([sentence.text, f"[{number}]", *to_check(sentence.why, phrases)])
        for sentence in cited.statement.sentences
    )


def to_check(why: str, phrases: Phrases) -> list[str]:
    """What stands behind a sentence that is to be checked before sending; nothing behind another."""
    return [phrases.to_check] if why else []


def citation(number: int, passage: Passage, rules: Rules, first: str = "") -> Citation:
    """A source as it is listed: its title in one readable line or else its id, its address only if articles of its
    source may name it, and the `first` words taken from it."""
    return Citation(
        index=number,
        article_id=passage.article_id,
        title=heading_path(passage, rules) or passage.article_id,
        url=passage.url if is_own_address(passage.url, rules) else "",
        snippet=snippet(first),
    )


def snippet(text: str) -> str:
    """At most 200 characters."""
    return text if len(text) <= SNIPPET else text[: SNIPPET - 1].rsplit(" ", 1)[0][: SNIPPET - 1] + "…"


def _named_article(text: str, passages: Sequence[Passage]) -> str | None:
    """The article found that is about an error code the ticket names: by its id, else because it mentions the code."""
    codes = codes_typed(text)
    by_id = (p.article_id for p in passages if codes & {p.article_id.upper()})
    by_mention = (p.article_id for p in passages if codes & codes_like(p.text))
    return next(by_id, None) or next(by_mention, None)


def _once(cited: list[Cited]) -> list[Cited]:
    """Chunks overlap: the same sentence counts once."""
    return list({c.statement.text: c for c in reversed(cited)}.values())[::-1]


def _key(cited: Cited) -> tuple[str, int]:
    return cited.passage.article_id, cited.passage.chunk


def _numbers(used: list[Cited]) -> dict[tuple[str, int], int]:
    return {key: number for number, key in enumerate(dict.fromkeys(map(_key, used)), start=1)}
