import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import f1_score, roc_auc_score

from engine.shared.wilson import wilson
from triage.learning.measures import (
    accuracy_at,
    aurc,
    auroc,
    bootstrap,
    in_scope_figures,
    macro_f1,
    out_of_scope_figures,
    share,
)

RANDOM = np.random.default_rng(3)
SAID, TRUTH = RANDOM.integers(0, 5, 300), RANDOM.integers(0, 4, 300)


def test_macro_f1_agrees_with_scikit_learn() -> None:
    assert macro_f1(SAID, TRUTH) == pytest.approx(f1_score(TRUTH, SAID, average="macro"))


def test_auroc_agrees_with_scikit_learn_on_ties() -> None:
    inside, outside = RANDOM.integers(2, 9, 80).astype(float), RANDOM.integers(0, 6, 40).astype(float)
    truth = np.r_[np.ones(80), np.zeros(40)]
    assert auroc(inside, outside) == pytest.approx(roc_auc_score(truth, np.r_[inside, outside]))


def test_coverage_keeps_the_most_confident() -> None:
    confidence, is_right = np.array([0.9, 0.2, 0.8, 0.4]), np.array([True, False, True, False])
    assert accuracy_at(confidence, is_right, 0.5) == 1.0
    assert accuracy_at(confidence, is_right, 1.0) == 0.5


def test_aurc_is_the_mean_error_over_coverages() -> None:
    confidence, is_right = np.array([0.9, 0.8, 0.7]), np.array([True, False, True])
    assert aurc(confidence, is_right) == pytest.approx((0 + 1 / 2 + 1 / 3) / 3)


def test_interval_holds_the_value_and_repeats() -> None:
    is_right = RANDOM.random(400) < 0.8
    figure = bootstrap(lambda rows: float(is_right[rows].mean()), 400, seed=1)
    assert figure == bootstrap(lambda rows: float(is_right[rows].mean()), 400, seed=1)
    assert figure.low < figure.value < figure.high
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 400), rel=0.25)


def test_every_in_scope_figure_has_an_interval() -> None:
    confidence = RANDOM.random(300)
    figures = in_scope_figures(confidence, confidence, SAID, TRUTH, seed=1)
    assert figures["accuracy"].value == pytest.approx((SAID == TRUTH).mean())
    assert all(figure.low <= figure.high for figure in figures.values())


def test_refused_right_answer_counts_as_wrong() -> None:
    inside, outside = np.array([0.9, 0.8, 0.1]), np.array([0.2, 0.95])
    found = out_of_scope_figures(inside, np.array([True, False, True]), outside, 0.5, seed=1)
    assert found["in_scope_accuracy_with_threshold"].value == pytest.approx(1 / 3)
    assert found["oos_recall"].value == 0.5


@pytest.mark.parametrize(("hits", "of"), [(0, 1), (1, 1), (0, 30), (30, 30), (17, 30)])
def test_wilson_agrees_with_scipy(hits: int, of: int) -> None:
    expected = binomtest(hits, of).proportion_ci(method="wilson")
    assert wilson(hits, of) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_of_all_or_none_is_not_certain() -> None:
    confidence, truth = RANDOM.random(30), np.arange(30) % 3
    right = in_scope_figures(confidence, confidence, truth, truth, seed=1)
    assert right["accuracy"] == (1.0, *wilson(30, 30))
    assert right["accuracy_at_50"] == (1.0, *wilson(15, 15))
    wrong = in_scope_figures(confidence, confidence, truth + 1, truth, seed=1)
    assert wrong["accuracy"] == (0.0, *wilson(0, 30))
    strange = out_of_scope_figures(confidence + 1, truth < 3, np.zeros(20), 0.5, seed=1)
    assert strange["oos_recall"] == (1.0, *wilson(20, 20))


def test_any_other_share_keeps_its_bootstrap() -> None:
    is_right = RANDOM.random(400) < 0.8

    def measure(rows: np.ndarray) -> float:
        return float(is_right[rows].mean())

    assert share(measure, 400, of=400, seed=1) == bootstrap(measure, 400, seed=1)
