"""How sure a quick model has to be for its answer to stand without asking the full one."""

from typing import Final

import numpy as np

from triage.calibrate import Floats
from triage.learning.measures import Flags

LOST: Final = 0.001
"""The share of right answers that may be given up, a third of what is promised: it is measured on the learned rows."""
LEAST_ROWS: Final = 300
"""Fewer rows can't tell a loss of one in a thousand from none."""


def deferral_limit(confidence: Floats, quick_right: Flags, full_right: Flags, *, lost: float = LOST) -> float | None:
    """The least confidence of the quick model from which it may decide, by answers of both to rows they have not seen:
    deciding there and leaving the rest to the full one, it loses at most `lost` of all right answers. None where it
    may not decide anything."""
    if len(confidence) < LEAST_ROWS:
        return None
    order = np.argsort(-confidence, kind="stable")
    losses = np.cumsum(full_right[order].astype(np.int64) - quick_right[order]) / len(order)
    is_last_of_equals = np.append(np.diff(confidence[order]) < 0, True)
    allowed = np.flatnonzero((losses <= lost) & is_last_of_equals)
    return float(confidence[order[allowed[-1]]]) if len(allowed) else None
