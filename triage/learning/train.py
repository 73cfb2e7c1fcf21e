"""Learning a classifier from labelled texts: which method is best is measured on texts it has not seen, not chosen."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np

from engine.shared.errors import BadInput
from triage.calibrate import Floats, Labels, Platt, expected_calibration_error, platt, softmax, temperature
from triage.learning.deferral import deferral_limit
from triage.learning.measures import Flags
from triage.learning.methods import METHODS, SEED, Linear, Method, Seen, fit_all
from triage.learning.out_of_scope import Scope, find_scope, likeness_to
from triage.learning.product_model import LabelledText, Vectors, one_thread
from triage.ports import Embedder

MANY_ROWS: Final = 3_000
"""Beyond it logistic regression is not tried: it takes minutes there and wins only where rows are few."""
MOST_BYTES: Final = 2**30
"""What judging the methods may hold in memory; 1,000 labels of 60 texts each need less."""


class Model(NamedTuple):
    """All that was learned, how well each method did on unseen rows, and what it was learned from; and the quick model
    that may decide first, if there is one."""

    labels: list[str]
    linear: Linear
    temperature: float
    platt: Platt
    scope: Scope
    texts: list[str]
    about: dict[str, Any]
    first: "First | None" = None

    @property
    def owners(self) -> Labels:
        """The label number of each of the texts."""
        return self.linear.owners

    @property
    def vectors(self) -> Vectors:
        """The meaning of each of the texts."""
        return self.linear.vectors

    @property
    def rows(self) -> list[LabelledText]:
        """The labelled texts it was learned from."""
        return [LabelledText(text, self.labels[owner]) for text, owner in zip(self.texts, self.owners, strict=True)]

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


class First(NamedTuple):
    """The same labels learned from the same texts by a quick embedder, and the confidence from which it decides."""

    model: Model
    limit: float


def train(
    rows: Sequence[LabelledText],
    embedder: Embedder,
    *,
    at: datetime,
    phrases: Mapping[str, Sequence[str]] | None = None,
    outside: Sequence[str] = (),
    methods: Sequence[Method] = METHODS,
    quick: Embedder | None = None,
) -> Model:
    """The best method by cross-validation, learned from all rows and from `phrases` that describe labels (without
    them, the words of the label). `outside` are texts known to be out of scope, for the threshold only.
    With a `quick` embedder the chosen method is learned for it, too, and how sure it has to be to decide first.
    Raises BadInput for fewer than two labels, a label with fewer than two texts, or more of both than memory holds."""
    rows = list(dict.fromkeys(rows))
    labels = _labels(rows)
    fair = [method for method in methods if method.learner == "svm" or len(rows) <= MANY_ROWS]
    _check_memory(len(fair), len(rows), len(labels))
    numbers = {label: number for number, label in enumerate(labels)}
    seen = _seen([(row.text, numbers[row.label]) for row in rows], embedder)
    named = [
        (phrase, at_) for at_, label in enumerate(labels) for phrase in (phrases or {}).get(label, (learn_name(label),))
    ]
    data = _Data(seen, _seen(named, embedder), len(labels))
    folds = _folds(seen.owners, 5 if len(rows) <= MANY_ROWS else 3)
    with one_thread():
        unseen = _out_of_fold(fair, data, folds)
        chosen = choose([logits.argmax(axis=1) == seen.owners for logits in unseen])
        linear = fit_all([fair[chosen]], data.rows, data.phrases, data.size)[0]
    model = Model(labels, linear, 1.0, Platt(1.0, 0.0), Scope("both", 0.0), seen.texts, {
        "method": fair[chosen].name,
        "cross_validated_accuracy": {
            method.name: round(float((logits.argmax(axis=1) == seen.owners).mean()), 4)
            for method, logits in zip(fair, unseen, strict=True)
        },
        "not_tried": [method.name for method in methods if method not in fair],
        "rows": len(rows),
        "data_sha256": hashlib.sha256(json.dumps(rows).encode()).hexdigest(),
        "embedder": embedder.name,
        "trained_at": at.isoformat(),
    })  # fmt: skip
    model = _calibrated(model, unseen[chosen].astype(np.float64), folds, outside, embedder)
    if quick is None:
        return model
    quick_data = _Data(_seen([(row.text, numbers[row.label]) for row in rows], quick), _seen(named, quick), len(labels))
    return _with_first(model, unseen[chosen], quick_data, folds, outside=outside, quick=quick)


def _with_first(
    model: Model,
    full: Vectors,
    data: "_Data",
    folds: Sequence[tuple[Labels, Labels]],
    *,
    outside: Sequence[str],
    quick: Embedder,
) -> Model:
    method = model.linear.method
    with one_thread():
        unseen = _out_of_fold([method], data, folds)[0].astype(np.float64)
        linear = fit_all([method], data.rows, data.phrases, data.size)[0]._replace(words=model.linear.words)
    about = model.about | {"embedder": quick.name}
    first = _calibrated(model._replace(linear=linear, about=about), unseen, folds, outside, quick)
    confidence = first.platt.confidence(softmax(unseen / first.temperature).max(axis=1))
    is_right = [logits.argmax(axis=1) == model.owners for logits in (unseen, full)]
    limit = deferral_limit(confidence, *is_right)
    if limit is None:
        return model
    decides = confidence >= limit
    found = {
        "embedder": quick.name,
        "limit": round(limit, 4),
        "decides": round(float(decides.mean()), 4),
        "cross_validated_accuracy": round(float(np.where(decides, *is_right).mean()), 4),
    }
    return model._replace(about=model.about | {"first": found}, first=First(first, limit))


def choose(is_right: Sequence[Flags]) -> int:
    """Which of several methods to use, by where each was right: the first that the best does not beat by more than
    one standard error of their difference (Breiman et al. 1984)."""
    best = max(is_right, key=lambda right: float(right.mean()))
    for number, right in enumerate(is_right):
        gains = best.astype(np.float64) - right
        if gains.mean() <= gains.std() / np.sqrt(len(gains)):
            return number
    raise AssertionError("the best does not beat itself")


class _Data(NamedTuple):
    rows: Seen
    phrases: Seen
    size: int


def _seen(rows: Sequence[tuple[str, int]], embedder: Embedder) -> Seen:
    texts = [text for text, _ in rows]
    return Seen(texts, embedder.embed(texts), np.array([owner for _, owner in rows], dtype=np.int64))


def _labels(rows: Sequence[LabelledText]) -> list[str]:
    counts = Counter(row.label for row in rows)
    if len(counts) < 2:
        raise BadInput(f"There is nothing to tell apart: the rows have {len(counts)} label; give two or more")
    if rare := [label for label, count in counts.items() if count < 2]:
        raise BadInput(f"Label {rare[0]!r} has one text; a label needs two different ones or more to learn and check")
    return sorted(counts)


def working_memory(methods: int, rows: int, labels: int) -> int:
    """Bytes of what each method says of each row about each label, which all are compared by."""
    return methods * rows * labels * np.dtype(np.float32).itemsize


def _check_memory(methods: int, rows: int, labels: int) -> None:
    if (needed := working_memory(methods, rows, labels)) > MOST_BYTES:
        raise BadInput(f"{labels:,} labels in {rows:,} texts are too many: comparing {methods} methods would take "
                       f"{needed / 2**30:.1f} GiB, more than {MOST_BYTES / 2**30:.1f}; "
                       "is the label column right? Else join rare labels")  # fmt: skip


def learn_name(label: str) -> str:
    """The label as people would say it."""
    return " ".join(label.replace("_", " ").replace("-", " ").split())


def _folds(truth: Labels, most: int) -> list[tuple[Labels, Labels]]:
    from sklearn.model_selection import StratifiedKFold

    count = max(2, min(most, int(np.bincount(truth).min())))
    return list(StratifiedKFold(count, shuffle=True, random_state=SEED).split(truth, truth))


def _out_of_fold(methods: Sequence[Method], data: _Data, folds: Sequence[tuple[Labels, Labels]]) -> list[Vectors]:
    """What each method says of every row when it has not seen that row."""
    texts, vectors, owners = data.rows
    logits = [np.zeros((len(texts), data.size), dtype=np.float32) for _ in methods]

    def hold_out(fold: tuple[Labels, Labels]) -> None:
        seen, held = fold
        rows = Seen([texts[row] for row in seen], vectors[seen], owners[seen])
        for at, linear in enumerate(fit_all(methods, rows, data.phrases, data.size)):
            logits[at][held] = linear.logits([texts[row] for row in held], vectors[held])

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(hold_out, folds))
    return logits


def _calibrated(
    model: Model,
    logits: Floats,
    folds: Sequence[tuple[Labels, Labels]],
    outside: Sequence[str],
    embedder: Embedder,
) -> Model:
    """With a temperature, a curve and a threshold that suit what was said of rows not seen."""
    heat = temperature(logits, model.owners)
    probabilities = softmax(logits / heat)
    is_right = probabilities.argmax(axis=1) == model.owners
    curve = platt(probabilities.max(axis=1), is_right)
    confidence = curve.confidence(probabilities.max(axis=1))
    likeness = np.zeros(len(model.texts))
    for seen, held in folds:
        likeness[held] = likeness_to(model.vectors[held], model.vectors[seen])
    error = round(expected_calibration_error(confidence, is_right), 4)
    about = model.about | {"folds": len(folds), "calibration_error_out_of_fold": error}
    model = model._replace(temperature=heat, platt=curve, about=about)
    return model._replace(scope=find_scope(confidence, likeness, is_right, _signals(model, outside, embedder)))


def _signals(model: Model, outside: Sequence[str], embedder: Embedder) -> tuple[Floats, Floats] | None:
    if not outside:
        return None
    vectors = embedder.embed(outside)
    return model.best(outside, vectors)[1], likeness_to(vectors, model.vectors)
