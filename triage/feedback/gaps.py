"""What to write next: tickets that no knowledge article covers, those of one meaning together."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from triage.feedback.policy import GapPolicy


class Gap(NamedTuple):
    """Tickets of one meaning that no article covers, the most typical first, and the subject of that one."""

    about: str
    tickets: tuple[str, ...]


class Uncovered(NamedTuple):
    """A ticket for which the knowledge base had no answer."""

    ticket_id: str
    subject: str


def gaps(uncovered: Sequence[Uncovered], vectors: npt.NDArray[np.float32], policy: GapPolicy) -> list[Gap]:
    """ "Write this next": tickets that no article covers, those of one meaning together, the largest group first.

    Groups are joined while the mean cosine between their tickets is at least `alike` (average linkage). `vectors`
    has a row of length 1 a ticket; a row of zeros says nothing and is in no group.
    """
    says = np.flatnonzero(np.any(vectors, axis=1))
    if not len(says):
        return []
    groups = [says[rows] for rows in _groups(vectors[says], policy.alike)]
    found = [_gap([uncovered[row] for row in rows], vectors[rows]) for rows in groups]
    return sorted(
        (gap for gap in found if len(gap.tickets) >= policy.least_tickets),
        key=lambda gap: (-len(gap.tickets), gap.about),
    )


def _groups(vectors: npt.NDArray[np.float32], alike: float) -> list[npt.NDArray[np.int64]]:
    if len(vectors) == 1:
        return [np.array([0])]
    from scipy.cluster.hierarchy import fcluster, linkage

    joined = fcluster(linkage(vectors.astype(np.float64), "average", metric="cosine"), 1 - alike, "distance")
    return [np.flatnonzero(joined == group) for group in range(1, joined.max() + 1)]


def _gap(tickets: Sequence[Uncovered], vectors: npt.NDArray[np.float32]) -> Gap:
    nearest = np.argsort(-(vectors @ vectors.mean(axis=0)), kind="stable")
    typical = [tickets[row] for row in nearest]
    return Gap(typical[0].subject, tuple(one.ticket_id for one in typical))
