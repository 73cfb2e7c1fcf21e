"""What is given up first, and how much of it, so that the rest errs no more than it may."""

import pytest

from triage.llm.risk_coverage import give_up, risk_coverage


def test_the_curve_of_risk_and_coverage_by_hand() -> None:
    assert [tuple(point) for point in risk_coverage([0.2, 0.5, 0.9])] == [
        (0, 1.0, pytest.approx(1.4 / 3)),
        (1, pytest.approx(2 / 3), pytest.approx(0.3)),
        (2, pytest.approx(1 / 3), pytest.approx(0.1)),
        (3, 0.0, 0.0),
    ]


@pytest.mark.parametrize(
    ("target_error", "max_share", "given_up"),
    [(0.5, 1.0, 0), (0.3, 1.0, 1), (0.11, 1.0, 2), (0.0, 1.0, 3), (0.0, 0.5, 1), (0.11, 0.0, 0)],
)
def test_no_more_is_given_up_than_the_target_needs(target_error: float, max_share: float, given_up: int) -> None:
    assert give_up([0.2, 0.5, 0.9], target_error=target_error, max_share=max_share) == given_up
