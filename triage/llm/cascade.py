"""Local first: only tickets it is least sure of go to a hosted model, ten in a prompt and within the day's budget."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from triage.classify import HAMMERED, ProductClaim, claim_of
from triage.contracts import FOR_A_PERSON, Classification, Guess, TicketText
from triage.knowledge.matter import hammered_words
from triage.llm.answer_cache import AnswerCache
from triage.llm.asking import Asking, Finding
from triage.llm.batch import Opinion
from triage.llm.budget import Budget
from triage.llm.models import HostedModel
from triage.llm.policy import CascadePolicy, TriagePolicy
from triage.llm.risk_coverage import give_up
from triage.ports import Classifier
from triage.redaction.tickets import KnownOf, nothing_known
from triage.sanitize import clean_ticket, is_empty
from triage.taxonomy import Taxonomy


class Cascade:
    """A classifier of two tiers. What a hosted model says is weighed against the local claim, which also takes over.

    A hosted model's stated confidence is not calibrated: the claim carries the mean of it and of the local probability
    of the same label, so that a label only one side believes in goes to a person. So does a ticket that should have
    been asked about and got no usable answer. Urgency stays with the taxonomy's rules.
    """

    def __init__(
        self,
        local: Classifier,
        hosted: Sequence[HostedModel],
        *,
        taxonomy: Taxonomy,
        policy: TriagePolicy,
        budget: Budget,
        cache: AnswerCache,
        clock: Callable[[], datetime],
        known: KnownOf = nothing_known,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`known` is what the desk knows of the people behind tickets, to be hidden from hosted models."""
        self._asking = Asking(
            hosted, taxonomy=taxonomy, policy=policy.asking, budget=budget, cache=cache, known=known, timer=timer
        )
        self._local, self._taxonomy, self._policy, self._clock = local, taxonomy, policy.cascade, clock
        self.name = f"{local.name} > {self._asking.name}"

    @property
    def counts(self) -> Counter[str]:
        """Since this was opened: tickets that stayed `local`, whose `hosted` label was taken or that the local claim
        had to be `taken over` for, and what `Asking` counts."""
        return self._asking.counts

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        claims = self._local.classify(tickets)
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        uncertain = [n for n in least_certain(claims, self._policy) if not is_empty(cleaned[n])]
        self.counts["local"] += len(tickets) - len(uncertain)
        if not uncertain:
            return claims
        at = self._clock()
        findings = self._asking.ask([cleaned[n] for n in uncertain], at=at)
        for number, finding in zip(uncertain, findings, strict=True):
            claims[number] = self._claim(tickets[number], claims[number], finding, at)
        return claims

    def _claim(self, ticket: TicketText, local: Classification, finding: Finding, at: datetime) -> Classification:
        used = {
            "prompt_hash": self._asking.prompt_hash,
            "latency_ms": local.latency_ms + finding.latency_ms,
            "prompt_tokens": finding.prompt_tokens,
            "completion_tokens": finding.completion_tokens,
            "cost": finding.cost,
        }
        if finding.opinion is None or finding.model is None:
            self.counts["taken over"] += 1
            why = f" {FOR_A_PERSON}it is uncertain and no hosted answer was usable: {'; '.join(finding.why)}."
            return local.model_copy(update={**used, "needs_review": True, "reasoning": local.reasoning + why})
        self.counts["hosted"] += 1
        weighed = _weighed(finding.opinion, local, self._taxonomy, hammers=bool(hammered_words(clean_ticket(ticket))))
        made = claim_of(ticket, weighed, self._taxonomy, model=finding.model, at=at, latency_ms=0)
        return made.model_copy(update=used)


def least_certain(claims: Sequence[Classification], policy: CascadePolicy) -> list[int]:
    """The claims to ask a hosted model about, by position, least certain first: those for a person, then by
    confidence."""
    order = sorted(range(len(claims)), key=lambda n: (not claims[n].needs_review, claims[n].confidence))
    if len(claims) < policy.choose_from:
        return [n for n in order if claims[n].needs_review or claims[n].confidence < policy.send_below]
    confidences = [claims[n].confidence for n in order]
    return order[: give_up(confidences, target_error=policy.target_error, max_share=policy.max_share)]


def _weighed(opinion: Opinion, local: Classification, taxonomy: Taxonomy, *, hammers: bool) -> ProductClaim:
    confidence = (opinion.confidence + _local_probability(opinion.label, local, taxonomy)) / 2
    agrees = opinion.label == local.product
    agreement = "the local classifier agrees" if agrees else f"the local one says {local.product}"
    limit = taxonomy.product.review_below
    return ProductClaim(
        product=opinion.label,
        confidence=confidence,
        runner_up=_second(local, taxonomy) if agrees else Guess(label=local.product, confidence=local.confidence),
        reasons=[f"“{opinion.reason}”", agreement],
        doubts=[
            *([f"confidence {confidence:.2f} is below {limit:.2f}"] if confidence < limit else []),
            *([HAMMERED] if hammers else []),
        ],
        probabilities={},
    )


def _second(local: Classification, taxonomy: Taxonomy) -> Guess:
    other = next(label for label in taxonomy.product.labels if label != local.product)
    return local.runner_up or Guess(label=other, confidence=_local_probability(other, local, taxonomy))


def _local_probability(label: str, local: Classification, taxonomy: Taxonomy) -> float:
    """What the local claim leaves for a label: of those it does not name, an even share of the rest."""
    named = {local.product: local.confidence}
    if local.runner_up is not None:
        named[local.runner_up.label] = local.runner_up.confidence
    unnamed = len(taxonomy.product.labels) - len(named)
    return named[label] if label in named else max(0.0, 1 - sum(named.values())) / unnamed
