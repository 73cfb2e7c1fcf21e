import numpy as np
import pytest

from triage.learning.out_of_scope import LOST, find_scope, likeness_to, scope_score

RANDOM = np.random.default_rng(5)
CONFIDENCE, LIKENESS = RANDOM.uniform(0.3, 1, 2000), RANDOM.uniform(0.5, 1, 2000)
RIGHT = RANDOM.random(2000) < CONFIDENCE


def test_threshold_gives_up_one_right_answer_in_a_hundred() -> None:
    scope = find_scope(CONFIDENCE, LIKENESS, RIGHT)
    lost = scope_score(scope.score, CONFIDENCE, LIKENESS)[RIGHT] < scope.threshold
    assert scope.score == "both"
    assert lost.mean() == pytest.approx(LOST, abs=0.002)


def test_known_foreign_texts_choose_the_signal() -> None:
    sure_but_unlike = np.full(50, 0.99), np.full(50, 0.2)
    like_but_unsure = np.full(50, 0.1), np.full(50, 0.99)
    assert find_scope(CONFIDENCE, LIKENESS, RIGHT, sure_but_unlike).score == "likeness"
    assert find_scope(CONFIDENCE, LIKENESS, RIGHT, like_but_unsure).score == "confidence"


def test_likeness_is_the_cosine_to_the_nearest() -> None:
    known, asked = RANDOM.normal(size=(7, 4)).astype("f4"), RANDOM.normal(size=(2500, 4)).astype("f4")
    assert np.allclose(likeness_to(asked, known), (asked @ known.T).max(axis=1))
    assert len(likeness_to(asked[:0], known)) == 0


def test_no_right_answer_refuses_nothing() -> None:
    assert find_scope(CONFIDENCE, LIKENESS, np.zeros(2000, dtype=bool)).threshold == 0.0
