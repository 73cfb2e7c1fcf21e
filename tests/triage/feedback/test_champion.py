"""The challenger takes over only if it is not worse, on tickets that neither has seen."""

from datetime import timedelta

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.triage.conftest import DATA, MONDAY
from triage.feedback.champion import compare, mcnemar, reason_to_retrain, split_by_time, unseen_rows
from triage.feedback.policy import load_policy
from triage.feedback.reviews import Review
from triage.learning.product_model import LabelledText

POLICY = load_policy(DATA / "policies" / "learning.yaml").retrain


def answer(day: int, text: str | None = None) -> Review:
    return Review(
        ticket_id=f"desk:{day}", label="ZTNA", text=text or f"text {day}", answered_by="ana",
        opened_at=MONDAY + timedelta(days=day), answered_at=MONDAY + timedelta(days=99 - day),
    )  # fmt: skip


def flags(right: int, wrong: int) -> np.ndarray:
    return np.array([True] * right + [False] * wrong)


def test_newest_opened_are_tested() -> None:
    split = split_by_time([answer(day) for day in range(10)], [], POLICY)
    assert [one.ticket_id for one in split.learn] == [f"desk:{day}" for day in range(7)]
    assert [one.ticket_id for one in split.test] == ["desk:7", "desk:8", "desk:9"]


def test_text_seen_by_either_is_not_tested() -> None:
    answers = [*(answer(day) for day in range(8)), answer(8, "text 1"), answer(9)]
    split = split_by_time(answers, ["text 9"], POLICY)
    assert [one.text for one in split.test] == ["text 7"]
    assert unseen_rows([LabelledText("text 7", "A"), LabelledText("x", "A")], split.test) == [LabelledText("x", "A")]


def test_one_instant_is_not_cut_in_two() -> None:
    split = split_by_time([answer(0), *(answer(1, f"t{n}") for n in range(9))], [], POLICY)
    assert (len(split.learn), len(split.test)) == (10, 0)


@pytest.mark.parametrize(
    ("champion", "challenger", "takes_over", "why"),
    [
        (flags(80, 20), flags(80, 20), True, "not worse"),
        (flags(60, 40), flags(90, 10), True, "not worse"),
        (flags(80, 20), flags(79, 21), False, "less often"),
        (flags(10, 19), flags(29, 0), False, "29 tickets to test with, 30 are needed"),
        (np.array([True] * 15 + [False] * 15), np.array([False] * 15 + [True] * 15), False, "could be worse by"),
        (flags(0, 0), flags(0, 0), False, "0 tickets"),
    ],
)  # fmt: skip
def test_challenger_takes_over_only_if_not_worse(champion, challenger, takes_over: bool, why: str) -> None:
    verdict = compare(champion, challenger, POLICY, seed=1)
    assert verdict.takes_over is takes_over
    assert why in verdict.why


def test_a_much_worse_challenger_almost_never_wins_by_luck() -> None:
    random = np.random.default_rng(3)
    wins = [
        compare(random.random(60) < 0.8, random.random(60) < 0.65, POLICY, seed=n).takes_over for n in range(200)
    ]  # fmt: skip
    assert np.mean(wins) < 0.02


def test_verdict_counts_what_only_one_got_right() -> None:
    verdict = compare(flags(30, 10), np.array([True] * 28 + [False] * 2 + [True] * 5 + [False] * 5), POLICY, seed=1)
    assert (verdict.only_champion, verdict.only_challenger) == (2, 5)
    assert verdict.difference == pytest.approx(3 / 40)
    assert verdict.mcnemar == pytest.approx(binomtest(2, 7, 0.5).pvalue) == pytest.approx(0.453125)
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize(
    ("answers", "has_drifted", "reason"),
    [
        (49, False, None),
        (50, False, "50 new answers"),
        (20, False, None),
        (20, True, "drifted"),
        (19, True, None),
    ],
)
def test_training_is_due_after_answers_or_drift(answers: int, has_drifted: bool, reason: str | None) -> None:
    told = reason_to_retrain(answers, has_drifted=has_drifted, policy=POLICY)
    assert (told is None) if reason is None else (reason in (told or ""))
