"""15 right that only the old one got, 15 that only the new one got: no difference, but it could be worse."""

import numpy as np
import pytest

from tests.triage.feedback.test_champion import POLICY, flags
from triage.feedback.champion import compare


def test_as_often_right_but_perhaps_worse_stays_out() -> None:
    verdict = compare(np.array([True] * 15 + [False] * 15), np.array([False] * 15 + [True] * 15), POLICY, seed=1)
    assert verdict.difference == 0
    assert not verdict.takes_over
    assert "could be worse by" in verdict.why


@pytest.mark.parametrize(("tested", "takes_over"), [(29, False), (30, True), (31, True)])
def test_thirty_tickets_are_enough(tested: int, *, takes_over: bool) -> None:
    assert compare(flags(tested, 0), flags(tested, 0), POLICY, seed=1).takes_over is takes_over


@pytest.mark.parametrize(("right", "takes_over"), [(79, False), (80, True), (81, True)])
def test_right_at_least_as_often(right: int, *, takes_over: bool) -> None:
    assert compare(flags(80, 20), flags(right, 100 - right), POLICY, seed=1).takes_over is takes_over
