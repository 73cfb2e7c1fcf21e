"""Nine of ten kept is no verdict against 90 %; ninety of a hundred against 97 % is one."""

import pytest

from engine.shared.wilson import wilson
from pipelines.figures import promises
from pipelines.figures.selection import DIMENSIONS


@pytest.mark.parametrize(
    ("met", "decided", "target", "head"),
    [(9, 10, 0.9, "About on target"), (90, 100, 0.97, "Below target"), (99, 100, 0.9, "Above target")],
)
def test_the_head_follows_the_interval(met: int, decided: int, target: float, head: str) -> None:
    low, high = wilson(met, decided)
    standing = promises.Standing(met, decided, met / decided, low, high, target, None)
    assert promises.sentence(standing, None, DIMENSIONS).startswith(f"{head}: ")
