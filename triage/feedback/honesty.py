"""How often is triage right? People are asked about a random slice of what it is sure of, too: that has no bias."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from engine.shared.wilson import wilson

T = TypeVar("T")
_WHOLE: Final = 2**64


class Stratum(NamedTuple):
    """The tickets of one kind of claim: how many there are, how many of those that speak for all of them a person
    answered, and on how many of these the person said the same."""

    tickets: int
    answered: int
    agreed: int


class Estimate(NamedTuple):
    """The share of claims that people agree with, and its 95 % interval."""

    share: float
    low: float
    high: float


def place_of(ticket_id: str, *, seed: int) -> float:
    """Where a ticket stands between 0 and 1: by chance, whatever it says, and the same in every process and order."""
    digest = hashlib.sha256(f"{seed}:{ticket_id}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / _WHOLE


def in_slice(ticket_id: str, seed: int, share: float) -> bool:
    """Whether a ticket is of the random slice. With a larger share all of a smaller one's are."""
    return place_of(ticket_id, seed=seed) < share


def mixed(doubts: Sequence[T], spot_checks: Sequence[T], *, every: int) -> list[T]:
    """Both in their order: the first question and each so many after it are a spot check, as long as there are both."""
    found, left, checks = [], list(doubts), list(spot_checks)
    while left and checks:
        found += [checks.pop(0), *left[: every - 1]]
        left = left[every - 1 :]
    return [*found, *checks, *left]


def estimate(strata: Sequence[Stratum]) -> Estimate | None:
    """Over the tickets of all strata, each weighing as much as it has tickets; None while one with tickets has no
    answer. Of one stratum it is Wilson's interval.

    The interval puts those of the strata together: G. Y. Zou, W. Huang, X. Zhang, A note on confidence interval
    estimation for a linear function of binomial proportions, Computational Statistics & Data Analysis 53 (2009),
    1080-1085. Strata answered in full have no other certainty than those answered in part: it errs to the wide side.
    """
    known = [one for one in strata if one.tickets]
    if not known or not all(one.answered for one in known):
        return None
    total = sum(one.tickets for one in known)
    share = below = above = 0.0
    for one in known:
        weight, agreed = one.tickets / total, one.agreed / one.answered
        low, high = wilson(float(one.agreed), float(one.answered))
        share += weight * agreed
        below += (weight * (agreed - low)) ** 2
        above += (weight * (high - agreed)) ** 2
    return Estimate(share, max(0.0, share - below**0.5), min(1.0, share + above**0.5))
