"""The names of customers and contacts that the desk knows, wherever they stand in a text as names."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise, product
from typing import Final, NamedTuple

from triage.redaction.kinds import Kind, Span, one_of, words

_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_GAP = re.compile(r"[ \t\xa0.,'’_–-]{0,3}|\s")
_HONORIFIC: Final = (
    r"様|さま|さん|くん|君|氏|殿|先生|部長|課長|係長|社長|主任|です|でございます|と申|より|"
    r"の(?:端末|pc|アカウント|メール)|\s*$|\s*\n"
)
_TITLE: Final = re.compile(rf"(?<![^\W\d_])(?:{one_of(*words('title'))}|sig\.ra)\.?\s+$", re.IGNORECASE)
_AFTER_A_SENTENCE = re.compile(r"(?:^|(?<!\.\w)[.!?:;。\n•\"“„«(\[])\s*$|(?:^|\n)\s*(?:[-*>]|\d+[.)])\s*$")


def fold(word: str) -> str:
    """In small letters, without accents."""
    if word.isascii():
        return word.lower()
    apart = unicodedata.normalize("NFKD", word.casefold())
    plain = "".join(character for character in apart if not unicodedata.combining(character))
    return plain.translate(_LETTERS)


_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
MOST_WRITINGS: Final = 16
_LEGAL: Final = frozenset(words("legal"))
_SMALL: Final = frozenset(words("small"))
_NOUNS: Final = frozenset(map(fold, words("noun")))
_OPENING: Final = frozenset(map(fold, words("opening"))) | _NOUNS
_ACTS = re.compile(
    r"\s(?:has|hasn['’]t|is|isn['’]t|was|can|cannot|can['’]t|needs?|says?|said|told|reports?|wants?|lost|left|works|hat|ist|war|kann|braucht|est|peut|"
    r"tiene|está|puede|tem|está|pode|heeft|kan|può)\b"
)
"""What follows a person at the beginning of a sentence."""


class _Known(NamedTuple):
    """A name by its folded words. `is_part` is one word of a person's name."""

    words: tuple[str, ...]
    kind: Kind
    is_part: bool
    is_common: bool


class Names:
    """What is known is looked up by first words: a thousand names cost no more than ten."""

    def __init__(self, people: Iterable[str] = (), companies: Iterable[str] = ()) -> None:
        self._by_first: dict[str, list[_Known]] = {}
        self._eastern: list[re.Pattern[str]] = []
        self._eastern_kinds: list[Kind] = []
        for person in sorted(set(people)):
            self._add_person(person)
        for company in sorted(set(companies)):
            self._add_company(company)
        for known in self._by_first.values():
            known.sort(key=lambda name: -len(name.words))

    def find(self, text: str) -> list[Span]:
        """Whole words, in any writing of accents. One word of a name needs the look of a name: a capital, or a title
        before it, or a line of its own; one that is a common word as well stays at the beginning of a sentence."""
        found = [
            Span(*m.span(1), kind)
            for p, kind in zip(self._eastern, self._eastern_kinds, strict=True)
            for m in p.finditer(text)
        ]
        words = list(_WORD.finditer(text)) if self._by_first else []
        folded = [fold(word[0]) for word in words]
        place = 0
        while place < len(words):
            length, kind = self._at(text, words, folded, place)
            if length:
                found.append(Span(words[place].start(), words[place + length - 1].end(), kind))
            place += max(1, length)
        return found

    def _at(self, text: str, words: Sequence[re.Match[str]], folded: Sequence[str], place: int) -> tuple[int, Kind]:
        """How many words from this one on are a name; none is 0."""
        for stem in dict.fromkeys((folded[place], folded[place].removesuffix("s"))):
            for known in self._by_first.get(stem, ()):
                size = len(known.words)
                if (
                    tuple(folded[place + 1 : place + size])
                    in (known.words[1:], (*known.words[1:-1], f"{known.words[-1]}s"))
                    and _is_one_run(text, words[place : place + size])
                    and (size > 1 or stem == folded[place] or words[place][0][0].isupper())
                    and _looks_like_one(text, words[place : place + size], known)
                ):
                    return size, known.kind
        return 0, Kind.NAME

    def _add_person(self, name: str) -> None:
        if _CJK.search(name):
            self._add_eastern(name, Kind.NAME)
            return
        for folded in _foldings(name):
            whole = [word for word in folded if len(word) > 1] or list(folded)
            pairs = {(first, other) for other in whole[1:] for first in (whole[0], whole[0][0])}
            ends = {folded[n:] for n in range(len(folded) - 1) if len(whole) > 1}
            for order in {folded, (*whole[-1:], *whole[:-1]), *pairs, *ends}:
                self._put(order, Kind.NAME, is_part=len(order) == 1)
            for word in whole:
                if len(word) > 2 and word not in _SMALL:
                    self._put((word,), Kind.NAME, is_part=True)

    def _add_company(self, name: str) -> None:
        if _CJK.search(name):
            self._add_eastern(name, Kind.COMPANY)
            return
        for folded in (*_foldings(name), *_foldings(_without_legal_form(name))):
            self._put(folded, Kind.COMPANY, is_part=False)

    def _put(self, words: tuple[str, ...], kind: Kind, *, is_part: bool) -> None:
        if not words or (len(words) == 1 and len(words[0]) < 2):
            return
        known = _Known(words, kind, is_part, all(word in _OPENING for word in words))
        others = self._by_first.setdefault(words[0], [])
        if known not in others:
            others.append(known)

    def _add_eastern(self, name: str, kind: Kind) -> None:
        parts = [part for part in re.split(r"[\s・　]+", name.strip()) if part not in _LEGAL]
        bare = re.sub(r"^(?:株式会社|合同会社|有限会社)|(?:株式会社|合同会社|有限会社)$", "", "".join(parts))
        spaced = r"[\s・　]?".join(map(re.escape, parts if len(parts) > 1 else [bare]))
        alone = rf"|(?<![\u3400-\u9fff]){re.escape(parts[0])}(?=\s?(?:{_HONORIFIC}))" if len(parts) > 1 else ""
        form = r"(?:株式会社|合同会社|有限会社)?" if kind is Kind.COMPANY else ""
        self._eastern.append(re.compile(f"({form}{spaced}{form}{alone})", re.IGNORECASE | re.MULTILINE))
        self._eastern_kinds.append(kind)


def _without_legal_form(name: str) -> str:
    """`Aceros del Sur S.A.` is `Aceros del Sur` to most."""
    words = name.split()
    while len(words) > 1 and fold(re.sub(r"\W", "", words[-1])) in {*_LEGAL, ""}:
        words.pop()
    return " ".join(words)


def _foldings(name: str) -> Iterator[tuple[str, ...]]:
    """Each umlaut as its letter and as two."""
    words = [match[0] for match in _WORD.finditer(unicodedata.normalize("NFC", name.casefold()))]
    writings = [dict.fromkeys((fold(word), fold(word.translate(_UMLAUTS)))) for word in words]
    yield from islice(product(*writings), MOST_WRITINGS if words else 0)


def _is_one_run(text: str, words: Sequence[re.Match[str]]) -> bool:
    return all(_GAP.fullmatch(text, left.end(), right.start()) for left, right in pairwise(words))


def _looks_like_one(text: str, words: Sequence[re.Match[str]], known: _Known) -> bool:
    start, end = words[0].start(), words[-1].end()
    if len(words) > 1:
        return not known.is_common or all(not word[0].islower() or fold(word[0]) in _SMALL for word in words)
    before = text[max(0, start - 24) : start]
    if words[0][0].islower():
        return known.is_part and not known.is_common and (bool(_TITLE.search(before)) or _is_a_line(text, start, end))
    if _TITLE.search(before) or not known.is_common:
        return True
    if known.words[0] in _NOUNS and known.is_part:
        return False
    is_shouted = words[0][0].isupper() and len(words[0][0]) > 1
    return not is_shouted and (not _AFTER_A_SENTENCE.search(before) or bool(known.is_part and _ACTS.match(text, end)))


def _is_a_line(text: str, start: int, end: int) -> bool:
    """Such as a name under a letter."""
    line = text[text.rfind("\n", 0, start) + 1 : (text + "\n").find("\n", end)]
    return "\n" in text[:start] and line.strip(" -–,.!") == text[start:end]


NOBODY: Final = Names()
