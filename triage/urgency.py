"""How urgent is it: the source's priority, what the text says, tier and other facts, by the taxonomy's rules."""

import math
import re
from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final, NamedTuple

from triage.taxonomy import Taxonomy, UrgencyRule, words_of

NEGATED: Final = re.compile(
    r"\b(?:no|not|never|without|isn't|aren't|wasn't|doesn't|don't)\b\s+(?:\w+\s+){0,2}$", re.IGNORECASE
)
NEAR: Final = 40
NO_FACTS: Final[Mapping[str, float]] = MappingProxyType({})


class UrgencyClaim(NamedTuple):
    """The level and its reasons, the starting point first."""

    level: str
    reasons: tuple[str, ...]

    @property
    def reason(self) -> str:
        return ", ".join(self.reasons)


class _Match(NamedTuple):
    rule: UrgencyRule
    words: str


def urgency_of(
    text: str,
    *,
    priority: str | None,
    tier: str | None,
    taxonomy: Taxonomy,
    facts: Mapping[str, float] = NO_FACTS,
) -> UrgencyClaim:
    """The level and why. Levels count points from 0 for the least urgent upwards; ties round up.

    `facts` are points by what they are for, such as {"the promise is at risk": 0.25}; those of 0 are not said.
    """
    levels = list(reversed(taxonomy.urgency.labels))
    known = priority in levels
    start = float(levels.index(str(priority) if known else taxonomy.urgency.fallback))
    reasons = [f"priority {priority}" if known else f"no known priority, so {taxonomy.urgency.fallback}"]
    known_words = words_of(text)
    matches = [_Match(rule, phrase) for rule in taxonomy.urgency.rules if (phrase := _phrase(rule, text, known_words))]
    points, deciding = _moved(start, matches, levels)
    if deciding is not None:
        reasons.append(f"the text says “{deciding.words}” ({deciding.rule.id})")
    tip = taxonomy.urgency.tiers.get(tier or "", 0.0)
    if tip:
        reasons.append(f"tier {tier}")
    reasons += [fact for fact, worth in facts.items() if worth]
    place = _place(points + tip + sum(facts.values()), len(levels))
    if deciding is not None and deciding.rule.asks:
        calm, _ = _moved(start, [match for match in matches if not match.rule.asks], levels)
        without_cry = _place(calm + tip + sum(facts.values()), len(levels))
        place = min(place, max(without_cry, min(without_cry + 1, len(levels) - 2)))
    return UrgencyClaim(levels[place], tuple(reasons))


def _place(points: float, levels: int) -> int:
    """The level nearest to so many points, ties upwards."""
    return math.floor(min(max(points, 0.0), levels - 1.0) + 0.5)


def _moved(start: float, matches: list[_Match], levels: list[str]) -> tuple[float, _Match | None]:
    """The points, and the rule that decided: the highest `at_least` that is reached from below, else the lowest
    `at_most` reached from above, else the strongest shift (one that raises before one that lowers)."""
    shifts = [match for match in matches if match.rule.points is not None]
    raising = max((match for match in shifts if _points(match) > 0), key=_points, default=None)
    shift = raising or min(shifts, key=_points, default=None)
    shifted = start + (_points(shift) if shift else 0.0)
    floors = [(float(levels.index(m.rule.at_least)), m) for m in matches if m.rule.at_least is not None]
    ceilings = [(float(levels.index(m.rule.at_most)), m) for m in matches if m.rule.at_most is not None]
    floor = max(floors, key=lambda pair: pair[0], default=None)
    ceiling = min(ceilings, key=lambda pair: pair[0], default=None)
    if floor and floor[0] >= shifted:
        return floor
    if ceiling and not floor and ceiling[0] <= shifted:
        return ceiling
    return shifted, shift


def _points(match: _Match) -> float:
    return match.rule.points or 0.0


def _phrase(rule: UrgencyRule, text: str, words: Set[str]) -> str | None:
    """What of the text fits the rule and is not negated."""
    expression = rule.expression(words)
    for found in expression.finditer(text) if expression else ():
        if not NEGATED.search(text[max(0, found.start() - NEAR) : found.start()]):
            return " ".join(found.group().lower().split())
    return None
