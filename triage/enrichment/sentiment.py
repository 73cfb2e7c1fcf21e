"""How content a ticket sounds: a weak signal from listed phrases, for a person to read and never to order work by.

It counts phrases and knows no irony, no context and no other word; a ticket without a listed phrase has no sentiment.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from triage.enrichment.policy import SentimentPolicy, Voice

_WORD = re.compile(r"[\w'’]+")


class Sentiment(NamedTuple):
    """In (-1, 1); the phrases it rests on, a negated one as "not …"."""

    value: float
    phrases: tuple[str, ...]


def sentiment_of(text: str, language: str | None, policy: SentimentPolicy) -> Sentiment | None:
    """(good - bad) / (good + bad + 1): one phrase is half a verdict. None without a phrase or a known language."""
    voice = policy.languages.get(language or "")
    if voice is None:
        return None
    found = list(_verdicts(text.replace("’", "'"), voice, policy.reach))
    if not found:
        return None
    good = sum(verdict for _, verdict in found)
    return Sentiment((2 * good - len(found)) / (len(found) + 1), tuple(dict.fromkeys(phrase for phrase, _ in found)))


def _verdicts(text: str, voice: Voice, reach: int) -> list[tuple[str, bool]]:
    """Each phrase with whether it speaks well, in the order of the text."""
    verdicts = []
    good = {" ".join(phrase.casefold().split()) for phrase in voice.good}
    negations = {word.casefold() for word in voice.negations}
    for match in _any_of(voice.good + voice.bad).finditer(text):
        phrase = " ".join(match.group().casefold().split())
        is_negated = not negations.isdisjoint(_words_before(text, match.start(), reach))
        verdicts.append((f"not {phrase}" if is_negated else phrase, (phrase in good) != is_negated))
    return verdicts


def _words_before(text: str, at: int, reach: int) -> list[str]:
    """The words of the same sentence right before a place."""
    sentence = re.split(r"[.!?\n]", text[max(0, at - 120) : at])[-1]
    words = [word.casefold() for word in _WORD.findall(sentence)]
    return words[len(words) - reach :] if 0 < reach < len(words) else words if reach else []


@lru_cache(maxsize=32)
def _any_of(phrases: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    words = (r"\s+".join(map(re.escape, phrase.split())) for phrase in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", re.IGNORECASE)
