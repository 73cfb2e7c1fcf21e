"""Six of ten kept and ten of twenty still in time: 80 % at best."""

import pytest

from engine.shared.wilson import wilson
from pipelines.figures import promises
from pipelines.figures.selection import DIMENSIONS


@pytest.mark.parametrize(
    ("target", "in_time", "head"),
    [
        (0.75, 10, "Too early to say: "),
        (0.8, 10, "Too early to say: "),
        (0.85, 10, "Below target whatever still runs: "),
        (0.95, 1, "Below target"),
    ],
)
def test_what_still_runs_is_asked_first(target: float, in_time: int, head: str) -> None:
    low, high = wilson(6, 10)
    standing = promises.Standing(6, 10, 0.6, low, high, target, None, clocks=10 + in_time, in_time=in_time)
    assert promises.sentence(standing, None, DIMENSIONS).startswith(head)
