"""What triage has learned about products: weights over text embeddings, and the texts they came from."""

import hashlib
import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, NamedTuple
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from engine.shared.errors import BadInput
from engine.shared.whole_file import whole_file
from triage.calibrate import Floats, Labels, temperature
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

Vectors = npt.NDArray[np.float32]

METHOD: Final = "logistic-regression-and-nearest-2"
FOLDS: Final = 5
SEED: Final = 20
STRENGTH: Final = 10.0
"""Inverse regularisation of the logistic regression."""
NEARNESS: Final = 10.0
"""What a cosine of 1 to the nearest texts of a label adds to its logit."""


class LabelledText(NamedTuple):
    """A text a person has labelled."""

    text: str
    label: str


class ProductModel(NamedTuple):
    """A linear part and a nearness part: what phrases say outright counts even where the line is drawn elsewhere.

    `temperature` divides the sum of both.
    """

    labels: list[str]
    weights: Floats
    bias: Floats
    temperature: float
    texts: list[str]
    text_labels: list[str]
    vectors: Vectors

    def logits(self, vectors: Vectors) -> Floats:
        """Log-odds, calibrated: shape (len(vectors), len(labels))."""
        linear = vectors.astype(np.float64) @ self.weights + self.bias
        owners = np.array([self.labels.index(label) for label in self.text_labels])
        near = nearness(vectors, self.vectors, owners, len(self.labels))
        return np.asarray((linear + NEARNESS * near) / self.temperature)


def load_or_learn(
    taxonomy: Taxonomy, embedder: Embedder, *, rows: Sequence[LabelledText] = (), cache: Path | None = None
) -> ProductModel:
    """The model for exactly this taxonomy, embedder and rows: read from `cache` if it is there, else learned and kept.

    A cache file that can't be read is learned again and replaced.
    """
    file = cache / f"product-{fingerprint(taxonomy, embedder, rows)[:24]}.npz" if cache else None
    if file is not None and (stored_model := _read(file)) is not None:
        return stored_model
    model = learn(taxonomy, embedder, rows)
    if file is not None:
        _write(file, model)
    return model


def fingerprint(taxonomy: Taxonomy, embedder: Embedder, rows: Sequence[LabelledText]) -> str:
    """SHA-256 of all that the model depends on."""
    parts = [
        METHOD,
        STRENGTH,
        NEARNESS,
        SEED,
        taxonomy.digest,
        embedder.name,
        embedder.dimension,
        list(map(list, rows)),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def learn(taxonomy: Taxonomy, embedder: Embedder, rows: Sequence[LabelledText] = ()) -> ProductModel:
    """Logistic regression on embeddings of phrases, examples and rows, and nearness to them.

    The temperature of the sum is fitted out of fold on the examples and rows, which read like tickets. Raises BadInput
    for a row whose label is not in the taxonomy.
    """
    labels = list(taxonomy.product.labels)
    texts = [(p, label, False) for label, content in taxonomy.product.labels.items() for p in content.phrases]
    texts += [(e, label, True) for label, content in taxonomy.product.labels.items() for e in content.examples]
    for number, row in enumerate(rows, start=1):
        if row.label not in taxonomy.product.labels:
            raise BadInput(f"Labelled row {number} says {row.label!r}; the taxonomy has {', '.join(labels)}")
        texts.append((row.text, row.label, True))
    vectors = embedder.embed([text for text, _, _ in texts])
    truth = np.array([labels.index(label) for _, label, _ in texts], dtype=np.int64)
    reads_like_ticket = np.array([is_ticket for _, _, is_ticket in texts])
    with one_thread():
        unseen = _out_of_fold(vectors, truth, len(labels))
        weights, bias = _fit(vectors, truth, len(labels))
    heat = temperature(unseen[reads_like_ticket], truth[reads_like_ticket])
    return ProductModel(
        labels, weights, bias, heat, [text for text, _, _ in texts], [label for _, label, _ in texts], vectors
    )


def one_thread() -> AbstractContextManager[Any]:
    """Linear algebra of this process on one thread a caller: many small problems are solved several times sooner than
    by threads that wait for each other, and always alike."""
    from threadpoolctl import threadpool_limits

    limited: AbstractContextManager[Any] = threadpool_limits(1, user_api="blas")
    return limited


def nearness(vectors: Vectors, known: Vectors, owners: Labels, size: int) -> Floats:
    """Mean cosine of each vector to the two nearest known texts of each label, which has one at least."""
    by_owner = np.argsort(owners, kind="stable")
    cosines = known[by_owner] @ vectors.T
    ends = np.searchsorted(owners[by_owner], np.arange(size + 1))
    columns, each = np.empty((len(vectors), size)), np.arange(len(vectors))
    for label in range(size):
        among = cosines[ends[label] : ends[label + 1]]
        row = among.argmax(axis=0)
        nearest = among[row, each].astype(np.float64)
        among[row, each] = -2.0
        columns[:, label] = (nearest + among.max(axis=0)) / 2 if len(among) > 1 else nearest
    return columns


def _out_of_fold(vectors: Vectors, truth: Labels, size: int) -> Floats:
    from sklearn.model_selection import StratifiedKFold

    logits = np.zeros((len(truth), size))
    for seen, unseen in StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(vectors, truth):
        weights, bias = _fit(vectors[seen], truth[seen], size)
        linear = vectors[unseen].astype(np.float64) @ weights + bias
        logits[unseen] = linear + NEARNESS * nearness(vectors[unseen], vectors[seen], truth[seen], size)
    return logits


def _fit(vectors: Vectors, truth: Labels, size: int) -> tuple[Floats, Floats]:
    from sklearn.linear_model import LogisticRegression

    fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000)
    fitted.fit(vectors.astype(np.float64), truth)
    return linear_parts(fitted.coef_, fitted.intercept_, size)


def linear_parts(weights: Floats, bias: Floats, size: int) -> tuple[Floats, Floats]:
    """Weights with a column and a bias a label, also where the vendor keeps one for two labels."""
    if size == 2:
        half = weights.T / 2
        return np.hstack([-half, half]), np.concatenate([-bias / 2, bias / 2])
    return np.asarray(weights.T), np.asarray(bias)


def _write(file: Path, model: ProductModel) -> None:
    with whole_file(file) as unfinished, unfinished.open("wb") as stream:
        np.savez(stream, allow_pickle=False, **{name: np.asarray(value) for name, value in model._asdict().items()})


def _read(file: Path) -> ProductModel | None:
    try:
        with np.load(file, allow_pickle=False) as archive:
            return ProductModel(
                archive["labels"].tolist(),
                archive["weights"],
                archive["bias"],
                float(archive["temperature"]),
                archive["texts"].tolist(),
                archive["text_labels"].tolist(),
                archive["vectors"],
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return None
