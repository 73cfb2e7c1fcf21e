"""Champion and challenger: a newly learned model takes over only if it is not worse on tickets neither has seen.

The tickets are those a person answered, mostly hard ones: shares right are lower here than over all tickets.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from triage.feedback.policy import RetrainPolicy
from triage.feedback.reviews import Review
from triage.learning.product_model import LabelledText

Flags = npt.NDArray[np.bool_]
SAMPLES = 4_000


class Split(NamedTuple):
    """Answers to learn from and, opened later, answers to test with."""

    learn: list[Review]
    test: list[Review]


class Verdict(NamedTuple):
    """How both models did on the same tickets. `difference` is challenger minus champion in share right, `low` its
    one-sided lower bound by paired bootstrap, `mcnemar` the exact two-sided p-value of McNemar's test."""

    tested: int
    champion_right: int
    challenger_right: int
    only_champion: int
    only_challenger: int
    difference: float
    low: float
    mcnemar: float
    takes_over: bool
    why: str

    def as_data(self) -> dict[str, Any]:
        return self._asdict()


def reason_to_retrain(new_answers: int, *, has_drifted: bool, policy: RetrainPolicy) -> str | None:
    """Why a training is due, in words; None if it is not."""
    if new_answers >= policy.answers:
        return f"{new_answers} new answers, {policy.answers} ask for a training"
    if has_drifted and new_answers >= policy.answers_on_drift:
        return f"the tickets have drifted, and there are {new_answers} new answers"
    return None


def split_by_time(answers: Sequence[Review], seen: Collection[str], policy: RetrainPolicy) -> Split:
    """The newest `tested_share` of the answered tickets, by when they were opened, are for the test.

    A text that the champion has learned from, or that is among those to learn from, is never tested with.
    """
    by_age = sorted(answers, key=lambda one: (one.opened_at, one.ticket_id))
    cut = len(by_age) - round(len(by_age) * policy.tested_share)
    while 0 < cut < len(by_age) and by_age[cut].opened_at == by_age[cut - 1].opened_at:
        cut += 1
    learn = by_age[:cut]
    known = {*seen, *(one.text for one in learn)}
    return Split(learn, [one for one in by_age[cut:] if one.text not in known])


def unseen_rows(rows: Sequence[LabelledText], test: Sequence[Review]) -> list[LabelledText]:
    """Further labelled rows without those whose text is tested with."""
    tested = {one.text for one in test}
    return [row for row in rows if row.text not in tested]


def compare(champion: Flags, challenger: Flags, policy: RetrainPolicy, *, seed: int) -> Verdict:
    """Whether the challenger takes over; each flag says that a model was right about one ticket, in the same order.

    It does if there are `least_tested` tickets or more, it was right at least as often, and, at `certainty`, it is not
    worse by more than `margin` (non-inferiority by the lower bound of the paired bootstrap).
    """
    tested, paired = len(champion), challenger.astype(np.float64) - champion
    difference = float(paired.mean()) if tested else 0.0
    low = _lower_bound(paired, policy.certainty, seed=seed)
    only_champion, only_challenger = int((paired < 0).sum()), int((paired > 0).sum())
    if tested < policy.least_tested:
        takes_over, why = False, f"{tested} tickets to test with, {policy.least_tested} are needed"
    elif difference < 0:
        takes_over, why = False, "it was right less often"
    elif low < -policy.margin:
        takes_over, why = False, f"it could be worse by {-low:.3f}, {policy.margin} is the most"
    else:
        takes_over, why = True, "it is not worse"
    return Verdict(
        tested, int(champion.sum()), int(challenger.sum()), only_champion, only_challenger, difference, low,
        mcnemar(only_champion, only_challenger), takes_over, why,
    )  # fmt: skip


def mcnemar(only_one: int, only_other: int) -> float:
    """Exact two-sided p-value that both are right equally often, from the tickets where just one was right."""
    from scipy.stats import binomtest

    together = only_one + only_other
    return float(binomtest(only_one, together, 0.5).pvalue) if together else 1.0


def newest(answers: Sequence[Review], since: datetime | None) -> list[Review]:
    """Those answered after an instant; None is the beginning."""
    return [one for one in answers if since is None or one.answered_at > since]


def _lower_bound(paired: npt.NDArray[np.float64], certainty: float, *, seed: int) -> float:
    if not len(paired):
        return -1.0
    drawn = np.random.default_rng(seed).integers(0, len(paired), size=(SAMPLES, len(paired)))
    return float(np.quantile(paired[drawn].mean(axis=1), 1 - certainty))
