"""The ways to learn labels from texts: lines drawn through words and meaning, and nearness to what was labelled."""

from collections.abc import Sequence
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np

from triage.calibrate import Floats, Labels
from triage.learning.product_model import Vectors, linear_parts, nearness
from triage.learning.words import Words, learn_words

SEED: Final = 20
CHUNK: Final = 1000


class Method(NamedTuple):
    """What is read (words and word parts, meaning with a weight, or both) and how it is learned.

    `strength` is the inverse regularisation. `nearness` is what a cosine of 1 to the nearest labelled texts adds to
    the logit of their label.
    """

    name: str
    learner: str
    strength: float
    meaning: float
    reads_words: bool
    nearness: float


METHODS: Final = (
    Method("logistic regression on words and meaning, and the nearest texts", "logistic", 1.0, 3.16, True, 5.0),
    Method("logistic regression on meaning, and the nearest texts", "logistic", 10.0, 1.0, False, 5.0),
    Method("support vectors on words and meaning", "svm", 0.5, 2.0, True, 0.0),
    Method("support vectors on words and meaning, and the nearest texts", "svm", 0.5, 2.0, True, 4.0),
    Method("support vectors on words", "svm", 0.5, 0.0, True, 0.0),
)
"""Between equals the earlier is preferred."""


class Seen(NamedTuple):
    """Texts to learn from, with the vectors of their meaning and the number of the label each belongs to."""

    texts: list[str]
    vectors: Vectors
    owners: Labels


class Linear(NamedTuple):
    """A learned linear model over the features of its method, and the labelled texts that nearness is measured to."""

    method: Method
    words: Words | None
    weights: Vectors
    bias: Vectors
    vectors: Vectors
    owners: Labels

    def logits(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Shape (len(texts), labels), not calibrated."""
        parts = [self._part(texts[at : at + CHUNK], vectors[at : at + CHUNK]) for at in range(0, len(texts), CHUNK)]
        return np.vstack(parts) if parts else np.zeros((0, len(self.bias)))

    def _part(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        matrix = self.words.matrix(texts) if self.words else None
        found = np.asarray(_features(self.method, matrix, vectors) @ self.weights, dtype=np.float64) + self.bias
        if self.method.nearness:
            found += self.method.nearness * nearness(vectors, self.vectors, self.owners, len(self.bias))
        return found


def fit_all(methods: Sequence[Method], rows: Seen, phrases: Seen, size: int) -> list[Linear]:
    """Each method learned from the rows and from phrases that describe the labels. Words are counted once for all,
    and methods that differ by nearness only share one line."""
    texts, vectors = rows.texts + phrases.texts, np.vstack([rows.vectors, phrases.vectors])
    owners = np.concatenate([rows.owners, phrases.owners])
    words = learn_words(texts) if any(method.reads_words for method in methods) else None
    matrix = words.matrix(texts) if words else None
    found: list[Linear] = []
    lines: dict[Method, tuple[Vectors, Vectors]] = {}
    for method in methods:
        line = method._replace(name="", nearness=0.0)
        if line not in lines:
            weights, bias = _LEARNERS[method.learner](method, matrix, vectors, owners, size)
            lines[line] = np.asarray(weights, dtype=np.float32), np.asarray(bias, dtype=np.float32)
        read = words if method.reads_words else None
        found.append(Linear(method, read, *lines[line], rows.vectors, rows.owners))
    return found


def _features(method: Method, matrix: Any, vectors: Vectors) -> Any:
    from scipy import sparse

    if not method.reads_words:
        return vectors * np.float32(method.meaning)
    if not method.meaning:
        return matrix
    return sparse.hstack([matrix, sparse.csr_matrix(vectors * np.float32(method.meaning))]).tocsr()


def _logistic(method: Method, matrix: Any, vectors: Vectors, truth: Labels, size: int) -> tuple[Floats, Floats]:
    """On the few directions that the rows span: the same solution, as the penalty is the length of the weights."""
    from sklearn.linear_model import LogisticRegression

    products = method.meaning**2 * (vectors @ vectors.T).astype(np.float64)
    if method.reads_words:
        products += (matrix @ matrix.T).toarray()
    values, directions = np.linalg.eigh(products)
    components = values > 1e-6 * values[-1]
    lengths = np.sqrt(values[components])
    rows = (directions[:, components] * lengths).astype(np.float32)
    fitted = LogisticRegression(C=method.strength, max_iter=300, tol=1e-3).fit(rows, truth)
    weights, bias = linear_parts(fitted.coef_, fitted.intercept_, size)
    return _features(method, matrix, vectors).T @ ((directions[:, components] / lengths) @ weights), bias


_chance = Lock()
"""liblinear draws from one stream of chance a process: two learning at once would draw each other's numbers."""


def _margins(method: Method, matrix: Any, vectors: Vectors, truth: Labels, size: int) -> tuple[Floats, Floats]:
    from sklearn.svm import LinearSVC

    features = _features(method, matrix, vectors)
    with _chance:
        fitted = LinearSVC(C=method.strength, tol=1e-2, random_state=SEED).fit(features, truth)
    return linear_parts(fitted.coef_, fitted.intercept_, size)


_LEARNERS: Final = {"logistic": _logistic, "svm": _margins}
