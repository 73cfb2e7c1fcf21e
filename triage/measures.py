"""How good a classifier is, each figure with the interval that resampling its rows gives."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from triage.calibrate import Floats, Labels, expected_calibration_error

Flags = npt.NDArray[np.bool_]


class Figure(NamedTuple):
    """A measured value and its 95 % interval by bootstrap percentiles."""

    value: float
    low: float
    high: float


def bootstrap(measure: Callable[[Labels], float], rows: int, *, seed: int, samples: int = 400) -> Figure:
    """`measure` of row numbers, over all rows and over samples of them drawn with replacement."""
    random = np.random.default_rng(seed)
    values = [measure(random.integers(0, rows, size=rows)) for _ in range(samples)]
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(measure(np.arange(rows)), float(low), float(high))


def macro_f1(said: Labels, truth: Labels) -> float:
    """Mean F1 over the labels that are true or said at least once."""
    size = int(max(said.max(), truth.max())) + 1
    hits = np.bincount(truth[said == truth], minlength=size)
    total = np.bincount(said, minlength=size) + np.bincount(truth, minlength=size)
    return float((2 * hits[total > 0] / total[total > 0]).mean())


def accuracy_at(confidence: Floats, is_right: Flags, coverage: float) -> float:
    """Share right among the most confident `coverage` of the rows."""
    kept = max(1, round(len(confidence) * coverage))
    return float(is_right[np.argsort(-confidence, kind="stable")[:kept]].mean())


def aurc(confidence: Floats, is_right: Flags) -> float:
    """Area under the risk-coverage curve (Geifman and El-Yaniv 2017): mean error over all coverages; 0 is best."""
    wrong = ~is_right[np.argsort(-confidence, kind="stable")]
    return float((np.cumsum(wrong) / np.arange(1, len(wrong) + 1)).mean())


def auroc(inside: Floats, outside: Floats) -> float:
    """Chance that a text in scope scores higher than one out of scope; a tie counts half."""
    ordered = np.sort(inside)
    below = np.searchsorted(ordered, outside, "left")
    ties = np.searchsorted(ordered, outside, "right") - below
    return float(1 - (below + ties / 2).mean() / len(inside))


def in_scope_figures(confidence: Floats, raw: Floats, said: Labels, truth: Labels, *, seed: int) -> dict[str, Figure]:
    """What is reported of texts that have a label; `raw` is the confidence before calibration."""
    is_right = said == truth
    measures: dict[str, Callable[[Labels], float]] = {
        "accuracy": lambda rows: float(is_right[rows].mean()),
        "macro_f1": lambda rows: macro_f1(said[rows], truth[rows]),
        "ece_raw": lambda rows: expected_calibration_error(raw[rows], is_right[rows]),
        "ece": lambda rows: expected_calibration_error(confidence[rows], is_right[rows]),
        "accuracy_at_80": lambda rows: accuracy_at(confidence[rows], is_right[rows], 0.8),
        "accuracy_at_50": lambda rows: accuracy_at(confidence[rows], is_right[rows], 0.5),
        "aurc": lambda rows: aurc(confidence[rows], is_right[rows]),
    }
    return {name: bootstrap(measure, len(truth), seed=seed) for name, measure in measures.items()}


def out_of_scope_figures(
    inside: Floats, is_right: Flags, outside: Floats, threshold: float, *, seed: int
) -> dict[str, Figure]:
    """AUROC, recall of what is out of scope, and what the threshold leaves right of what is in scope."""
    size = len(inside)

    def separation(rows: Labels) -> float:
        first, second = rows[rows < size], rows[rows >= size] - size
        return auroc(inside[first], outside[second]) if len(first) and len(second) else 0.5

    kept = inside >= threshold
    return {
        "oos_auroc": bootstrap(separation, size + len(outside), seed=seed),
        "oos_recall": bootstrap(lambda rows: float((outside[rows] < threshold).mean()), len(outside), seed=seed),
        "in_scope_accuracy_with_threshold": bootstrap(
            lambda rows: float((is_right & kept)[rows].mean()), size, seed=seed
        ),
    }
