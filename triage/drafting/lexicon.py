"""Words of one meaning in many languages, and where a text has them near to each other."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from engine.shared.policy_file import read_yaml

WIDEST_GAP: Final = 7
"""Words that `…` in an expression may stand for."""
_UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|[^\W_{_UNSPACED}]+(?:'[^\W_]+)?|[,;:!?()]|(?<=\w)\.(?=\s|$)")
_SPACED_OUT = re.compile(r"(?<!\w)(?:\w[ .-]){4,}\w(?!\w)")
_LOOKALIKES: Final = str.maketrans("аеорсухіјѕԁһӏкмтвнαεορυνικτ013457@$!", "aeopcyxijsdhlkmtbhaeopuviktoieastasi")
_OTHER_LETTERS: Final = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "đ": "d", "ß": "ss", "æ": "ae", "œ": "oe"})
_ELISION = re.compile(r"^(?:l|d|n|s|j|m|t|c|qu|dell|all|nell|sull|dall|un)'(?=\w{3})")
_MARKS = re.compile(r"[*~`\"“”„«»]+")


class Found(NamedTuple):
    """An expression of a meaning: the places of its first and its last word, and the language, or group of languages,
    it is listed under."""

    first: int
    last: int
    language: str


class Expression(NamedTuple):
    meaning: str
    language: str
    words: tuple[str, ...]


def tokens(text: str) -> list[str]:
    """Words in small letters without accents and emphasis; signs that part clauses stay, scripts without spaces are
    cut into their signs."""
    text = _MARKS.sub("", text.replace("’", "'")).casefold().replace("'ll", " will")
    text = _SPACED_OUT.sub(lambda found: re.sub(r"[ .-]", "", found[0]), text)
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c) and c != "\u0640")
        text = unicodedata.normalize("NFC", text).translate(_OTHER_LETTERS)
    return [_ELISION.sub("", _latin(word)) for word in _TOKEN.findall(text)]


def _latin(word: str) -> str:
    """A word of mixed alphabets or with figures among its letters, as it is meant to be read."""
    if word.isalpha() and (word.isascii() or not re.search("[a-z]", word)):
        return word
    fewest = 1 if not word[0].isdigit() else 2 if len(word) > 3 else len(word)  # 5gb is a size, 1gn0re a word
    return word.translate(_LOOKALIKES) if sum("a" <= letter <= "z" for letter in word) >= fewest else word


class Lexicon:
    """All expressions by meaning and language, found in one pass over the words of a text."""

    def __init__(self, meanings: Mapping[str, Mapping[str, Sequence[str]]], groups: Mapping[str, str]) -> None:
        self._exact: dict[str, list[Expression]] = defaultdict(list)
        self._stems: dict[str, list[Expression]] = defaultdict(list)
        for meaning, languages in meanings.items():
            for language, expressions in languages.items():
                for expression in expressions:
                    self._add(meaning, groups.get(language, language), expression)
        self._lengths = sorted({len(stem) for stem in self._stems})

    def _add(self, meaning: str, language: str, expression: str) -> None:
        words = tuple(word for part in re.split(r"(…)", expression) for word in _pattern_words(part))
        entry = Expression(meaning, language, words)
        (self._stems if words[0].endswith("*") else self._exact)[words[0].rstrip("*")].append(entry)

    def find(self, words: Sequence[str]) -> dict[str, list[Found]]:
        """Where each meaning stands, by meaning."""
        found: dict[str, list[Found]] = defaultdict(list)
        for place, word in enumerate(words):
            for entry in self._beginning_with(word):
                last = _end(words, place + 1, entry.words[1:])
                if last is not None:
                    found[entry.meaning].append(Found(place, last - 1, entry.language))
        return found

    def _beginning_with(self, word: str) -> Iterator[Expression]:
        yield from self._exact.get(word, ())
        for length in self._lengths:
            if length > len(word):
                break
            yield from self._stems.get(word[:length], ())


def _pattern_words(part: str) -> list[str]:
    if part == "…":
        return [part]
    return [word + "*" if star else word for piece in part.split() for word, star in _starred(piece)]


def _starred(piece: str) -> list[tuple[str, bool]]:
    words = tokens(piece.rstrip("*"))
    return [(word, piece.endswith("*") and word is words[-1]) for word in words]


def _end(words: Sequence[str], place: int, wanted: Sequence[str]) -> int | None:
    """Behind the last word of an expression that goes on at `place`; None if it does not."""
    if not wanted:
        return place
    if wanted[0] == "…":
        for start in range(place, min(len(words), place + WIDEST_GAP + 1)):
            if (end := _end(words, start, wanted[1:])) is not None:
                return end
            if words[start] in ".!?;":
                return None
        return None
    if place < len(words) and words[place] == ",":
        place += 1
    if place < len(words) and _fits(words[place], wanted[0]):
        return _end(words, place + 1, wanted[1:])
    return None


def _fits(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


class Kind(NamedTuple):
    """What a sentence may be: `doing` near to `thing`, at most `within` words apart, with `to` in the sentence, or an
    expression of `alone`; `patterns` are looked for in the text as it is written, in which code stands between ` and ´.

    With `behind` the thing comes second. A `step` counts in English only as an order or advice."""

    name: str
    reason: str
    doing: tuple[str, ...]
    thing: tuple[str, ...]
    to: tuple[str, ...]
    within: int
    alone: tuple[str, ...]
    patterns: re.Pattern[str] | None
    step: bool
    behind: bool
    unless: tuple[str, ...]


class Wordlist(NamedTuple):
    lexicon: Lexicon
    kinds: tuple[Kind, ...]
    small: Mapping[str, frozenset[str]]
    step_before: frozenset[str]


@lru_cache(maxsize=1)
def wordlist() -> Wordlist:
    """What `article_words.yaml` holds, read once."""
    read: Any = read_yaml(Path(__file__).with_name("article_words.yaml"), what="list of words")
    groups = {language: group for group, languages in read["groups"].items() for language in languages}
    meanings = {
        meaning: {language: [e.strip() for e in str(line).split(",") if e.strip()] for language, line in lines.items()}
        for meaning, lines in read["meanings"].items()
    }
    small = {language: frozenset(tokens(line)) for language, line in read["small_words"].items()}
    return Wordlist(
        Lexicon(meanings, groups),
        tuple(_kind(entry) for entry in read["kinds"]),
        small,
        frozenset(tokens(read["step_before"])),
    )


def _kind(entry: Mapping[str, Any]) -> Kind:
    patterns = "|".join(f"(?:{one})" for one in entry.get("patterns", ()))
    return Kind(
        entry["kind"],
        entry["reason"],
        tuple(entry.get("doing", ())),
        tuple(entry.get("thing", ())),
        tuple(entry.get("to", ())),
        entry.get("within", 9),
        tuple(entry.get("alone", ())),
        re.compile(patterns, re.IGNORECASE) if patterns else None,
        entry.get("step", True),
        entry.get("behind", False),
        tuple(entry.get("unless", ())),
    )
