"""Which language a ticket is written in, or nothing where the text is too short, mere code, or in another script."""

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from triage.enrichment.policy import LanguagePolicy

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

READ_CHARACTERS: Final = 3_000

_LOG_LINE = re.compile(
    r"^\W{0,3}(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\d\d:\d\d:\d\d|[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d|<\d{1,3}>)"
    r"|^\s*(?:at [\w$.<>]+\(|File \"[^\"]{1,200}\", line \d+|Traceback \(most recent|Caused by: )"
    r"|^\s*[\w.$]{3,80}(?:Exception|Error)\b"
    r"|^\W{0,3}(?:DEBUG|INFO|WARN(?:ING)?|ERROR|FATAL|TRACE)\b"
    r"|^\W{0,3}[\w.-]{2,40}\[\d+\]:"
    r"|(?:\b\w[\w.-]{0,40}=\S+\s+){2}\b\w[\w.-]{0,40}="
)
_NOT_PROSE = re.compile(r"\S*(?:[/\\@_=<>{}\[\]|#~^*]|\d|\w[.:-]\w)\S*|\b[A-Z]{2,}\b")
"""Addresses, host names, codes, abbreviations."""


class Language(NamedTuple):
    """An ISO 639 code of the policy, and the probability among its languages of the same script."""

    code: str
    confidence: float


def log_lines(text: str) -> list[str]:
    """The lines that a machine wrote: stamped or levelled log lines, stack traces, runs of key=value."""
    return [line for line in text.split("\n") if _LOG_LINE.search(line[:400])]


def prose(text: str) -> str:
    """What a person wrote: no logs, addresses, host names, codes or abbreviations; one line."""
    lines = (line for line in text.split("\n") if not _LOG_LINE.search(line[:400]))
    return " ".join(_NOT_PROSE.sub(" ", " ".join(lines)[:READ_CHARACTERS]).split())


def language_of(text: str, policy: LanguagePolicy) -> Language | None:
    """The language of a cleaned text; None rather than a guess."""
    words = prose(text)
    letters = [character for character in words if character.isalpha()]
    if len(letters) < policy.fewest_letters:
        return None
    script = _script(letters)
    candidates = [code for code, written in policy.known.items() if written == script]
    if not candidates:
        return None
    found = _likeliest(words, candidates, tuple(sorted(policy.known)))
    return found if found.confidence >= policy.least_confidence else None


def _script(letters: Sequence[str]) -> str:
    """The script of most letters, as their Unicode names begin: LATIN, CYRILLIC, GREEK, CJK."""
    return Counter(map(_script_of, letters)).most_common(1)[0][0]


@lru_cache(maxsize=4096)
def _script_of(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0].partition("-")[0]


def _likeliest(text: str, candidates: Sequence[str], known: tuple[str, ...]) -> Language:
    ranked = [(code, share) for code, share in _identifier(known).rank(text) if code in candidates]
    total = sum(share for _, share in ranked) or 1.0
    code, share = ranked[0]
    return Language(code, min(1.0, share / total))


@lru_cache(maxsize=4)
def _identifier(known: tuple[str, ...]) -> "LanguageIdentifier":
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(known)
    return identifier
