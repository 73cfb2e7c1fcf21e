"""A reply made of sentences from the knowledge base, each with its source; where there is none, it says so."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from triage.classify import claim_id
from triage.contracts import Citation, Macro, Passage, Suggestion, TicketText
from triage.evidence import codes_like
from triage.macros import suggest_macros
from triage.ports import Embedder
from triage.sanitize import clean_ticket, is_empty, quotable_subject, readable_text, whole_text
from triage.statements import Statement, article_title, statements_of

FLOOR: Final = 0.42
"""Of 22 questions to the knowledge base all reach it, of 200 questions from other worlds one in fifty does."""
MAX_STEPS: Final = 6
SNIPPET: Final = 200
NOTHING_FOUND: Final = (
    "I couldn't find relevant documentation that answers this. A support engineer will look into it and reply to you."
)
HELPFUL_FACTS: Final = "the exact error message or code, who is affected, and when it last happened"
CLOSING: Final = "Kind regards\nYour support team"


class Cited(NamedTuple):
    """A statement with the passage it stands in."""

    statement: Statement
    passage: Passage


class ExtractiveDrafter:
    """Adds no word of its own to a step. Of the ticket it repeats at most a short, harmless subject."""

    def __init__(
        self,
        embedder: Embedder,
        *,
        clock: Callable[[], datetime],
        macros: Sequence[Macro] = (),
        floor: float = FLOOR,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`floor` is the score of the best passage under which nothing counts as an answer, unless a code is named."""
        self.name = f"extractive:{embedder.name}"
        self.macros = tuple(macros)
        self._embedder, self._clock, self._floor, self._timer = embedder, clock, floor, timer

    def draft(self, tickets: Sequence[TicketText], passages: Sequence[Sequence[Passage]]) -> list[Suggestion]:
        started = self._timer()
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        drafts = [self._reply(ticket, found) for ticket, found in zip(cleaned, passages, strict=True)]
        latency_ms = round((self._timer() - started) * 1000 / max(1, len(tickets)))
        at = self._clock()
        return [
            Suggestion(
                id=claim_id("sug", ticket, model=self.name, at=at),
                ticket_id=ticket.ticket_id,
                text=text,
                citations=cited,
                macros=tuple(macro.id for macro in suggest_macros(whole_text(clean), self.macros)),
                grounded=bool(cited),
                model_used=self.name,
                latency_ms=latency_ms,
                created_at=at,
            )
            for ticket, clean, (text, cited) in zip(tickets, cleaned, drafts, strict=True)
        ]

    def _reply(self, ticket: TicketText, passages: Sequence[Passage]) -> tuple[str, tuple[Citation, ...]]:
        cited = self._cited(ticket, passages)
        steps = self._steps(ticket, cited)
        if not steps:
            return not_found(ticket), ()
        check = next((c for c in cited if c.statement.is_check and not c.statement.is_item), None)
        used = [*steps, *([check] if check else [])]
        numbers = _numbers(used)
        lines = [
            opening(ticket),
            f"From what you describe, this looks like “{article_title(steps[0].passage)}”. {introduction(steps)}",
            "\n".join(f"{place}. {c.statement.text} [{numbers[_key(c)]}]" for place, c in enumerate(steps, start=1)),
            *([f"How to see that it works: {check.statement.text} [{numbers[_key(check)]}]"] if check else []),
            f"If this does not help, please reply with {HELPFUL_FACTS}; a support engineer will then go on with you.",
            CLOSING,
        ]
        return "\n\n".join(lines), citations(used, numbers)

    def _cited(self, ticket: TicketText, passages: Sequence[Passage]) -> list[Cited]:
        """All statements of the article that answers best, in its order; none if nothing is near enough."""
        if is_empty(ticket) or not passages:
            return []
        named = _named_article(whole_text(ticket), passages)
        if named is None and passages[0].score < self._floor:
            return []
        chosen = [passage for passage in passages if passage.article_id == (named or passages[0].article_id)]
        in_order = sorted(chosen, key=lambda passage: passage.chunk)
        return _once([Cited(statement, passage) for passage in in_order for statement in statements_of(passage)])

    def _steps(self, ticket: TicketText, cited: list[Cited]) -> list[Cited]:
        """The steps of a remedy; without any, the three statements nearest to the ticket that say more than how the
        problem shows."""
        steps = [c for c in cited if c.statement.is_remedy][:MAX_STEPS]
        telling = [c for c in cited if not c.statement.tells_a_story] or cited
        if steps or not telling:
            return steps
        ticket_vector = self._embedder.embed([readable_text(ticket)])[0]
        nearness = self._embedder.embed([c.statement.text for c in telling]) @ ticket_vector
        nearest = set(np.argsort(-nearness, kind="stable")[:3].tolist())
        return [c for place, c in enumerate(telling) if place in nearest]


def opening(ticket: TicketText) -> str:
    """Greeting and thanks, with the subject if it is harmless."""
    subject = quotable_subject(ticket.subject)
    return f"Hello,\n\nthank you for your message{f' about “{subject}”' if subject else ''}."


def not_found(ticket: TicketText) -> str:
    """What is said where the knowledge base has no answer."""
    return f"{opening(ticket)}\n\n{NOTHING_FOUND}\n\nIt would help us to know {HELPFUL_FACTS}.\n\n{CLOSING}"


def introduction(steps: list[Cited]) -> str:
    """Promises steps only where the article gives some."""
    are_steps = all(step.statement.is_remedy for step in steps)
    return "These steps should help:" if are_steps else "This is what our documentation says about it:"


def citations(used: list[Cited], numbers: dict[tuple[str, int], int]) -> tuple[Citation, ...]:
    """The passages really used, each once, with the first words taken from it."""
    first = {_key(c): c for c in reversed(used)}
    return tuple(
        Citation(
            index=number,
            article_id=key[0],
            title=first[key].passage.title,
            url=first[key].passage.url,
            snippet=snippet(first[key].statement.text),
        )
        for key, number in numbers.items()
    )


def snippet(text: str) -> str:
    """At most 200 characters."""
    return text if len(text) <= SNIPPET else text[: SNIPPET - 1].rsplit(" ", 1)[0][: SNIPPET - 1] + "…"


def _named_article(text: str, passages: Sequence[Passage]) -> str | None:
    """The article found that is about an error code the ticket names: by its id, else because it mentions the code."""
    codes = codes_like(text)
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
