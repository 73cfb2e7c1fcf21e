"""How good a classifier is, each figure with the interval that resampling its rows gives, or Wilson's where none of
its rows is right or all are."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from engine.shared.wilson import wilson
from triage.calibrate import Floats, Labels, expected_calibration_error

Flags = npt.NDArray[np.bool_]

SAMPLES: Final = 400

MEANINGS: Final = {
    "accuracy": "share of test rows whose likeliest label is right",
    "macro_f1": "mean F1 over the labels, each counting the same",
    "ece_raw": "expected calibration error before calibration, 10 equal bins; 0 is best",
    "ece": "expected calibration error after calibration, 10 equal bins; 0 is best",
    "accuracy_at_80": "share right among the 80 % of the rows that are most confident",
    "accuracy_at_50": "share right among the 50 % of the rows that are most confident",
    "aurc": "area under the risk-coverage curve: mean error over all coverages; 0 is best",
    "oos_auroc": "chance that a row in scope scores higher than one out of scope",
    "oos_recall": "share of the out-of-scope rows that fall below the threshold",
    "in_scope_kept": "share of the rows in scope that do not fall below the threshold",
    "in_scope_accuracy_with_threshold": "share of the rows in scope that are kept and right: a refusal is wrong",
}
"""What each figure says, for those who read it without its documentation."""
INTERVALS: Final = (
    f"95 %: percentiles of {SAMPLES} bootstrap samples of the test rows; Wilson's where all or none are right"
)


class Figure(NamedTuple):
    """A measured value and its 95 % interval: bootstrap percentiles, or Wilson's (see `share`)."""

    value: float
    low: float
    high: float


def bootstrap(measure: Callable[[Labels], float], rows: int, *, seed: int, samples: int = SAMPLES) -> Figure:
    """`measure` of row numbers, over all rows and over samples of them drawn with replacement."""
    random = np.random.default_rng(seed)
    values = [measure(random.integers(0, rows, size=rows)) for _ in range(samples)]
    low, high = np.quantile(values, [0.025, 0.975])
    return Figure(measure(np.arange(rows)), float(low), float(high))


def share(measure: Callable[[Labels], float], rows: int, *, of: int, seed: int) -> Figure:
    """A share of `of` rows. If every sample agrees, because all are right or all wrong, percentiles would claim to be
    certain: the interval is Wilson's then."""
    figure = bootstrap(measure, rows, seed=seed)
    return Figure(figure.value, *wilson(round(figure.value * of), of)) if figure.low == figure.high else figure


def macro_f1(predicted: Labels, truth: Labels) -> float:
    """Mean F1 over the labels that are true or said at least once."""
    size = int(max(predicted.max(), truth.max())) + 1
    hits = np.bincount(truth[predicted == truth], minlength=size)
    total = np.bincount(predicted, minlength=size) + np.bincount(truth, minlength=size)
    return float((2 * hits[total > 0] / total[total > 0]).mean())


def accuracy_at(confidence: Floats, is_right: Flags, coverage: float) -> float:
    """Share right among the most confident `coverage` of the rows."""
    size = _covered_rows(len(confidence), coverage)
    return float(is_right[np.argsort(-confidence, kind="stable")[:size]].mean())


def _covered_rows(rows: int, coverage: float) -> int:
    return max(1, round(rows * coverage))


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


def in_scope_figures(
    confidence: Floats, raw: Floats, predicted: Labels, truth: Labels, *, seed: int
) -> dict[str, Figure]:
    """What is reported of texts that have a label; `raw` is the confidence before calibration."""
    is_right, rows = predicted == truth, len(truth)
    measures: dict[str, Callable[[Labels], float]] = {
        "macro_f1": lambda rows: macro_f1(predicted[rows], truth[rows]),
        "ece_raw": lambda rows: expected_calibration_error(raw[rows], is_right[rows]),
        "ece": lambda rows: expected_calibration_error(confidence[rows], is_right[rows]),
    }

    def right_at(coverage: float) -> Figure:
        return share(lambda rows: accuracy_at(confidence[rows], is_right[rows], coverage), rows,
                     of=_covered_rows(rows, coverage), seed=seed)  # fmt: skip

    return {
        "accuracy": share(lambda rows: float(is_right[rows].mean()), rows, of=rows, seed=seed),
        **{name: bootstrap(measure, rows, seed=seed) for name, measure in measures.items()},
        "accuracy_at_80": right_at(0.8),
        "accuracy_at_50": right_at(0.5),
        "aurc": bootstrap(lambda rows: aurc(confidence[rows], is_right[rows]), rows, seed=seed),
    }


def out_of_scope_figures(
    inside: Floats, is_right: Flags, outside: Floats, threshold: float, *, seed: int
) -> dict[str, Figure]:
    """AUROC, recall of what is out of scope, and what the threshold leaves, and leaves right, of what is in scope."""
    size, strange = len(inside), len(outside)

    def separation(rows: Labels) -> float:
        first, second = rows[rows < size], rows[rows >= size] - size
        return auroc(inside[first], outside[second]) if len(first) and len(second) else 0.5

    is_in_scope = inside >= threshold
    return {
        "oos_auroc": bootstrap(separation, size + strange, seed=seed),
        "oos_recall": share(lambda rows: float((outside[rows] < threshold).mean()), strange, of=strange, seed=seed),
        "in_scope_kept": share(lambda rows: float(is_in_scope[rows].mean()), size, of=size, seed=seed),
        "in_scope_accuracy_with_threshold": share(
            lambda rows: float((is_right & is_in_scope)[rows].mean()), size, of=size, seed=seed
        ),
    }
