"""The words of a text that a search compares, and how well passages match them (BM25)."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final
from unicodedata import normalize

import numpy as np

from triage.calibrate import Floats

K1: Final = 1.2
B: Final = 0.75
_WORD = re.compile(r"[^\W_]+")
_JOINED = re.compile(r"([a-z]{2,10})(\d{2,5})")
STOP_WORDS: Final = frozenset(
    _WORD.findall(
        """a an and are as at be been but by can did do does for from had has have how i if in into is it its me my of
        on or our such that the their then there these they this to was we were what when where which who why will with
        would you your"""
    )
)


def search_words(text: str) -> list[str]:
    """In small letters, without words that say nothing and without plural endings (Harman 1991, "S stemmer").

    Numbers stay as they are; a code such as ZTNA-301 is its prefix and its number, also where nothing stands between
    them or they are of full width. A text of nothing but stop words keeps them.
    """
    words = _WORD.findall((text if text.isascii() else normalize("NFKC", text)).lower())
    return [part for word in words if word not in STOP_WORDS for part in _parts(word)] or words


def _parts(word: str) -> tuple[str, ...]:
    joined = None if word.isalpha() else _JOINED.fullmatch(word)
    return joined.groups() if joined else (_singular(word),)


def _singular(word: str) -> str:
    if len(word) <= 3 or not word.endswith("s") or not word.isalpha():
        return word
    if word.endswith("ies"):
        return word if word.endswith(("eies", "aies")) else f"{word[:-3]}y"
    if word.endswith("es"):
        return word if word.endswith(("aes", "ees", "oes")) else word[:-1]
    return word if word.endswith(("us", "ss")) else word[:-1]


class Bm25:
    """Robertson and Zaragoza 2009 with k1 1.2 and b 0.75, as Milvus computes it, over texts held in memory."""

    def __init__(self, texts: Sequence[str]) -> None:
        from scipy import sparse

        self._columns: dict[str, int] = {}
        rows: list[int] = []
        columns: list[int] = []
        often: list[int] = []
        lengths = np.zeros(len(texts))
        for row, text in enumerate(texts):
            counts = Counter(search_words(text))
            lengths[row] = counts.total()
            rows += [row] * len(counts)
            columns += [self._columns.setdefault(word, len(self._columns)) for word in counts]
            often += counts.values()
        shape = len(texts), len(self._columns)
        at_row, at_column, times = np.array(rows, int), np.array(columns, int), np.array(often, float)
        relative = lengths / max(1e-9, lengths.mean()) if len(texts) else lengths
        holders = np.bincount(at_column, minlength=shape[1])
        rarity = np.log(1 + (shape[0] - holders + 0.5) / (holders + 0.5))
        weights = rarity[at_column] * times * (K1 + 1) / (times + K1 * (1 - B + B * relative[at_row]))
        self._weights: Any = sparse.csr_matrix((weights.astype(np.float32), (at_row, at_column)), shape=shape)

    def scores(self, queries: Sequence[str]) -> Floats:
        """Shape (len(queries), texts); 0 where no word is shared."""
        from scipy import sparse

        cells = [
            (self._columns[word], row, times)
            for row, query in enumerate(queries)
            for word, times in Counter(search_words(query)).items()
            if word in self._columns
        ]
        columns, rows, times = (np.array(part) for part in zip(*cells, strict=True)) if cells else ([], [], [])
        terms = sparse.csc_matrix((times, (columns, rows)), shape=(len(self._columns), len(queries)), dtype=np.float32)
        return np.asarray((self._weights @ terms).toarray().T)
