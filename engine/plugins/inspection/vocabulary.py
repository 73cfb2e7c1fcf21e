"""What other systems call a column and mean by a word: known exports, and words of many languages, as data."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pydantic import Field
from rapidfuzz import fuzz, process

from engine.contracts import Frozen
from engine.plugins.mapping import Updates
from engine.shared import policy_file

WORDS = "words.yaml"
RESEMBLES = 88
"""Percent of two words' letters from which one is taken for the other, misspelt or bent."""
NEGATIONS = frozenset(
    ["not", "no", "non", "never", "without", "un", "nicht", "kein", "keine", "ohne", "sin", "nao", "sem", "pas", "sans"]
)
POLARITY = {
    "resolution_met": ("resolution_verdict", "met"),
    "resolution_breached": ("resolution_verdict", "breached"),
    "first_response_met": ("first_response_verdict", "met"),
    "first_response_breached": ("first_response_verdict", "breached"),
}
"""Columns that say yes or no: of which field, and what yes means."""

Words = dict[str, dict[str, tuple[str, ...]]]
"""Field, our word, theirs."""


class Export(Frozen):
    """What a known system's export looks like: one file of `data/exports`."""

    name: str
    source: str
    signatures: tuple[tuple[str, ...], ...]
    """Sets of headers, each of which is enough to know it by."""
    columns: dict[str, tuple[str, ...]]
    """Field: its header, the best one first."""
    words: Words = Field(default_factory=dict)
    nonsense: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Field: words that mean nothing; rows with them are refused."""
    log: Updates | None = None
    first_response: str | None = None
    """Of a log: from what it follows (see the mapping)."""
    reads_more: dict[str, str] = Field(default_factory=dict)
    """Column: the source that reads what a table has no room for."""
    nulls: tuple[str, ...] = ()
    tag_separator: str | None = None
    ignore: tuple[str, ...] = ()


class _WordFile(Frozen):
    headers: dict[str, dict[str, tuple[str, ...]]]
    log_headers: dict[str, tuple[str, ...]]
    words: Words
    nulls: tuple[str, ...]
    yes_or_no: tuple[str, ...]


class Meaning(NamedTuple):
    """Our word for one of theirs; `sure` if it is listed, not merely alike."""

    word: str
    sure: bool


class Vocabulary:
    """All that is known of headers and words."""

    def __init__(self, words: _WordFile, exports: Iterable[Export]) -> None:
        self.headers, self.log_headers, self.words = words.headers, words.log_headers, words.words
        self.nulls, self.yes_or_no = words.nulls, words.yes_or_no
        self.exports = tuple(exports)

    def export_of(self, columns: Collection[str]) -> Export | None:
        """The known export with the largest set of headers that are all there."""
        there = {plain(column) for column in columns}
        fits = [
            (len(signature), export)
            for export in self.exports
            for signature in export.signatures
            if {plain(header) for header in signature} <= there
        ]
        return max(fits, key=lambda each: each[0])[1] if fits else None

    def languages_of(self, columns: Collection[str]) -> list[str]:
        """Languages whose words the headers are, the one with the most of them first."""
        there = {plain(column) for column in columns}
        hits = {
            language: sum(
                bool(there & {plain(w) for w in by_language.get(language, ())}) for by_language in self._tables
            )
            for language in dict.fromkeys(chain.from_iterable(self._tables))
        }
        return sorted((language for language, count in hits.items() if count), key=lambda each: -hits[each])

    @cached_property
    def _tables(self) -> list[dict[str, tuple[str, ...]]]:
        return list(self.headers.values())

    def rank(self, field: str, column: str, export: Export | None) -> int | None:
        """How well a header names a field, 0 the best; None if it doesn't."""
        known = [plain(header) for header in export.columns.get(field, ())] if export else []
        if field != "outcome" or not known:  # a known export says itself what tells how a ticket ended
            known += self._known.get(field, [])
        places = [known.index(name) for name in _names(column) if name in known]
        return min(places, default=None)

    @cached_property
    def _known(self) -> dict[str, list[str]]:
        return {
            field: [plain(word) for word in chain.from_iterable(table.values())]
            for field, table in self.headers.items()
        }

    def log_role(self, role: str, column: str) -> int | None:
        """How well a header names a column of a log, 0 the best; None if it doesn't."""
        known = [plain(word) for word in self.log_headers[role]]
        return min((known.index(name) for name in _names(column) if name in known), default=None)

    def meaning(self, field: str, word: str, export: Export | None) -> Meaning | None:
        """Our word for theirs in a column of this field; None if it resembles nothing known, or says `not`."""
        for words in ([export.words] if export else []) + [self.words]:
            for ours, theirs in words.get(field, {}).items():
                if plain(word) in {plain(each) for each in theirs} or plain(word) == plain(ours):
                    return Meaning(ours, sure=True)
        return self._alike(field, plain(word))

    def listed(self, field: str, word: str, export: Export | None) -> str | None:
        """Our word for one that a known export lists."""
        known = export.words.get(field, {}) if export else {}
        return next((ours for ours, theirs in known.items() if plain(word) in map(plain, theirs)), None)

    def field_of(self, name: str) -> str | None:
        """The field that somebody calls so."""
        return next((field for field in self._known if self.rank(field, name, None) is not None), None)

    def verdict(self, word: str) -> str | None:
        """`met` for one that says so or yes."""
        found = self.meaning("verdict", word, None)
        return found.word if found else None

    def is_yes_or_no(self, word: str) -> bool:
        return plain(word) in {plain(each) for each in self.yes_or_no}

    def nulls_of(self, export: Export | None) -> tuple[str, ...]:
        """Cells that mean nothing."""
        return tuple(dict.fromkeys((*self.nulls, *(export.nulls if export else ()))))

    def outcome(self, word: str, export: Export | None) -> str | None:
        """How a ticket ended, if a word is listed for it: one that is merely alike proves nothing."""
        found = self.meaning("outcome", word, export)
        return found.word if found and found.sure else None

    def _alike(self, field: str, word: str) -> Meaning | None:
        """By the same letters but for a few, or by a known word within it after a number: `4 - Solved (caller)`."""
        if not re.search(r"[^\W\d]{3}", word):
            return None
        known = {plain(each): ours for ours, theirs in self.words.get(field, {}).items() for each in theirs}
        numberless = re.sub(r"^\d+ ", "", word)
        if numberless in known:
            return Meaning(known[numberless], sure=True)
        within = [each for each in known if len(each) > 3 and f" {each} " in f" {word} "]
        if within:
            longest = max(within, key=len)
            denied = set(word[: word.index(longest)].split()) & NEGATIONS
            return None if denied else Meaning(known[longest], sure=False)
        near = process.extractOne(word, list(known), scorer=fuzz.ratio, score_cutoff=RESEMBLES)
        return Meaning(known[near[0]], sure=False) if near and len(word) > 3 else None


def load_vocabulary(folder: Path) -> Vocabulary:
    """Everything in a folder like `data/exports`. Raises BadInput with file, key and reason."""
    exports = [policy_file.read(file, Export) for file in sorted(folder.glob("*.yaml")) if file.name != WORDS]
    return Vocabulary(policy_file.read(folder / WORDS, _WordFile), exports)


def plain(text: str) -> str:
    """Without case, accents and punctuation; `createdAt` and `created_at` are `created at`, `Ticket#` a number."""
    spaced = re.sub(r"(?<=[a-zà-ÿ\d])(?=[A-Z])", " ", text.strip()).replace("#", " number ")
    bare = "".join(c for c in unicodedata.normalize("NFKD", spaced.casefold()) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", bare))


def _names(column: str) -> list[str]:
    """What a header may be known as: whole, and of a nested key without `fields.` before and `.name` behind."""
    bare = re.sub(r"(\[\])?\.(name|display_?name|displayValue|value|login|email|emailAddress)$", "", column)
    bare = re.sub(r"^(fields|ticket|custom field)\.", "", bare)
    bracketed = re.fullmatch(
        r"(?:custom field|campo personalizado|benutzerdefinierte\w* feld\w*) ?\((.+)\)", bare, re.I
    )
    names = [plain(each) for each in (column, bare, *(bracketed.groups() if bracketed else ()))]
    return list(dict.fromkeys([*names, *(re.sub(r"([aou])e", r"\1", name) for name in names)]))  # `Aktivitaet`
