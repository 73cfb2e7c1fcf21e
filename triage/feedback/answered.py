"""What people answered counts at once: a text that reads as one they answered is about the same."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from math import ceil, sqrt
from typing import NamedTuple

from triage.contracts import FOR_A_PERSON, Classification, Guess, TicketText
from triage.evidence import codes_like
from triage.feedback.policy import AnsweredPolicy
from triage.feedback.reviews import Review, text_read
from triage.ports import Classifier

_WORD = re.compile(r"\w+")


class AnsweredText(NamedTuple):
    """A text that a person answered on a ticket."""

    ticket_id: str
    text: str
    label: str


def last_words(answers: Iterable[Review], labels: Collection[str]) -> list[AnsweredText]:
    """The last answer of each person on each ticket, where the taxonomy has its label; of answers as they arrived."""
    last = {(one.ticket_id, one.answered_by): one for one in answers}
    return [AnsweredText(one.ticket_id, one.text, one.label) for one in last.values() if one.label in labels]


class AnsweredTexts:
    """Looked up by their words: whatever their capitals, order and number.

    Two texts are alike if they name the same codes and the cosine of their sets of words is at least the policy's.
    """

    def __init__(self, answers: Sequence[AnsweredText], policy: AnsweredPolicy) -> None:
        self._answers, self._policy = answers, policy

    def __len__(self) -> int:
        return len(self._answers)

    @cached_property
    def _words(self) -> list[frozenset[str]]:
        return [_words_of(one.text) for one in self._answers]

    @cached_property
    def _with_word(self) -> dict[str, list[int]]:
        """The answers that say a word, by their positions."""
        found: dict[str, list[int]] = defaultdict(list)
        for at, words in enumerate(self._words):
            for word in words:
                found[word].append(at)
        return dict(found)

    def like(self, text: str) -> AnsweredText | None:
        """The answer on the text most like this one, the newest of several; None without one, and where two answers on
        texts like it disagree."""
        words = _words_of(text)
        if len(words) < self._policy.least_words:
            return None
        cosines = {at: self._cosine(words, at) for at in self._candidates(words)}
        codes = codes_like(text)
        alike = [
            (cosine, at)
            for at, cosine in cosines.items()
            if cosine >= self._policy.alike and codes_like(self._answers[at].text) == codes
        ]
        if len({self._answers[at].label for _, at in alike}) != 1:
            return None
        return self._answers[max(alike)[1]]

    def _candidates(self, words: frozenset[str]) -> set[int]:
        """All that can be alike: they share `alike` squared of the words at least, and so one of any so many more words
        as there are without these; the rarest are looked up (prefix filter: R. J. Bayardo, Y. Ma, R. Srikant, Scaling
        up all pairs similarity search, WWW 2007)."""
        enough = len(words) - ceil(self._policy.alike**2 * len(words) - 1e-9) + 1
        postings = sorted((self._with_word.get(word, []) for word in words), key=len)
        return {at for found in postings[:enough] for at in found}

    def _cosine(self, words: frozenset[str], at: int) -> float:
        other = self._words[at]
        return len(words & other) / sqrt(len(words) * len(other))


class TaughtClassifier:
    """Another classifier; where people answered a text that reads the same, their answer is the claim."""

    def __init__(self, untaught: Classifier, answers: AnsweredTexts, policy: AnsweredPolicy) -> None:
        self.name, self._untaught, self._answers, self._policy = untaught.name, untaught, answers, policy

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        claims = self._untaught.classify(tickets)
        if not len(self._answers):
            return claims
        found = [self._answers.like(text_read(ticket)) for ticket in tickets]
        return [
            claim if answer is None else repeated(claim, answer, confidence=self._policy.confidence)
            for claim, answer in zip(claims, found, strict=True)
        ]


def repeated(claim: Classification, answer: AnsweredText, *, confidence: float) -> Classification:
    """The claim that repeats an answer, with what would have been said without it; nobody need look again."""
    alone = claim.reasoning.rpartition(f" {FOR_A_PERSON}")[0] or claim.reasoning
    second = claim.runner_up
    if claim.product != answer.label:
        second = Guess(label=claim.product, confidence=min(claim.confidence, 1 - confidence))
    elif second is not None:
        second = second.model_copy(update={"confidence": min(second.confidence, 1 - confidence)})
    return claim.model_copy(
        update={
            "product": answer.label,
            "confidence": confidence,
            "runner_up": second,
            "needs_review": False,
            "reasoning": f"{answer.label}: answered so before (ticket {answer.ticket_id}). By its words alone {alone}",
        }
    )


def _words_of(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))
