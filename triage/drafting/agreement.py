"""Whether two sentences use the same words of meaning, and whether one denies what the other says."""

import re
from functools import lru_cache
from typing import Final

from triage.drafting.particulars import folded

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|avoid|instead of|unless|\w+n't"
    r"|nicht|kein\w*|nie|niemals|ohne|ne|pas|jamais|sans|nunca|sin)\b",
    re.IGNORECASE,
)
_SMALL_WORDS: Final = """
a an and are as at be been being by can could did do does for from had has have he her here his how i if in into is it
its may me might must my of on or our please shall she should so some than that the their them then there these they
this those to up us was we were what when where which while who will would you your also just only very now again any
each both such via per make sure
"""
_SMALL: Final = frozenset(_SMALL_WORDS.split())


@lru_cache(maxsize=16384)
def content_words(sentence: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    words = (word.split("'")[0] for word in _WORD.findall(folded(sentence).lower()))
    return frozenset(_stem(word) for word in words if len(word) > 1 and word not in _SMALL)


def opposite(one: str, other: str) -> bool:
    """One denies and the other does not, or they use the two words of a pair of opposites."""
    if (len(_NEGATION.findall(one)) % 2) != (len(_NEGATION.findall(other)) % 2):
        return True
    mine, theirs = _stems(one), _stems(other)
    return any(pair & mine and pair & theirs and not pair & mine & theirs for pair in _OPPOSITES)


def _stems(sentence: str) -> frozenset[str]:
    return frozenset(_stem(word) for word in _WORD.findall(folded(sentence).lower()))


def _stem(word: str) -> str:
    for ending in ("ingly", "edly", "ing", "ies", "ied", "es", "ed", "ly", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


_PAIRS: Final = """
enable/disable allow/block allow/deny start/stop on/off add/remove add/delete before/after increase/decrease raise/lower
first/last always/never more/less above/below with/without open/close include/exclude keep/remove keep/delete
connect/disconnect grant/revoke inbound/outbound accept/reject accept/refuse lock/unlock upload/download permit/deny
trust/distrust valid/invalid
"""
_OPPOSITES: Final = frozenset(frozenset(map(_stem, pair.split("/"))) for pair in _PAIRS.split())
