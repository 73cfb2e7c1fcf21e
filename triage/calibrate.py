"""How sure is sure: one temperature that makes stated confidence agree with how often the answer is right."""

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

PRIOR: Final = 200.0
"""How firmly the curve is held near the stated probability: some hundred rows say too little to bend it, thousands do.
Measured on samples of ten texts a label from the train split of Banking77."""


def softmax(logits: Floats) -> Floats:
    """Rows of probabilities."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def log_loss(logits: Floats, truth: Labels) -> float:
    """Mean negative log-likelihood of the true labels."""
    probabilities = softmax(logits)[np.arange(len(truth)), truth]
    return float(-np.log(np.maximum(probabilities, 1e-12)).mean())


def temperature(logits: Floats, truth: Labels) -> float:
    """What to divide logits by so that the log-loss is least (Guo et al. 2017), between 0.05 and 20.

    The logits have to come from models that have not seen the rows. The loss has one valley in log-temperature. Without
    rows it is 1.
    """
    from scipy.optimize import minimize_scalar  # slow to load; training loads it for scikit-learn anyway

    if len(truth) == 0:
        return 1.0
    bounds = np.log([0.05, 20.0])
    found = minimize_scalar(lambda x: log_loss(logits / np.exp(x), truth), bounds=bounds, options={"xatol": 1e-9})
    return float(np.exp(found.x))


def expected_calibration_error(confidence: Floats, is_right: npt.NDArray[np.bool_], *, bins: int = 10) -> float:
    """Mean gap between stated confidence and share right over equally wide bins, weighted by rows; 0 is perfect."""
    if len(confidence) == 0:
        return 0.0
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        (which == index).mean() * abs(confidence[which == index].mean() - is_right[which == index].mean())
        for index in np.unique(which)
    ]
    return float(sum(gaps))


class Platt(NamedTuple):
    """Confidence as a logistic curve over the log-odds of the likeliest label (Platt 1999)."""

    slope: float
    intercept: float

    def confidence(self, probability: Floats) -> Floats:
        """The chance that the likeliest label is right, given its probability."""
        return np.asarray(1 / (1 + np.exp(-(self.slope * log_odds(probability) + self.intercept))))


def log_odds(probability: Floats) -> Floats:
    """Bounded to ±13.8, so that certainty stays finite."""
    bounded = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded)))


def platt(probability: Floats, is_right: npt.NDArray[np.bool_]) -> Platt:
    """The curve of least log-loss, by Newton's method; where all or none were right it leaves the probability alone."""
    if is_right.all() or not is_right.any():
        return Platt(1.0, 0.0)
    rows = np.stack([log_odds(probability), np.ones(len(probability))], axis=1)
    untouched = np.array([1.0, 0.0])
    found = untouched
    for _ in range(50):
        stated = 1 / (1 + np.exp(-(rows @ found)))
        slope = rows.T @ (stated - is_right) + PRIOR * (found - untouched)
        bend = (rows * (stated * (1 - stated))[:, None]).T @ rows + PRIOR * np.eye(2)
        found = found - np.linalg.solve(bend, slope)
    return Platt(float(found[0]), float(found[1])) if found[0] > 0 else Platt(1.0, 0.0)
