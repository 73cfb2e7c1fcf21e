"""What a ticket is about and how urgent it is: a claim from a closed set, with a confidence and reasons to check."""

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from more_itertools import chunked

from triage.calibrate import Floats, softmax
from triage.contracts import FOR_A_PERSON, Classification, Guess, TicketText
from triage.evidence import error_codes, log_odds, names_phrase, product_names, unknown_codes
from triage.knowledge.matter import hammered_words, matter_of
from triage.learning.out_of_scope import scope_score
from triage.learning.product_model import LabelledText, load_or_learn
from triage.learning.train import Model
from triage.ports import Embedder
from triage.sanitize import clean_ticket, is_empty, readable_text, whole_text
from triage.taxonomy import Taxonomy
from triage.urgency import urgency_of

WEIGHTS: Final = (0.2, 0.9)
"""What the log-probabilities of a first and a second reading weigh where both count. Chosen on the sample tickets,
where both together are right more often than either, and as well calibrated (`benchmarks/cascade.py`)."""
FIRST_LINES: Final = 200
"""Characters that word vectors read apart."""
TOGETHER: Final = 256
"""Tickets that are compared with all labelled texts at a time."""
READ_AGAIN: Final = 280
"""Characters of a second reading: with half of `READ_CHARACTERS` it takes three quarters of the time and is right as
often beside the first."""

HAMMERED: Final = "it says the same words over and over"


class ProductClaim(NamedTuple):
    """A product with its calibrated confidence, the runner-up, the reasons, and why a person should look (if so).

    An unfamiliar text resembles nothing that was learned."""

    product: str
    confidence: float
    runner_up: Guess
    reasons: list[str]
    doubts: list[str]
    probabilities: dict[str, float]
    is_unfamiliar: bool = False


def in_full(ticket: TicketText) -> list[str]:
    """Subject and beginning as one text."""
    return [readable_text(ticket)]


def beginning(ticket: TicketText) -> list[str]:
    """Enough for a second reading."""
    return [readable_text(ticket)[:READ_AGAIN]]


def in_parts(ticket: TicketText) -> list[str]:
    """The subject, the first lines and the whole: in a mean over word vectors, what is said first drowns otherwise."""
    whole = readable_text(ticket)
    return [*([ticket.subject] if ticket.subject else []), whole[:FIRST_LINES], whole]


class ProductClassifier(ABC):
    """Claims what each ticket is about by what a subclass says of its product. A trained one gives the labels of a
    model file, others those of the taxonomy."""

    is_trained = False

    def __init__(
        self, name: str, taxonomy: Taxonomy, *, clock: Callable[[], datetime], timer: Callable[[], float]
    ) -> None:
        self.name, self.taxonomy = name, taxonomy
        self._clock, self._timer = clock, timer

    @abstractmethod
    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        """Only the product of each ticket, in order."""

    def second_opinion(self, tickets: Sequence[TicketText], first: Sequence[ProductClaim]) -> list[ProductClaim]:
        """The products of tickets of which a quicker classifier was not sure; here its claims do not count."""
        del first
        return self.products(tickets)

    def classify(self, tickets: Sequence[TicketText]) -> list[Classification]:
        started = self._timer()
        claims = self.looked_at_again(tickets, self.products(tickets))
        latency_ms = round((self._timer() - started) * 1000 / max(1, len(tickets)))
        at = self._clock()
        return [
            claim_of(ticket, product, self.taxonomy, model=self.name, at=at, latency_ms=latency_ms)
            for ticket, product in zip(tickets, claims, strict=True)
        ]

    def looked_at_again(self, tickets: Sequence[TicketText], claims: Sequence[ProductClaim]) -> list[ProductClaim]:
        """The claims; a ticket that denies or hammers in something is read without that, too."""
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        rests = {at: rest for at, ticket in enumerate(cleaned) if (rest := matter_of(ticket)) != ticket}
        found = list(claims)
        for at, claim in zip(rests, self.products(list(rests.values())), strict=True):
            found[at] = _weighed(found[at], claim, hammers=bool(hammered_words(cleaned[at])))
        return found


def _weighed(whole: ProductClaim, rest: ProductClaim, *, hammers: bool) -> ProductClaim:
    """The claim on a ticket and on the rest of it: not sure where they differ or words are hammered in. Those never
    decide; where something is denied, the surer of the two does."""
    doubts = [HAMMERED] if hammers else []
    if whole.product != rest.product:
        doubts.append(
            f"without what it repeats or says is not the matter it reads like {rest.product}, not {whole.product}"
        )
    chosen = rest if hammers or (whole.product != rest.product and rest.confidence >= whole.confidence) else whole
    return chosen._replace(doubts=[*chosen.doubts, *doubts])


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
        read: Callable[[TicketText], list[str]] = in_full,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        """`cache` is the folder for what was learned; without it every start learns anew (about two seconds). `read`
        gives the texts of a ticket whose log-odds are averaged."""
        super().__init__(f"local:{embedder.name}", taxonomy, clock=clock, timer=timer)
        self._embedder, self._read = embedder, read
        self._model = load_or_learn(taxonomy, embedder, rows=rows, cache=cache)

    def products(self, tickets: Sequence[TicketText]) -> list[ProductClaim]:
        return self._products(tickets, np.zeros((len(tickets), len(self._model.labels))), weight=1.0)

    def second_opinion(self, tickets: Sequence[TicketText], first: Sequence[ProductClaim]) -> list[ProductClaim]:
        """The first opinion counts, less than what is read now."""
        probabilities = [[max(claim.probabilities[label], 1e-12) for label in self._model.labels] for claim in first]
        before, now = WEIGHTS
        return self._products(tickets, before * np.log(probabilities), weight=now)

    def _products(self, tickets: Sequence[TicketText], leanings: Floats, *, weight: float) -> list[ProductClaim]:
        cleaned = [clean_ticket(ticket) for ticket in tickets]
        texts = [[] if is_empty(ticket) else self._read(ticket) for ticket in cleaned]
        vectors = self._embedder.embed([text for parts in texts for text in parts])
        logits = self._model.logits(vectors)
        ends = np.cumsum([0, *(len(parts) for parts in texts)])
        rows = zip(cleaned, map(slice, ends, ends[1:]), leanings, strict=True)
        return [
            self._claim(ticket, vectors[at], weight * self._logits(ticket, logits[at]) + leaning) if at.start < at.stop
            else unreadable(self._model.labels, self.taxonomy)
            for ticket, at, leaning in rows
        ]  # fmt: skip

    def _logits(self, ticket: TicketText, parts: Floats) -> Floats:
        return np.asarray(parts.mean(axis=0) + log_odds(whole_text(ticket), self.taxonomy))

    def _claim(self, ticket: TicketText, vectors: npt.NDArray[np.float32], logits: Floats) -> ProductClaim:
        text, probabilities = whole_text(ticket), softmax(logits[None, :])[0]
        best, second = (int(index) for index in np.argsort(-probabilities, kind="stable")[:2])
        labels = self._model.labels
        likeness = (self._model.vectors @ vectors.T).max(axis=1)
        limit = self.taxonomy.product.unfamiliar_below
        foreign = self._outside(vectors, above=float(likeness.max()))
        is_unfamiliar = (bool(likeness.max() < limit) or foreign is not None) and not error_codes(text, self.taxonomy)
        strange = f"it reads more like “{foreign}”" if foreign else "it resembles nothing in the taxonomy"
        return ProductClaim(
            product=labels[best],
            confidence=float(probabilities[best]),
            runner_up=Guess(label=labels[second], confidence=float(probabilities[second])),
            reasons=[*named(text, labels[best], self.taxonomy), self._nearest(labels[best], likeness)],
            doubts=doubts(ticket, float(probabilities[best]), self.taxonomy, strange=strange if is_unfamiliar else ""),
            probabilities=dict(zip(labels, map(float, probabilities), strict=True)),
            is_unfamiliar=is_unfamiliar,
        )

    def _outside(self, vectors: npt.NDArray[np.float32], *, above: float) -> str | None:
        """What of all that no label means the text is nearest to, if it is nearer to that than to any label."""
        known = self.taxonomy.product.outside
        if not known:
            return None
        likeness = (self._outside_vectors @ vectors.T).max(axis=1)
        nearest = int(likeness.argmax())
        return known[nearest] if likeness[nearest] > above else None

    @cached_property
    def _outside_vectors(self) -> npt.NDArray[np.float32]:
        return self._embedder.embed(self.taxonomy.product.outside)

    def _nearest(self, label: str, likeness: npt.NDArray[np.float32]) -> str:
        rows = [row for row, owner in enumerate(self._model.text_labels) if owner == label]
        row = max(rows, key=lambda row: likeness[row])
        return f"reads like “{self._model.texts[row]}” ({likeness[row]:.2f})"


class TrainedClassifier(ProductClassifier):
    """Gives the labels a model was trained on, with the words and the labelled text that speak for each."""

    is_trained = True

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
        vectors = self._embedder.embed(texts)
        rows = zip(readable, texts, vectors, strict=True)
        claims = iter([claim for part in chunked(rows, TOGETHER) for claim in self._claims(part)])
        return [
            unreadable(self._model.labels, self.taxonomy) if is_empty(ticket) else next(claims) for ticket in cleaned
        ]

    def _claims(self, rows: Sequence[tuple[TicketText, str, npt.NDArray[np.float32]]]) -> list[ProductClaim]:
        tickets, texts = [ticket for ticket, _, _ in rows], [text for _, text, _ in rows]
        vectors = np.stack([vector for _, _, vector in rows])
        likeness = vectors @ self._model.vectors.T
        found = zip(
            tickets, texts, self._model.probabilities(texts, vectors), likeness, self._words(texts), strict=True
        )
        return [self._claim(*row) for row in found]

    def _claim(
        self,
        ticket: TicketText,
        text: str,
        probabilities: npt.NDArray[np.float64],
        likeness: npt.NDArray[np.float32],
        term_weights: dict[int, float],
    ) -> ProductClaim:
        labels = self._model.labels
        best, second = (int(index) for index in np.argsort(-probabilities, kind="stable")[:2])
        own = np.flatnonzero(self._model.owners == best)
        nearest = int(own[likeness[own].argmax()])
        confidence = float(probabilities[best])
        is_unfamiliar = self._is_unfamiliar(confidence, float(likeness.max()))
        strange = "it resembles nothing that was labelled" if is_unfamiliar else ""
        words = [*self._says(text, term_weights, best), *named(whole_text(ticket), labels[best], self.taxonomy)]
        return ProductClaim(
            product=labels[best],
            confidence=confidence,
            runner_up=Guess(label=labels[second], confidence=float(probabilities[second])),
            reasons=[*words, f"reads like “{self._model.texts[nearest][:160]}” ({likeness[nearest]:.2f})"],
            doubts=doubts(ticket, confidence, self.taxonomy, strange=strange),
            probabilities=dict(zip(labels, map(float, probabilities), strict=True)),
            is_unfamiliar=is_unfamiliar,
        )

    def _words(self, texts: Sequence[str]) -> list[dict[int, float]]:
        """The known words and word pairs of each text by column, with their TF-IDF."""
        words = self._model.linear.words
        if words is None:
            return [{} for _ in texts]
        rows = words.terms(texts)
        cuts = zip(rows.indptr, rows.indptr[1:], strict=False)
        return [dict(zip(rows.indices[a:b].tolist(), rows.data[a:b].tolist(), strict=True)) for a, b in cuts]

    def _says(self, text: str, term_weights: dict[int, float], label: int) -> list[str]:
        """Up to three words or word pairs of the text that count most for the label, or phrases that describe it."""
        linear = self._model.linear
        if linear.words is None:
            phrases = self.taxonomy.product.labels[self._model.labels[label]].phrases
            return [f"says “{phrase}”" for phrase in phrases if names_phrase(text, phrase)][:3]
        terms = linear.words.vocabularies[0]
        worth = sorted(((value * float(linear.weights[at, label]), terms[at]) for at, value in term_weights.items()))
        return [f"says “{term}”" for weight, term in reversed(worth[-3:]) if weight > 0]

    def _is_unfamiliar(self, confidence: float, likeness: float) -> bool:
        scope = self._model.scope
        score = scope_score(scope.score, np.array([confidence]), np.array([likeness]))[0]
        return bool(score < scope.threshold) or likeness < self.taxonomy.product.unfamiliar_below


def doubts(ticket: TicketText, confidence: float, taxonomy: Taxonomy, *, strange: str) -> list[str]:
    """Why a person should look; `strange` says that the text resembles nothing known, if so."""
    found = [strange] if strange else []
    if confidence < taxonomy.product.review_below:
        found.insert(0, f"confidence {confidence:.2f} is below {taxonomy.product.review_below:.2f}")
    if unknown := unknown_codes(whole_text(ticket), taxonomy):
        found.append(f"it names {unknown[0]}, a code nobody knows")
    if not taxonomy.speaks(ticket.language):
        found.append(f"triage does not read the language {ticket.language}")
    return found


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
