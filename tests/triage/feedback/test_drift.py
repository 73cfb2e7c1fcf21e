"""Drift: the index is the published one, chance alone raises no alarm, a real shift does."""

import math

import numpy as np
import polars as pl
import pytest

from engine.shared.errors import BadInput
from tests.triage.conftest import DATA
from triage.feedback.drift import Mix, by_chance, drift, mix_from, mix_of, stability_index
from triage.feedback.policy import load_policy

POLICY = load_policy(DATA / "policies" / "learning.yaml").drift


def mix(*counts: int) -> Mix:
    return Mix(dict(zip("ABCDEFG", counts, strict=False)), [0] * 9 + [sum(counts)])


def test_index_by_hand() -> None:
    # shares (49.5, 50.5, 0.5 added each): 50/101, 51/101 against 75/101, 26/101
    expected = (75 - 50) / 101 * math.log(75 / 50) + (26 - 51) / 101 * math.log(26 / 51)
    counts = [49.5, 50.5], [74.5, 25.5]
    assert stability_index(*counts) == pytest.approx(expected)


def test_index_is_nothing_for_the_same_and_alike_both_ways() -> None:
    assert stability_index([30, 60, 10], [30, 60, 10]) == 0
    assert stability_index([30, 60], [60, 30]) == pytest.approx(stability_index([60, 30], [30, 60]))
    assert math.isfinite(stability_index([100, 0], [0, 100]))


def test_chance_alone_rarely_passes_its_bound() -> None:
    random, shares = np.random.default_rng(7), [0.3, 0.2, 0.15, 0.15, 0.1, 0.05, 0.05]
    pairs = [(random.multinomial(150, shares), random.multinomial(400, shares)) for _ in range(2_000)]
    beyond = [stability_index(one, other) > by_chance(one, other, 0.95) for one, other in pairs]
    assert 0.02 < np.mean(beyond) < 0.08


def test_shifted_labels_are_drift() -> None:
    found = drift(mix(300, 100, 100), mix(50, 50, 200), POLICY)
    assert [(shift.what, shift.is_shifted) for shift in found.shifts] == [("labels", True), ("confidence", False)]
    assert found.is_shifted
    assert "labels shifted (PSI" in found.summary()


def test_a_new_label_is_drift() -> None:
    assert drift(mix(300, 200, 0), mix(150, 100, 150), POLICY).is_shifted


def test_lower_confidence_is_drift() -> None:
    sure, unsure = Mix({"A": 200}, [0] * 8 + [50, 150]), Mix({"A": 200}, [0, 0, 0, 50, 100, 50, 0, 0, 0, 0])
    assert [shift.is_shifted for shift in drift(sure, unsure, POLICY).shifts] == [False, True]


def test_steady_tickets_are_no_drift() -> None:
    assert not drift(mix(300, 100, 100), mix(160, 45, 55), POLICY).is_shifted


def test_few_tickets_say_nothing() -> None:
    found = drift(mix(5, 0, 0), mix(0, 0, 500), POLICY)
    assert (found.shifts, found.is_shifted) == ((), False)
    assert "can't be told from 5 tickets" in found.summary()


def test_mix_counts_labels_and_tenths() -> None:
    claims = pl.DataFrame({"product": ["B", "A", "B"], "confidence": [1.0, 0.05, 0.55]})
    found = mix_of(claims)
    assert found == Mix({"A": 1, "B": 2}, [1, 0, 0, 0, 0, 1, 0, 0, 0, 1])
    assert mix_from(found.as_data()) == found
    assert mix_of(claims.clear()).tickets == 0


def test_unreadable_mix_is_refused() -> None:
    with pytest.raises(BadInput, match="train the model again"):
        mix_from({"labels": 7})
