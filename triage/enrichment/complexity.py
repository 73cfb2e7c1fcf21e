"""How complex a ticket looks, in [0, 1]: the weighted mean of stated parts, each of them shown."""

import re
from typing import NamedTuple

from triage.enrichment.contracts import CaseFacts, Part
from triage.enrichment.languages import log_lines
from triage.enrichment.policy import ComplexityPolicy
from triage.evidence import codes_like, error_codes, product_names
from triage.taxonomy import Taxonomy

_QUESTION = re.compile(r"[?？؟]+")


class Complexity(NamedTuple):
    """The score, and its parts in the policy's order; what they add sums up to it."""

    score: float
    parts: tuple[Part, ...]


def amounts(text: str, case: CaseFacts, taxonomy: Taxonomy) -> dict[str, int]:
    """How much of each part there is in a cleaned text and its thread."""
    named = {*error_codes(text, taxonomy).values(), *product_names(text, taxonomy).values()}
    return {
        "characters": len(text.strip()),
        "error_codes": len(codes_like(text)),
        "products": len(named),
        "questions": len(_QUESTION.findall(text)),
        "log_lines": len(log_lines(text)),
        "messages": case.messages,
        "reopened": case.reopened,
    }


def complexity_of(found: dict[str, int], policy: ComplexityPolicy) -> Complexity:
    """Σ weight · min(1, amount / full) / Σ weight: more of anything never makes a ticket simpler."""
    total = sum(weighed.weight for weighed in policy.parts.values())
    parts = []
    for name, weighed in policy.parts.items():
        share = min(1.0, found[name] / weighed.full)
        parts.append(Part(name=name, amount=found[name], share=share, adds=min(1.0, weighed.weight / total * share)))
    return Complexity(min(1.0, sum(part.adds for part in parts)), tuple(parts))
