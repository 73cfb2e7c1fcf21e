"""How tickets are enriched: the policy file, proofread."""

import hashlib
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from engine.shared import policy_file
from triage.contracts import Share
from triage.policy_files import Policy

Days = Annotated[int, Field(ge=1, le=3650)]
Count = Annotated[int, Field(ge=1, le=1000)]
Phrases = Annotated[
    tuple[Annotated[str, Field(pattern=r"^[^\W_][^\p{Cc}\p{Co}]*$", max_length=60)], ...],
    Field(min_length=1, max_length=200, strict=False),  # YAML has lists, no tuples
]


class DuplicatePolicy(Policy):
    """Texts are compared as sets of runs of `words_a_shingle` words, by MinHash signatures cut into bands."""

    words_a_shingle: Annotated[int, Field(ge=1, le=5)]
    fewest_words: Count
    near_same: Annotated[float, Field(gt=0, le=1)]
    permutations: Annotated[int, Field(ge=2, le=512)]
    bands: Annotated[int, Field(ge=2, le=512)]
    bucket: Count
    text_within_days: Days
    contact_within_days: Days
    most_candidates: Annotated[int, Field(ge=1, le=50)]

    @property
    def rows(self) -> int:
        """Permutations a band."""
        return self.permutations // self.bands

    @model_validator(mode="after")
    def _bands_fit(self) -> Self:
        if self.rows < 1:
            raise ValueError(f"{self.bands} bands need at least as many permutations; there are {self.permutations}")
        return self


class Weighed(Policy):
    """What one reason counts for, and the amount from which it counts in full."""

    weight: Annotated[float, Field(ge=0, le=100)]
    full: Annotated[float, Field(gt=0, le=1_000_000)]


class ComplexityPolicy(Policy):
    characters: Weighed
    error_codes: Weighed
    products: Weighed
    questions: Weighed
    log_lines: Weighed
    messages: Weighed
    reopened: Weighed

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not any(part.weight for part in self.parts.values()):
            raise ValueError("every weight is 0; give at least one part a weight")
        return self

    @property
    def parts(self) -> dict[str, Weighed]:
        return {name: getattr(self, name) for name in type(self).model_fields}


class LanguagePolicy(Policy):
    """The languages that may be told, each with the script it is written in (as Unicode names it)."""

    known: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], Annotated[str, Field(pattern=r"^[A-Z]+$")]],
        Field(min_length=1),
    ]
    fewest_letters: Count
    least_confidence: Share


class Voice(Policy):
    """How one language says that it is content or not, and the words that turn it round."""

    negations: Phrases
    good: Phrases
    bad: Phrases

    @model_validator(mode="after")
    def _either_good_or_bad(self) -> Self:
        if both := {phrase.casefold() for phrase in self.good} & {phrase.casefold() for phrase in self.bad}:
            raise ValueError(f"{min(both)!r} is both good and bad")
        return self


class SentimentPolicy(Policy):
    reach: Annotated[int, Field(ge=0, le=10)]
    languages: dict[str, Voice]


class UrgencyFacts(Policy):
    """Points by the worst state of a ticket's clocks: they tip the balance as the tier does."""

    sla: dict[str, Annotated[float, Field(ge=-3, le=3)]]


class HealthPolicy(Policy):
    """From when on a customer is to be watched or is doing badly, of the last `days`."""

    days: Days
    fewest_clocks: Count
    watch_breached: Share
    poor_breached: Share
    watch_complaints: Count
    poor_complaints: Count
    bad_billing: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=60)], ...], Field(max_length=50, strict=False)
    ]


class EnrichmentPolicy(Policy):
    duplicates: DuplicatePolicy
    complexity: ComplexityPolicy
    languages: LanguagePolicy
    sentiment: SentimentPolicy
    urgency: UrgencyFacts
    customer_health: HealthPolicy

    @property
    def digest(self) -> str:
        """SHA-256 of the content: what was enriched under another policy is out of date."""
        return _digest(self)


def load_enrichment_policy(path: Path) -> EnrichmentPolicy:
    """Raises NotFound without the file, BadInput with file, key and reason."""
    return policy_file.read(path, EnrichmentPolicy, what="enrichment policy")


def _digest(policy: EnrichmentPolicy) -> str:
    return hashlib.sha256(policy.model_dump_json().encode()).hexdigest()
