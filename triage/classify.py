"""What a ticket is about and how urgent it is: a claim from a closed set, with a confidence and reasons to check."""

import hashlib
import json
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from triage.calibrate import softmax
from triage.contracts import FOR_A_PERSON, THEN, Classification, Guess, TicketText
from triage.evidence import error_codes, log_odds, names_phrase, product_names
from triage.learning.out_of_scope import scope_score
from triage.learning.product_model import LabelledText, load_or_learn
from triage.learning.train import Model
from triage.ports import Embedder
from triage.sanitize import clean_ticket, is_empty, readable_text, whole_text
from triage.taxonomy import Taxonomy
from triage.urgency import urgency_of

HANDED_OVER: Final = 0.3
"""On Banking77 dev the full classifier alone is right no more often, learned from ten texts a label or from all."""


class ProductClaim(NamedTuple):
    """A product with its calibrated confidence, the runner-up, the reasons, and why a person should look (if so).

    `model` is which of several decided."""

    product: str
    confidence: float
    runner_up: Guess
    reasons: list[str]
    doubts: list[str]
    probabilities: dict[str, float]
    model: str = ""


class ProductClassifier(ABC):
    """Claims what each ticket is about by what a subclass says of its product."""

    def __init__(
        self, name: str, taxonomy: Taxonomy, *, clock: Callable[[], datetime], timer: Callable[[], float]
    ) -> None:
        self.name, self.taxonomy = name, taxonomy
        self._clock, self._timer = clock, timer

    @abstractmethod
    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        """Only the product of each ticket, in order."""

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        started = self._timer()
        claims = self.products(tickets)
        latency_ms = round((self._timer() - started) * 1000 / max(1, len(tickets)))
        at = self._clock()
        return [
            claim_of(ticket, product, self.taxonomy, model=product.model or self.name, at=at, latency_ms=latency_ms)
            for ticket, product in zip(tickets, claims, strict=True)
        ]


class LocalClassifier(ProductClassifier):
    """Learns from the taxonomy alone (and labelled rows if given); needs no key, no server and no download."""

    def __init__(
        self,
        taxonomy: Taxonomy,
        embedder: Embedder,
        *,
        clock: Callable[[], datetime],
        rows: Sequence[LabelledText] = (),
        cache: Path | None = None,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`cache` is the folder for what was learned; without it every start learns anew (about two seconds)."""
        super().__init__(f"local:{embedder.name}", taxonomy, clock=clock, timer=timer)
        self._embedder = embedder
        self._model = load_or_learn(taxonomy, embedder, rows=rows, cache=cache)

    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        readable = [ticket for ticket in cleaned if not is_empty(ticket)]
        vectors = self._embedder.embed([readable_text(ticket) for ticket in readable])
        claims = iter([self._claim(ticket, vector) for ticket, vector in zip(readable, vectors, strict=True)])
        return [self._unreadable() if is_empty(ticket) else next(claims) for ticket in cleaned]

    def _claim(self, ticket: TicketText, vector: npt.NDArray[np.float32]) -> ProductClaim:
        text = whole_text(ticket)
        logits = self._model.logits(vector[None, :]) + log_odds(text, self.taxonomy)
        probabilities = softmax(logits)[0]
        best, second = (int(index) for index in np.argsort(-probabilities, kind="stable")[:2])
        labels = self._model.labels
        likeness = self._model.vectors @ vector
        return ProductClaim(
            product=labels[best],
            confidence=float(probabilities[best]),
            runner_up=Guess(label=labels[second], confidence=float(probabilities[second])),
            reasons=[*named(text, labels[best], self.taxonomy), self._nearest(labels[best], likeness)],
            doubts=self._doubts(ticket, float(probabilities[best]), likeness),
            probabilities=dict(zip(labels, map(float, probabilities), strict=True)),
        )

    def _nearest(self, label: str, likeness: npt.NDArray[np.float32]) -> str:
        rows = [row for row, owner in enumerate(self._model.text_labels) if owner == label]
        row = max(rows, key=lambda row: likeness[row])
        return f"reads like “{self._model.texts[row]}” ({likeness[row]:.2f})"

    def _doubts(self, ticket: TicketText, confidence: float, likeness: npt.NDArray[np.float32]) -> list[str]:
        limits = self.taxonomy.product
        doubts = []
        if confidence < limits.review_below:
            doubts.append(f"confidence {confidence:.2f} is below {limits.review_below:.2f}")
        if likeness.max() < limits.unfamiliar_below and not error_codes(whole_text(ticket), self.taxonomy):
            doubts.append("it resembles nothing in the taxonomy")
        if not self.taxonomy.speaks(ticket.language):
            doubts.append(f"triage does not read the language {ticket.language}")
        return doubts

    def _unreadable(self) -> ProductClaim:
        return unreadable(self._model.labels, self.taxonomy)


class TrainedClassifier(ProductClassifier):
    """Gives the labels a model was trained on, with the words and the labelled text that speak for each."""

    def __init__(
        self,
        model: Model,
        embedder: Embedder,
        taxonomy: Taxonomy,
        *,
        clock: Callable[[], datetime],
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        name = f"trained:{model.about['data_sha256'][:8]}:{embedder.name}"
        super().__init__(name, taxonomy, clock=clock, timer=timer)
        self._model, self._embedder = model, embedder

    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        readable = [ticket for ticket in cleaned if not is_empty(ticket)]
        texts = [_as_trained(ticket) for ticket in readable]
        if not texts:
            return [unreadable(self._model.labels, self.taxonomy) for _ in cleaned]
        vectors = self._embedder.embed(texts)
        said = self._words(texts)
        rows = zip(readable, texts, self._model.probabilities(texts, vectors), vectors, said, strict=True)
        claims = iter([self._claim(*row) for row in rows])
        return [
            unreadable(self._model.labels, self.taxonomy) if is_empty(ticket) else next(claims) for ticket in cleaned
        ]

    def _claim(
        self,
        ticket: TicketText,
        text: str,
        probabilities: npt.NDArray[np.float64],
        vector: npt.NDArray[np.float32],
        said: dict[int, float],
    ) -> ProductClaim:
        labels = self._model.labels
        best, second = (int(index) for index in np.argsort(-probabilities, kind="stable")[:2])
        likeness = self._model.vectors @ vector
        own = np.flatnonzero(self._model.owners == best)
        nearest = int(own[likeness[own].argmax()])
        confidence = float(probabilities[best])
        words = [*self._says(text, said, best), *named(whole_text(ticket), labels[best], self.taxonomy)]
        return ProductClaim(
            product=labels[best],
            confidence=confidence,
            runner_up=Guess(label=labels[second], confidence=float(probabilities[second])),
            reasons=[*words, f"reads like “{self._model.texts[nearest][:160]}” ({likeness[nearest]:.2f})"],
            doubts=self._doubts(ticket, confidence, float(likeness.max())),
            probabilities=dict(zip(labels, map(float, probabilities), strict=True)),
        )

    def _words(self, texts: Sequence[str]) -> list[dict[int, float]]:
        """The known words and word pairs of each text by column, with their TF-IDF."""
        words = self._model.linear.words
        if words is None:
            return [{} for _ in texts]
        rows = words.matrix(texts)[:, : len(words.vocabularies[0])]
        cuts = zip(rows.indptr, rows.indptr[1:], strict=False)
        return [dict(zip(rows.indices[a:b].tolist(), rows.data[a:b].tolist(), strict=True)) for a, b in cuts]

    def _says(self, text: str, said: dict[int, float], label: int) -> list[str]:
        """Up to three words or word pairs of the text that count most for the label, or phrases that describe it."""
        linear = self._model.linear
        if linear.words is None:
            phrases = self.taxonomy.product.labels[self._model.labels[label]].phrases
            return [f"says “{phrase}”" for phrase in phrases if names_phrase(text, phrase)][:3]
        terms = linear.words.vocabularies[0]
        worth = sorted(((value * float(linear.weights[at, label]), terms[at]) for at, value in said.items()))
        return [f"says “{term}”" for weight, term in reversed(worth[-3:]) if weight > 0]

    def _doubts(self, ticket: TicketText, confidence: float, likeness: float) -> list[str]:
        limits, scope, doubts = self.taxonomy.product, self._model.scope, []
        if confidence < limits.review_below:
            doubts.append(f"confidence {confidence:.2f} is below {limits.review_below:.2f}")
        score = scope_score(scope.score, np.array([confidence]), np.array([likeness]))[0]
        if score < scope.threshold or likeness < limits.unfamiliar_below:
            doubts.append("it resembles nothing that was labelled")
        if not self.taxonomy.speaks(ticket.language):
            doubts.append(f"triage does not read the language {ticket.language}")
        return doubts


class LocalCascade(ProductClassifier):
    """Two local classifiers: the quick one decides what it is sure of, the full one the rest.

    Handed over is the least certain `share` of the tickets that are classified together, rounded up: one ticket alone
    is decided by the full one. Both are calibrated alone, and what is handed over keeps the calibration: measured on
    Banking77 dev in `benchmarks/cascade.py`.
    """

    def __init__(
        self,
        quick: ProductClassifier,
        full: ProductClassifier,
        *,
        clock: Callable[[], datetime],
        share: float = HANDED_OVER,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__(f"{quick.name}{THEN}{full.name}", full.taxonomy, clock=clock, timer=timer)
        self._quick, self._full, self._share = quick, full, share

    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        claims = [claim._replace(model=self._quick.name) for claim in self._quick.products(tickets)]
        readable = [at for at, ticket in enumerate(tickets) if not is_empty(clean_ticket(ticket))]
        unsure = sorted(readable, key=lambda at: claims[at].confidence)[: math.ceil(self._share * len(readable))]
        for at, claim in zip(unsure, self._full.products([tickets[at] for at in unsure]), strict=True):
            claims[at] = claim._replace(model=self._full.name)
        return claims


def unreadable(labels: Sequence[str], taxonomy: Taxonomy) -> ProductClaim:
    """The claim on a ticket without one letter or digit."""
    fallback = taxonomy.product.fallback
    other = next(label for label in labels if label != fallback)
    return ProductClaim(
        fallback,
        0.0,
        Guess(label=other, confidence=0.0),
        ["the ticket has no text"],
        ["there is nothing to read"],
        dict.fromkeys(labels, 1 / len(labels)),
    )


def _as_trained(ticket: TicketText) -> str:
    """Without a subject the text alone, as in labelled rows."""
    return readable_text(ticket) if ticket.subject else readable_text(ticket).removeprefix(". ")


def claim_of(
    ticket: TicketText, claim: ProductClaim, taxonomy: Taxonomy, *, model: str, at: datetime, latency_ms: int
) -> Classification:
    """The whole claim on a ticket: the product as given, the urgency by the taxonomy's rules."""
    text = whole_text(clean_ticket(ticket))
    urgency = urgency_of(text, priority=ticket.priority, tier=ticket.tier, taxonomy=taxonomy)
    return Classification(
        id=claim_id("cls", ticket, model=model, at=at),
        ticket_id=ticket.ticket_id,
        product=claim.product,
        urgency=urgency.level,
        confidence=min(max(claim.confidence, 0.0), 1.0),
        reasoning=reasoning(claim, urgency.level, urgency.reason),
        needs_review=bool(claim.doubts),
        runner_up=claim.runner_up,
        model_used=model,
        latency_ms=latency_ms,
        created_at=at,
    )


def reasoning(claim: ProductClaim, urgency: str, urgency_reason: str) -> str:
    """One line a person can check: it quotes the taxonomy and named codes, never the ticket at large."""
    product = f"{claim.product}: {'; '.join(claim.reasons)}."
    review = f" {FOR_A_PERSON}{'; '.join(claim.doubts)}." if claim.doubts else ""
    return f"{product} Urgency {urgency}: {urgency_reason}.{review}"


def named(text: str, label: str, taxonomy: Taxonomy) -> list[str]:
    """The codes and names in the text that speak for the label, and those that speak for another."""
    codes = error_codes(text, taxonomy)
    names = {name: owner for name, owner in product_names(text, taxonomy).items() if owner == label}
    reasons = [f"names {code}" if owner == label else f"but also names {code}" for code, owner in codes.items()]
    return sorted(reasons, key=lambda reason: reason.startswith("but"))[:4] + [f"names {name}" for name in names][:1]


def claim_id(kind: str, ticket: TicketText, *, model: str, at: datetime) -> str:
    """The same ticket, text, model and instant give the same id: saved twice it is one claim."""
    parts = [ticket.ticket_id, ticket.subject, ticket.content, model, at.astimezone(UTC).isoformat()]
    digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return f"{kind}-{digest[:24]}"
