"""Why this group, and why not the others: sentences for the decision record and the ticket page."""

from collections.abc import Sequence

from engine.allocation.policy import FACTORS, AllocationPolicy
from engine.contracts import AllocationDecision, Alternative, AssignmentGroup, Outcome, Scores

WORDS = {
    "availability": "availability",
    "bandwidth": "room for the work",
    "velocity": "speed",
    "performance": "track record",
    "proximity": "nearness",
    "cultural_fit": "languages and certificates",
    "timezone": "time zone",
}


def chosen(group: AssignmentGroup, scores: Scores, policy: AllocationPolicy, *, free: int, rivals: int) -> str:
    """The rationale of an allocation."""
    weights = policy.effective_weights
    best = max(FACTORS, key=lambda factor: (weights[factor] * getattr(scores, factor), factor))
    worst = max(FACTORS, key=lambda factor: (weights[factor] * (1 - getattr(scores, factor)), factor))
    verdict = "an excellent match" if scores.composite >= policy.excellent_score else "the best match"
    against = f" of {rivals + 1} groups that could take it" if rivals else ", the only group that could take it"
    text = f"{group.name} is {verdict} at {scores.composite:.3f}{against}: {WORDS[best]} counts most for it"
    if (lost := weights[worst] * (1 - getattr(scores, worst))) >= 0.005:
        text += f", {WORDS[worst]} costs it {lost:.2f}"
    text += f"; {free} of {group.max_bandwidth} slots were free"
    if free / group.max_bandwidth <= policy.availability_critical:
        text += ", nearly full"
    return text + "."


def waiting(alternatives: Sequence[Alternative], policy: AllocationPolicy) -> str:
    """The rationale of a ticket nobody can take now."""
    scored = [a for a in alternatives if a.composite is not None]
    if scored:
        best = scored[0]
        return (
            f"It waits: the best group, {best.group_name}, scores {best.composite:.3f}, "
            f"below the minimum of {policy.min_score:.2f}."
        )
    full = sum(1 for a in alternatives if (a.excluded or "").startswith("full"))
    return f"It waits: {full} group{'s have' if full != 1 else ' has'} the skills, but no free slot."


def no_skill(skills: Sequence[str], language: str | None) -> str:
    """The rationale of a ticket that only a person can place."""
    wanted = f" has {' or '.join(skills)}" if skills else ""
    language_part = f"{' and' if wanted else ''} speaks {language}" if language else ""
    return f"No active group{wanted}{language_part or ('' if wanted else ' is there')}: a person has to look."


def why(decision: AllocationDecision) -> list[str]:
    """A decision in sentences: the outcome, the factors, who came after and who was out, the policy."""
    sentences = [decision.rationale]
    if decision.scores is not None:
        values = (f"{WORDS[name]} {getattr(decision.scores, name):.2f}" for name in WORDS)
        sentences.append(f"Its factors: {', '.join(values)}.")
    scored = [a for a in decision.alternatives if a.composite is not None]
    if scored and decision.outcome == Outcome.ALLOCATED:
        sentences.append(f"Behind it: {', '.join(f'{a.group_name} ({a.composite:.3f})' for a in scored)}.")
    sentences += [f"{a.group_name} was out: {a.excluded}." for a in decision.alternatives if a.excluded]
    sentences.append(f"Decided by the policy {decision.policy}.")
    return sentences
