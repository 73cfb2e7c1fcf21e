"""The numbers by which groups are chosen: weights, thresholds, skills a category needs; read from a data file."""

from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from engine.contracts import Frozen
from engine.shared import policy_file

FACTORS = ("velocity", "performance", "proximity", "cultural_fit", "timezone", "availability", "bandwidth")
"""The seven factors in the order in which they are summed: the two that move with a group's load come last."""

Share = Annotated[float, Field(ge=0, le=1, strict=True)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Mode(StrEnum):
    STEPPED = "stepped"
    """The seed's step tables (S3-R02…R08) with their defects repaired."""
    GRADED = "graded"
    """The same tables joined by straight lines, so that near values score nearly alike."""


class AvailabilityMode(StrEnum):
    STEPPED = "stepped"
    GRADED = "graded"
    WAIT = "wait"
    """By the expected wait on shift instead of the ratio of free slots."""


class Tiers(Frozen):
    """Scores by distance: `(limit, score)` with rising limits, `beyond` for everything past the last."""

    steps: tuple[tuple[float, Share], ...]
    beyond: Share
    span: Positive
    """Where `graded` reaches `beyond`."""

    @model_validator(mode="after")
    def _rising(self) -> Self:
        limits = [limit for limit, _ in self.steps] + [self.span]
        if not self.steps or limits[0] < 0 or any(a > b for a, b in pairwise(limits)):
            raise ValueError("limits must be given, not negative, rise, and end at or before span")
        return self


class Weights(Frozen):
    availability: Share
    bandwidth: Share
    velocity: Share
    performance: Share
    proximity: Share
    cultural_fit: Share
    timezone: Share

    @model_validator(mode="after")
    def _sum_to_one(self) -> Self:
        total = sum(getattr(self, name) for name in FACTORS)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the weights sum to {total:.6g}, they must sum to 1")
        return self


class AllocationPolicy(Frozen):
    """One preset of `data/policies/allocation.yaml`; the file says what each number means and who may change it."""

    name: str
    weights: Weights
    mode: Mode = Mode.GRADED
    availability: AvailabilityMode = AvailabilityMode.WAIT
    switched_off: tuple[str, ...] = ()
    min_score: Share = 0.40
    excellent_score: Share = 0.80
    availability_critical: Share = 0.25
    reference_velocity: Positive | None = None
    wait_half_hours: Positive = 24.0
    load_units: Positive = 2.0
    default_complexity: Share = 0.5
    default_timezone: str | None = None
    unknown_score: Share = 0.5
    language_required: bool = False
    allocate_to_vendors: bool = False
    sla_compliance_share: Share = 0.6
    distance_km: Tiers = Tiers(steps=((50, 1.0), (500, 0.7), (2000, 0.4)), beyond=0.2, span=20015)
    timezone_hours: Tiers = Tiers(steps=((2, 1.0), (6, 0.7), (12, 0.4)), beyond=0.1, span=24)
    capabilities: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @field_validator("switched_off")
    @classmethod
    def _known_factors(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(names) - set(FACTORS)):
            raise ValueError(f"unknown factors {', '.join(unknown)}; known are {', '.join(sorted(FACTORS))}")
        return tuple(name for name in FACTORS if name in names)

    @field_validator("default_timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (KeyError, OSError, ValueError) as error:
                raise ValueError(f"{name!r} is not an IANA time zone") from error
        return name

    @field_validator("capabilities")
    @classmethod
    def _folded(cls, table: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {category.casefold(): tuple(s.casefold() for s in skills) for category, skills in table.items()}

    @model_validator(mode="after")
    def _something_on(self) -> Self:
        if sum(getattr(self.weights, name) for name in FACTORS if name not in self.switched_off) <= 0:
            raise ValueError("switched_off: every factor that has a weight is switched off; leave at least one on")
        return self

    @cached_property
    def effective_weights(self) -> dict[str, float]:
        """Weights in use, in the order of FACTORS: zero for factors switched off, the rest renormalised to 1."""
        weights = {name: 0.0 if name in self.switched_off else getattr(self.weights, name) for name in FACTORS}
        total = sum(weights.values()) if self.switched_off else 1.0
        return {name: weight / total for name, weight in weights.items()}

    @cached_property
    def label(self) -> str:
        """What the decision record says of the policy: its name, and what was switched off and renormalised."""
        if not self.switched_off:
            return self.name
        shares = ", ".join(f"{name} {weight:.3f}" for name, weight in self.effective_weights.items() if weight)
        return f"{self.name} (off: {', '.join(self.switched_off)}; weights renormalised: {shares})"


class AllocationPolicies(Frozen):
    """The whole file: presets by name, the one in use, and the skills each product or category needs."""

    use: str
    presets: dict[str, AllocationPolicy]
    capabilities: dict[str, tuple[str, ...]] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, content: Any) -> Any:
        if not isinstance(content, dict) or not isinstance(content.get("presets"), dict):
            return content
        skills = content.get("capabilities") or {}
        presets = {
            name: {"name": name, "capabilities": skills, **preset} if isinstance(preset, dict) else preset
            for name, preset in content["presets"].items()
        }
        return {**content, "presets": presets}

    @model_validator(mode="after")
    def _in_use(self) -> Self:
        if self.use not in self.presets:
            raise ValueError(f"use: no preset is called {self.use!r}; there are {', '.join(sorted(self.presets))}")
        return self


def load_policy(path: str | Path, preset: str | None = None) -> AllocationPolicy:
    """The preset of this name, or the one the file puts to use.

    Raises BadInput with file, key and reason for a file that can't be used, NotFound without the file or the preset.
    """
    found = policy_file.read(path, AllocationPolicies)
    return policy_file.named(found.presets, preset or found.use, what="allocation preset")
