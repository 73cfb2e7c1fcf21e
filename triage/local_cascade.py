"""Two local classifiers as one: the quick one decides what it is sure of."""

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from triage.classify import ProductClaim, ProductClassifier, TrainedClassifier
from triage.contracts import TicketText
from triage.learning.train import Model
from triage.ports import Embedder
from triage.sanitize import clean_ticket, is_empty
from triage.taxonomy import Taxonomy


class LocalCascade(ProductClassifier):
    """Two local classifiers: the quick one decides what it is sure of, the full one the rest.

    Sure is a calibrated confidence of `limit` or more without a doubt about what the text resembles: a ticket's claim
    depends on that ticket alone, and all claims are made in one name.
    """

    def __init__(
        self,
        quick: ProductClassifier,
        full: ProductClassifier,
        *,
        limit: float,
        clock: Callable[[], datetime],
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        name = f"{full.name} after {quick.name.rpartition(':')[2]}"
        super().__init__(name, full.taxonomy, clock=clock, timer=timer)
        self.quick, self._full, self.limit, self.is_trained = quick, full, limit, full.is_trained

    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        claims = self.quick.products(tickets)
        unsure = self.unsure(tickets, claims)
        again = self._full.second_opinion([tickets[at] for at in unsure], [claims[at] for at in unsure])
        for at, claim in zip(unsure, again, strict=True):
            claims[at] = claim
        return claims

    def unsure(self, tickets: Sequence[TicketText], claims: Sequence[ProductClaim]) -> list[int]:
        """The positions of the tickets that the full one decides, given the quick one's claims on all."""
        rows = enumerate(zip(tickets, claims, strict=True))
        return [at for at, (ticket, claim) in rows if not self._is_sure(claim) and not is_empty(clean_ticket(ticket))]

    def _is_sure(self, claim: ProductClaim) -> bool:
        return claim.confidence >= self.limit and not claim.is_unfamiliar


def quickest(classifier: ProductClassifier) -> ProductClassifier:
    """The part of a classifier that decides first; the whole where it has no parts."""
    return classifier.quick if isinstance(classifier, LocalCascade) else classifier


def open_trained(
    model: Model,
    embedder: Embedder,
    taxonomy: Taxonomy,
    *,
    clock: Callable[[], datetime],
    quick: Embedder | None = None,
) -> ProductClassifier:
    """The model's classifier; where it has learned from the `quick` embedder too, with that one deciding first."""
    full = TrainedClassifier(model, embedder, taxonomy, clock=clock)
    first = model.first
    if quick is None or first is None or first.model.about["embedder"] != quick.name:
        return full
    return LocalCascade(
        TrainedClassifier(first.model, quick, taxonomy, clock=clock), full, limit=first.limit, clock=clock
    )
