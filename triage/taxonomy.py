"""The closed set of labels, as data: what each means, how people say it, and the rules that tell urgency."""

import hashlib
import re
from collections.abc import Set
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from engine.contracts import Frozen
from engine.shared import policy_file
from engine.shared.errors import NotFound
from triage.contracts import Share

_LABEL = r"[^\W_][\w &/,'()+?!:.-]{0,49}"
Label = Annotated[str, Field(pattern=f"^{_LABEL}$")]
"""At most 50 characters that read the same in a prompt, a table and a terminal, in any language."""
Phrase = Annotated[str, Field(min_length=2, max_length=500)]


_WORD = re.compile(r"\w+")


def is_label(text: str) -> bool:
    """Whether a taxonomy may have this label."""
    return re.fullmatch(_LABEL, text) is not None


def _is_empty(texts: tuple[object, ...]) -> bool:
    """What a file does not say changes no digest."""
    return not texts


class ProductLabel(Frozen):
    """One thing a ticket can be about, with enough words to learn it from."""

    name: Phrase
    description: Phrase
    code_prefixes: tuple[Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{1,14}$")], ...] = ()
    codes: Annotated[tuple[Annotated[int, Field(ge=1, le=99_999)], ...], Field(exclude_if=_is_empty)] = ()
    """The numbers there are after each prefix; none named: any of two to five digits that begins with no 0."""
    aliases: tuple[Phrase, ...] = ()
    phrases: Annotated[tuple[Phrase, ...], Field(min_length=3)]
    examples: Annotated[tuple[Phrase, ...], Field(min_length=3)]


class Evidence(Frozen):
    """Log-odds that a named code or name adds to its label."""

    error_code: Annotated[float, Field(ge=0, le=10)] = 6.0
    name: Annotated[float, Field(ge=0, le=10)] = 1.5


class Product(Frozen):
    """The dimension `product`: labels, and when a person has to decide."""

    fallback: Label
    review_below: Share = 0.6
    unfamiliar_below: Annotated[float, Field(ge=-1, le=1)] = 0.15
    evidence: Evidence = Evidence()
    outside: Annotated[tuple[Phrase, ...], Field(exclude_if=_is_empty)] = ()
    """What people ask for that no label means: a text that is nearer to one of these waits for a person."""
    labels: Annotated[dict[Label, ProductLabel], Field(min_length=2)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.fallback not in self.labels:
            raise ValueError(f"fallback {self.fallback!r} is not one of the labels {', '.join(self.labels)}")
        owners: dict[str, str] = {}
        for label, content in self.labels.items():
            for prefix in content.code_prefixes:
                if owners.setdefault(prefix, label) != label:
                    raise ValueError(f"code prefix {prefix} belongs to both {owners[prefix]} and {label}")
        texts = [text for content in self.labels.values() for text in (*content.phrases, *content.examples)]
        twice = {text for text in texts if texts.count(text) > 1}
        if twice:
            raise ValueError(f"{min(twice)!r} stands there twice; a text teaches one label once")
        return self


class UrgencyRule(Frozen):
    """Words that move urgency: lift it to a level, hold it down at one, or shift it by points."""

    id: Phrase
    at_least: str | None = None
    at_most: str | None = None
    points: float | None = None
    asks: Annotated[bool, Field(exclude_if=lambda asks: not asks)] = False
    """Its words ask for speed and tell of no harm: they raise by one level at most, and never to the highest."""
    phrases: tuple[Phrase, ...] = ()
    patterns: tuple[str, ...] = ()

    @field_validator("patterns")
    @classmethod
    def _compiles(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from error
        return patterns

    @model_validator(mode="after")
    def _one_effect(self) -> Self:
        if sum(effect is not None for effect in (self.at_least, self.at_most, self.points)) != 1:
            raise ValueError("give exactly one of at_least, at_most and points")
        if not self.phrases and not self.patterns:
            raise ValueError("give at least one phrase or pattern")
        return self

    def expression(self, words: Set[str]) -> re.Pattern[str] | None:
        """Any phrase as whole words, or any pattern; case does not matter. `words` are those of the text, casefolded:
        phrases that have another are left out. None if nothing is left to look for."""
        phrases = tuple(phrase for phrase in self.phrases if words_of(phrase) <= words)
        return _any_of(phrases, self.patterns) if phrases or self.patterns else None


@lru_cache(maxsize=1024)
def words_of(text: str) -> frozenset[str]:
    """Its words, casefolded: where one is missing, nothing that has it need be looked for."""
    return frozenset(word.casefold() for word in _WORD.findall(text))


@lru_cache(maxsize=4096)
def _any_of(phrases: tuple[str, ...], patterns: tuple[str, ...]) -> re.Pattern[str]:
    words = [r"(?<!\w)" + r"\s+".join(map(re.escape, phrase.split())) + r"(?!\w)" for phrase in phrases]
    return re.compile("|".join([*words, *patterns]), re.IGNORECASE)


class Urgency(Frozen):
    """The dimension `urgency`: levels with their definitions, most urgent first, and the rules."""

    fallback: Label
    labels: Annotated[dict[Label, Phrase], Field(min_length=2)]
    tiers: dict[str, float] = Field(default_factory=dict)
    rules: tuple[UrgencyRule, ...] = ()

    @model_validator(mode="after")
    def _levels_known(self) -> Self:
        named = [(rule.id, level) for rule in self.rules for level in (rule.at_least, rule.at_most)]
        for name, level in [("fallback", self.fallback), *named]:
            if level is not None and level not in self.labels:
                raise ValueError(f"{name!r} names {level!r}, which is not one of {', '.join(self.labels)}")
        return self


class Taxonomy(Frozen):
    """All labels triage may give. Nothing outside is ever stored."""

    id: Phrase
    version: Annotated[int, Field(ge=1)]
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """The sources for whose tickets the labels were made; none named: for all. Claims on others wait for a person."""
    product: Product
    urgency: Urgency

    @property
    def digest(self) -> str:
        """SHA-256 of the content: what is learned from it is kept under this."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()

    def speaks(self, language: str | None) -> bool:
        """Whether triage reads this language; None and an unrestricted taxonomy always."""
        return not language or not self.languages or re.split(r"[-_]", language.lower())[0] in self.languages


def load_taxonomy(file: Path) -> Taxonomy:
    """Raises NotFound if there is no such file, BadInput with file, key and reason if it can't be used."""
    if not file.is_file():
        raise NotFound(f"There is no taxonomy {file}; copy products.yaml and change it")
    return policy_file.read(file, Taxonomy)
