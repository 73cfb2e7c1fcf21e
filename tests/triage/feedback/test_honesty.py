"""The random slice of sure claims: drawn by chance alone, and its estimate holds what is so."""

import subprocess
import sys
from random import Random

import pytest

from engine.shared.wilson import wilson
from triage.feedback.honesty import Estimate, Stratum, estimate, in_slice, mixed, place_of

TICKETS = [f"desk:{number}" for number in range(20_000)]


def test_slice_has_its_share() -> None:
    assert 0.045 < sum(in_slice(ticket, 20, 0.05) for ticket in TICKETS) / len(TICKETS) < 0.055


def test_slice_is_the_same_in_every_process() -> None:
    drawn = [ticket for ticket in TICKETS[:2_000] if in_slice(ticket, 20, 0.05)]
    code = "from triage.feedback.honesty import in_slice\nprint(*[f'desk:{n}' for n in range(2000) if in_slice(f'desk:{n}', 20, .05)])"  # noqa: E501
    again = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert drawn == again


def test_larger_slice_holds_the_smaller_and_another_seed_draws_others() -> None:
    small, large, other = (
        {t for t in TICKETS if in_slice(t, seed, share)} for seed, share in ((1, 0.05), (1, 0.1), (2, 0.05))
    )
    assert small < large
    assert len(small & other) < len(small) / 5


def test_estimate_covers_the_true_share_in_nineteen_of_twenty() -> None:
    """Each run a desk of 4,000 sure tickets, right by 93 %; people answer the first 60 % of the slice by place."""
    covered, runs = 0, 300
    for run in range(runs):
        rng = Random(run)
        right = {f"{run}:{number}": rng.random() < 0.93 for number in range(4_000)}
        drawn = sorted((t for t in right if in_slice(t, run, 0.05)), key=lambda t: place_of(t, seed=run))
        checked = drawn[: len(drawn) * 6 // 10]
        found = estimate([Stratum(4_000, len(checked), sum(right[t] for t in checked))])
        assert found is not None
        covered += found.low <= sum(right.values()) / len(right) <= found.high
    assert 0.92 <= covered / runs <= 0.99


def test_estimate_over_all_covers_in_nineteen_of_twenty() -> None:
    """900 sure tickets, right by 95 %, of which 45 are answered; 300 unsure, right by 60 %, of which 80 are."""
    covered, runs = 0, 2_000
    rng = Random(5)
    for _ in range(runs):
        sure, unsure = (sum(rng.random() < p for _ in range(n)) for p, n in ((0.95, 45), (0.6, 80)))
        found = estimate([Stratum(900, 45, sure), Stratum(300, 80, unsure)])
        assert found is not None
        covered += found.low <= 0.75 * 0.95 + 0.25 * 0.6 <= found.high
    assert 0.93 <= covered / runs <= 0.985


def test_one_stratum_is_wilsons() -> None:
    assert estimate([Stratum(900, 50, 47), Stratum(0, 0, 0)]) == Estimate(0.94, *map(pytest.approx, wilson(47.0, 50.0)))


@pytest.mark.parametrize("strata", [[], [Stratum(9, 0, 0)], [Stratum(9, 3, 3), Stratum(9, 0, 0)]])
def test_without_answers_nothing_is_said(strata: list[Stratum]) -> None:
    assert estimate(strata) is None


def test_every_fifth_question_is_a_spot_check() -> None:
    assert mixed("abcdefgh", "123", every=5) == list("1abcd2efgh3")
    assert mixed("", "12", every=5) == ["1", "2"]
    assert mixed("ab", "", every=5) == ["a", "b"]
