"""What a text says word by word: TF-IDF of words and word pairs, and of the parts of words."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from triage.calibrate import Floats


class Words(NamedTuple):
    """TF-IDF of words and word pairs, and of character runs: two vocabularies with their weights."""

    vocabularies: tuple[list[str], list[str]]
    weights: tuple[Floats, Floats]

    def matrix(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, a row a text; the first columns are those of the words."""
        from scipy import sparse

        return sparse.hstack([self._part(0, texts), self._part(1, texts)]).tocsr()

    def terms(self, texts: Sequence[str]) -> Any:
        """The columns of the words alone."""
        return self._part(0, texts).tocsr()

    def _part(self, number: int, texts: Sequence[str]) -> Any:
        vectorizer = _vectorizers()[number]
        vectorizer.set_params(vocabulary={term: at for at, term in enumerate(self.vocabularies[number])})
        vectorizer.idf_ = self.weights[number]
        return vectorizer.transform(texts)


def learn_words(texts: Sequence[str]) -> Words:
    """The vocabularies of these texts, and how rare each term is in them."""
    found = [vectorizer.fit(texts) for vectorizer in _vectorizers()]
    first, second = ([str(term) for term in vectorizer.get_feature_names_out()] for vectorizer in found)
    return Words((first, second), (found[0].idf_, found[1].idf_))


def _vectorizers() -> list[Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return [
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32),
    ]
