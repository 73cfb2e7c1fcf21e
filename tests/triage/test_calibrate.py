import numpy as np
import pytest

from triage.calibrate import Platt, expected_calibration_error, log_loss, platt, softmax, temperature


@pytest.mark.parametrize("heat", [0.4, 1.0, 3.0])
def test_temperature_undoes_overconfidence(heat: float) -> None:
    random = np.random.default_rng(7)
    logits = random.normal(size=(4000, 5)) * 2
    truth = np.array([random.choice(5, p=row) for row in softmax(logits)])
    assert temperature(logits * heat, truth) == pytest.approx(heat, rel=0.1)


def test_temperature_is_the_least_loss() -> None:
    random = np.random.default_rng(8)
    logits, truth = random.normal(size=(300, 3)) * 5, random.integers(0, 3, size=300)
    best = temperature(logits, truth)
    losses = [log_loss(logits / heat, truth) for heat in np.geomspace(0.05, 20, 200)]
    assert log_loss(logits / best, truth) <= min(losses) + 1e-6


def test_no_rows_leave_confidence_alone() -> None:
    assert temperature(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)) == 1.0


def test_calibration_error_is_the_mean_gap() -> None:
    confidence = np.array([0.9, 0.9, 0.9, 0.9, 0.6, 0.6])
    is_right = np.array([True, True, True, False, True, False])
    assert expected_calibration_error(confidence, is_right) == pytest.approx((4 * 0.15 + 2 * 0.1) / 6)


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.5, 0.3), (2.0, -1.0)])
def test_platt_finds_the_curve(slope: float, intercept: float) -> None:
    random = np.random.default_rng(9)
    probability = random.uniform(0.05, 0.99, 20_000)
    is_right = random.random(20_000) < Platt(slope, intercept).confidence(probability)
    found = platt(probability, is_right)
    assert found == pytest.approx((slope, intercept), abs=0.2)
    assert expected_calibration_error(found.confidence(probability), is_right) < 0.02


def test_few_rows_hardly_bend_the_curve() -> None:
    random = np.random.default_rng(11)
    probability = random.uniform(0.05, 0.99, 100)
    is_right = random.random(100) < Platt(2.0, -1.0).confidence(probability)
    assert platt(probability, is_right) == pytest.approx((1.0, 0.0), abs=0.35)


def test_platt_leaves_alone_what_it_can_not_judge() -> None:
    probability = np.array([0.2, 0.9])
    assert np.allclose(platt(probability, np.array([True, True])).confidence(probability), probability)
