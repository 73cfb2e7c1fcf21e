"""How many tickets may stay with the cheap model: the fewer it keeps, the less it errs on what it keeps.

Risk and coverage after El-Yaniv and Wiener (2010), with the calibrated confidence as the chance of being right.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Point(NamedTuple):
    """If the `given_up` least certain are not kept: the share that is, and the share of it expected to be wrong."""

    given_up: int
    coverage: float
    expected_error: float


def risk_coverage(confidences: Sequence[float]) -> list[Point]:
    """A point for every number given up, from none to all, of confidences in order, least certain first."""
    size = len(confidences)
    errors = list(accumulate((1 - confidence for confidence in reversed(confidences)), initial=0.0))
    return [
        Point(
            given_up,
            (size - given_up) / size if size else 0.0,
            errors[size - given_up] / max(1, size - given_up),
        )
        for given_up in range(size + 1)
    ]


def give_up(confidences: Sequence[float], *, target_error: float, max_share: float) -> int:
    """The fewest of the least certain to give up so that the rest is expected to err in at most `target_error`, and
    never more than `max_share` of all. The confidences stand in order, least certain first."""
    most = int(max_share * len(confidences))
    enough = (point.given_up for point in risk_coverage(confidences) if point.expected_error <= target_error)
    return min(next(enough), most)
