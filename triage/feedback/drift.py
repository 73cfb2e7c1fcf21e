"""Drift: do the tickets of the last weeks look like those the model was learned for?"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import polars as pl

from engine.shared.errors import BadInput
from triage.calibrate import Floats
from triage.feedback.policy import DriftPolicy

TENTHS: Final = 10
HALF: Final = 0.5


class Mix(NamedTuple):
    """How many tickets a model gave each label, and each tenth of confidence (lowest first)."""

    labels: dict[str, int]
    confidence: list[int]

    @property
    def tickets(self) -> int:
        return sum(self.labels.values())

    def as_data(self) -> dict[str, Any]:
        return {"labels": self.labels, "confidence": self.confidence}


class Shift(NamedTuple):
    """One population stability index, and what chance alone stays below with so many tickets."""

    what: str
    psi: float
    by_chance: float
    is_shifted: bool


class Drift(NamedTuple):
    """What shifted between two mixes; nothing where one of them has too few tickets to say."""

    before: int
    recent: int
    shifts: tuple[Shift, ...]

    @property
    def is_shifted(self) -> bool:
        return any(shift.is_shifted for shift in self.shifts)

    def summary(self) -> str:
        """One line for people."""
        if not self.shifts:
            return f"drift can't be told from {self.before:,} tickets before and {self.recent:,} recent ones"
        return ", ".join(
            f"{shift.what} {'shifted' if shift.is_shifted else 'steady'} (PSI {shift.psi:.3f})" for shift in self.shifts
        )


def mix_of(claims: pl.DataFrame) -> Mix:
    """From a frame with product and confidence, a row a ticket."""
    tenths = np.minimum((claims["confidence"].to_numpy() * TENTHS).astype(int), TENTHS - 1)
    counted = claims.group_by("product").len().sort("product")
    return Mix(dict(counted.iter_rows()), np.bincount(tenths, minlength=TENTHS).tolist())


def mix_from(data: dict[str, Any]) -> Mix:
    """What `Mix.as_data` gave. Raises BadInput for anything else."""
    try:
        return Mix({str(k): int(n) for k, n in data["labels"].items()}, [int(n) for n in data["confidence"]])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadInput(f"A kept mix of tickets can't be read ({error}); train the model again") from error


def drift(before: Mix, recent: Mix, policy: DriftPolicy) -> Drift:
    """Whether label shares or confidence shifted: the index is at least `shifted_at`, and more than chance gives."""
    if min(before.tickets, recent.tickets) < policy.least_tickets:
        return Drift(before.tickets, recent.tickets, ())
    labels = sorted(before.labels.keys() | recent.labels.keys())
    pairs = {
        "labels": (
            [before.labels.get(label, 0) for label in labels],
            [recent.labels.get(label, 0) for label in labels],
        ),
        "confidence": (before.confidence, recent.confidence),
    }
    return Drift(before.tickets, recent.tickets, tuple(_shift(name, *pair, policy) for name, pair in pairs.items()))


def stability_index(before: Sequence[float], recent: Sequence[float]) -> float:
    """Population stability index: the sum over cells of (r - b) ln(r / b), where b and r are a cell's shares before
    and recently (Siddiqi 2006, Credit Risk Scorecards). Half a ticket is added to each cell, so that none is empty."""
    first, second = _shares(before), _shares(recent)
    return float(((second - first) * np.log(second / first)).sum())


def by_chance(before: Sequence[float], recent: Sequence[float], certainty: float) -> float:
    """What the index stays below with this certainty if nothing changed: (1/n + 1/m) times the chi-square quantile
    with one degree of freedom fewer than cells in use (Yurdakul and Naranjo 2020)."""
    from scipy.stats import chi2

    cells = sum(1 for one, other in zip(before, recent, strict=True) if one or other)
    return float((1 / sum(before) + 1 / sum(recent)) * chi2.ppf(certainty, max(1, cells - 1)))


def _shift(what: str, before: Sequence[float], recent: Sequence[float], policy: DriftPolicy) -> Shift:
    psi, chance = stability_index(before, recent), by_chance(before, recent, policy.certainty)
    return Shift(what, psi, chance, psi >= policy.shifted_at and psi > chance)


def _shares(counts: Sequence[float]) -> Floats:
    smoothed = np.asarray(counts, dtype=np.float64) + HALF
    return np.asarray(smoothed / smoothed.sum())
