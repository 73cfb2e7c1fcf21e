"""The measures of a ranking are those of trec_eval, and meet scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from triage.knowledge.retrieval_measures import figures, ndcg, recall, reciprocal_rank, with_answers


@given(st.lists(st.integers(0, 3), min_size=2, max_size=30).filter(any), st.randoms(use_true_random=False))
def test_ndcg_meets_scikit_learn(grades: list[int], random: object) -> None:
    judged = {f"d{place}": grade for place, grade in enumerate(grades)}
    scores = np.arange(len(grades), 0, -1, dtype=float)[None, :]
    assert ndcg(list(judged), judged) == pytest.approx(ndcg_score(np.array([grades]), scores, k=10))


def test_a_worked_ranking() -> None:
    grades = {"a": 2, "b": 1, "c": 0}
    assert ndcg(["x", "a", "c"], grades) == pytest.approx((2 / np.log2(3)) / (2 + 1 / np.log2(3)))
    assert reciprocal_rank(["x", "c", "b"], grades) == pytest.approx(1 / 3)
    assert recall(["x", "a", "y", "z", "w", "b"], grades) == 0.5


def test_nothing_found_counts_nothing() -> None:
    assert figures({}, {"q": {"a": 1}}) == (0, 0, 0)


def test_queries_without_an_answer_are_left_out() -> None:
    judged = {"q": {"a": 1}, "empty": {"a": 0, "b": -1}}
    assert list(with_answers(judged)) == ["q"]
    assert figures({"q": ["a"], "empty": ["a"]}, judged) == (1, 1, 1)
