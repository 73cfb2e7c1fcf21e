"""Is this one of our subjects at all: scores that fall for a foreign text, and the threshold that costs little."""

from typing import Final, NamedTuple

import numpy as np

from triage.calibrate import Floats
from triage.learning.measures import Flags
from triage.learning.product_model import Vectors

SCORES: Final = ("confidence", "likeness", "both")
LOST: Final = 0.01
"""The share of right answers in scope that the threshold may give up."""
CHUNK: Final = 1000


class Scope(NamedTuple):
    """Which score is used and the value under which a text counts as out of scope."""

    score: str
    threshold: float


def scope_score(name: str, confidence: Floats, likeness: Floats) -> Floats:
    """`likeness` is the cosine to the nearest labelled text, `both` the product of it and the confidence."""
    match name:
        case "confidence":
            return confidence
        case "likeness":
            return likeness
        case _:
            return np.asarray(confidence * np.maximum(likeness, 0.0))


def find_scope(
    confidence: Floats, likeness: Floats, is_right: Flags, outside: tuple[Floats, Floats] | None = None
) -> Scope:
    """From scores of texts the model has not seen. `outside` is confidence and likeness of texts known to be out of
    scope: then the score that recalls most of them is used, else both signals together."""
    found = {name: _threshold(scope_score(name, confidence, likeness), is_right) for name in SCORES}
    if outside is None:
        return Scope("both", found["both"])

    def recall(name: str) -> float:
        return float((scope_score(name, *outside) < found[name]).mean())

    best = max(SCORES, key=recall)
    return Scope(best, found[best])


def likeness_to(vectors: Vectors, known: Vectors) -> Floats:
    """Cosine of each unit vector to the nearest of the known ones."""
    parts = [(vectors[at : at + CHUNK] @ known.T).max(axis=1) for at in range(0, len(vectors), CHUNK)]
    return np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)


def _threshold(score: Floats, is_right: Flags) -> float:
    return float(np.quantile(score[is_right], LOST)) if is_right.any() else 0.0
