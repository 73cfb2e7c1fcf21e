"""Learning a classifier from labelled texts: which method is best is measured on texts it has not seen, not chosen."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from engine.errors import BadInput, NotFound
from triage.calibrate import Floats, Labels, Platt, expected_calibration_error, platt, softmax, temperature
from triage.out_of_scope import Scope, find_scope, likeness_to
from triage.ports import Embedder
from triage.product_model import LabelledText, Vectors, linear_parts

SEED: Final = 20
MANY_ROWS: Final = 3_000
"""Beyond it logistic regression is not tried: it takes minutes there and wins only where rows are few."""


MARGIN_STRENGTH, MARGIN_SHARE = 0.5, 0.5


class Method(NamedTuple):
    """What is read (words and word parts, meaning with a weight, or both) and how it is learned."""

    name: str
    learner: str
    strength: float
    meaning: float
    reads_words: bool


METHODS: Final = (
    Method("logistic regression on meaning, C=10", "logistic", 10.0, 1.0, False),
    Method("logistic regression on meaning, C=30", "logistic", 30.0, 1.0, False),
    Method("logistic regression and support vectors together", "both", 30.0, 2.0, True),
    Method("support vectors on words and meaning", "svm", 0.5, 2.0, True),
    Method("support vectors on words", "svm", 0.5, 0.0, True),
)


class Words(NamedTuple):
    """TF-IDF of words and word pairs, and of character runs: two vocabularies with their weights."""

    vocabularies: tuple[list[str], list[str]]
    weights: tuple[Floats, Floats]

    def matrix(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, a row a text; the first columns are those of the words."""
        from scipy import sparse

        parts = []
        for vectorizer, terms, weights in zip(_vectorizers(), self.vocabularies, self.weights, strict=True):
            vectorizer.set_params(vocabulary={term: at for at, term in enumerate(terms)})
            vectorizer.idf_ = weights
            parts.append(vectorizer.transform(texts))
        return sparse.hstack(parts).tocsr()


class Linear(NamedTuple):
    """A learned linear model over the features of its method."""

    method: Method
    words: Words | None
    weights: Vectors
    bias: Vectors

    def logits(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """Shape (len(texts), labels), not calibrated."""
        found = _features(self.method, self.words, texts, vectors) @ self.weights
        return np.asarray(found, dtype=np.float64) + self.bias


class Model(NamedTuple):
    """All that was learned, how well each method did on unseen rows, and what it was learned from."""

    labels: list[str]
    linear: Linear
    temperature: float
    platt: Platt
    scope: Scope
    texts: list[str]
    owners: Labels
    vectors: Vectors
    about: dict[str, Any]

    def probabilities(self, texts: Sequence[str], vectors: Vectors) -> Floats:
        """By label; the greatest of a row is the calibrated confidence, the others keep their proportions."""
        found = softmax(self.linear.logits(texts, vectors) / self.temperature)
        best, top = found.argmax(axis=1), found.max(axis=1)
        sure = self.platt.confidence(top)
        found *= ((1 - sure) / np.maximum(1 - top, 1e-12))[:, None]
        found[np.arange(len(best)), best] = sure
        return found

    def best(self, texts: Sequence[str], vectors: Vectors) -> tuple[Labels, Floats]:
        """The label number of each text and the calibrated confidence in it."""
        found = softmax(self.linear.logits(texts, vectors) / self.temperature)
        return found.argmax(axis=1), self.platt.confidence(found.max(axis=1))


def train(
    rows: Sequence[LabelledText],
    embedder: Embedder,
    *,
    at: datetime,
    phrases: Mapping[str, Sequence[str]] | None = None,
    outside: Sequence[str] = (),
    methods: Sequence[Method] = METHODS,
) -> Model:
    """The best method by cross-validation, learned from all rows and from `phrases` that describe labels (without
    them, the words of the label). `outside` are texts known to be out of scope, for the threshold only.
    Raises BadInput for fewer than two labels, or a label with fewer than two texts."""
    rows = list(dict.fromkeys(rows))
    labels = _labels(rows)
    texts, truth = [row.text for row in rows], np.array([labels.index(row.label) for row in rows], dtype=np.int64)
    told = [
        (said, at_) for at_, label in enumerate(labels) for said in (phrases or {}).get(label, (learn_name(label),))
    ]
    data = _Data(
        texts, embedder.embed(texts), truth, [t for t, _ in told], embedder.embed([t for t, _ in told]),
        np.array([owner for _, owner in told], dtype=np.int64), len(labels),
    )  # fmt: skip
    fair = [method for method in methods if method.learner == "svm" or len(rows) <= MANY_ROWS]
    folds = _folds(truth)
    unseen = {method: _out_of_fold(method, data, folds) for method in fair}
    accuracy = {method: float((logits.argmax(axis=1) == truth).mean()) for method, logits in unseen.items()}
    chosen = max(fair, key=lambda method: accuracy[method])
    heat = temperature(unseen[chosen], truth)
    probabilities = softmax(unseen[chosen] / heat)
    is_right = probabilities.argmax(axis=1) == truth
    curve = platt(probabilities.max(axis=1), is_right)
    confidence = curve.confidence(probabilities.max(axis=1))
    linear = _fit(chosen, data, np.arange(len(texts)))
    about = {
        "method": chosen.name,
        "cross_validated_accuracy": {method.name: round(accuracy[method], 4) for method in fair},
        "not_tried": [method.name for method in methods if method not in fair],
        "calibration_error_out_of_fold": round(expected_calibration_error(confidence, is_right), 4),
        "folds": len(folds),
        "rows": len(rows),
        "data_sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
        "embedder": embedder.name,
        "trained_at": at.isoformat(),
    }
    model = Model(labels, linear, heat, curve, Scope("both", 0.0), texts, truth, data.vectors, about)
    likeness = np.zeros(len(texts))
    for seen, held in folds:
        likeness[held] = likeness_to(data.vectors[held], data.vectors[seen])
    return model._replace(scope=find_scope(confidence, likeness, is_right, _signals(model, outside, embedder)))


def read_labelled(file: Path, *, text: str, label: str | None) -> tuple[list[LabelledText], int]:
    """Rows of a .csv, .parquet or .jsonl with a text (and a label, unless None), and how many lacked one."""
    import polars as pl

    if not file.is_file():
        raise NotFound(f"There is no file {file}")
    readers = {".csv": lambda: pl.read_csv(file, infer_schema=False), ".parquet": lambda: pl.read_parquet(file),
               ".jsonl": lambda: pl.read_ndjson(file)}  # fmt: skip
    if file.suffix not in readers:
        raise BadInput(f"{file.name} is no {', '.join(readers)}: save the labelled texts as one of them")
    try:
        frame = readers[file.suffix]()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadInput(f"{file.name} can't be read: {' '.join(str(error).split())[:200]}") from error
    wanted = [text] if label is None else [text, label]
    for column in wanted:
        if column not in frame.columns:
            raise BadInput(f"{file.name} has no column {column!r}; it has {', '.join(frame.columns)}")
    found = frame.select(pl.col(name).cast(pl.String).str.strip_chars() for name in dict.fromkeys(wanted))
    rows = [LabelledText(said, "" if label is None else owner) for said, owner in found.select(
        pl.col(text).alias("said"), pl.col(wanted[-1]).alias("owner")).iter_rows() if said and owner]  # fmt: skip
    if not rows:
        raise BadInput(f"{file.name} holds no row with {' and '.join(wanted)}")
    return rows, frame.height - len(rows)


class _Data(NamedTuple):
    texts: list[str]
    vectors: Vectors
    truth: Labels
    phrases: list[str]
    phrase_vectors: Vectors
    phrase_owners: Labels
    size: int


def _labels(rows: Sequence[LabelledText]) -> list[str]:
    counts = Counter(row.label for row in rows)
    if len(counts) < 2:
        raise BadInput(f"There is nothing to tell apart: the rows have {len(counts)} label; give two or more")
    if rare := [label for label, count in counts.items() if count < 2]:
        raise BadInput(f"Label {rare[0]!r} has one text; a label needs two different ones or more to learn and check")
    return sorted(counts)


def learn_name(label: str) -> str:
    """The label as people would say it."""
    return " ".join(label.replace("_", " ").replace("-", " ").split())


def _folds(truth: Labels) -> list[tuple[Labels, Labels]]:
    from sklearn.model_selection import StratifiedKFold

    most = 5 if len(truth) <= MANY_ROWS else 3
    count = max(2, min(most, int(np.bincount(truth).min())))
    return list(StratifiedKFold(count, shuffle=True, random_state=SEED).split(truth, truth))


def _out_of_fold(method: Method, data: _Data, folds: Sequence[tuple[Labels, Labels]]) -> Floats:
    logits = np.zeros((len(data.texts), data.size))

    def hold_out(fold: tuple[Labels, Labels]) -> None:
        seen, held = fold
        linear = _fit(method, data, seen)
        logits[held] = linear.logits([data.texts[row] for row in held], data.vectors[held])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hold_out, folds))
    return logits


def _fit(method: Method, data: _Data, rows: Labels) -> Linear:
    texts = [data.texts[row] for row in rows] + data.phrases
    vectors = np.vstack([data.vectors[rows], data.phrase_vectors])
    truth = np.concatenate([data.truth[rows], data.phrase_owners])
    words = _learn_words(texts) if method.reads_words else None
    features = _features(method, words, texts, vectors)
    match method.learner:
        case "logistic":
            weights, bias = _logistic(vectors * np.float32(method.meaning), truth, method.strength, data.size)
        case "svm":
            weights, bias = _margins(features, truth, method.strength, data.size)
        case _:
            weights, bias = _together(method, features, vectors, truth, data.size)
    return Linear(method, words, weights.astype(np.float32), bias.astype(np.float32))


def _logistic(features: Any, truth: Labels, strength: float, size: int) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=strength, max_iter=300, tol=1e-3).fit(features, truth)
    return linear_parts(fitted.coef_, fitted.intercept_, size)


def _margins(features: Any, truth: Labels, strength: float, size: int) -> tuple[Floats, Floats]:
    from sklearn.svm import LinearSVC

    fitted = LinearSVC(C=strength, tol=1e-2, random_state=SEED).fit(features, truth)
    return linear_parts(fitted.coef_, fitted.intercept_, size)


def _together(method: Method, features: Any, vectors: Vectors, truth: Labels, size: int) -> tuple[Floats, Floats]:
    """Both linear, so their sum is one linear model: logits of equal spread on the rows, margins at half weight."""
    log_weights, log_bias = _logistic(vectors, truth, method.strength, size)
    weights, bias = _margins(features, truth, MARGIN_STRENGTH, size)
    ratio = MARGIN_SHARE * np.std(vectors @ log_weights) / np.std(features @ weights)
    weights, bias = weights * ratio, bias * ratio + log_bias
    weights[-vectors.shape[1] :] += log_weights / method.meaning
    return weights, bias


def _features(method: Method, words: Words | None, texts: Sequence[str], vectors: Vectors) -> Any:
    from scipy import sparse

    if words is None:
        return vectors * np.float32(method.meaning)
    matrix = words.matrix(texts)
    if not method.meaning:
        return matrix
    return sparse.hstack([matrix, sparse.csr_matrix(vectors * np.float32(method.meaning))]).tocsr()


def _learn_words(texts: Sequence[str]) -> Words:
    found = [vectorizer.fit(texts) for vectorizer in _vectorizers()]
    first, second = ([str(term) for term in vectorizer.get_feature_names_out()] for vectorizer in found)
    return Words((first, second), (found[0].idf_, found[1].idf_))


def _vectorizers() -> list[Any]:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return [
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, dtype=np.float32, token_pattern=r"(?u)\b\w+\b"),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32),
    ]


def _signals(model: Model, outside: Sequence[str], embedder: Embedder) -> tuple[Floats, Floats] | None:
    if not outside:
        return None
    vectors = embedder.embed(outside)
    return model.best(outside, vectors)[1], likeness_to(vectors, model.vectors)
