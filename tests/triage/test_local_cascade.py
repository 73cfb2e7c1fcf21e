"""The quick classifier decides what it is sure of, the full one the rest."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.triage import read_rows, read_sample
from tests.triage.conftest import DATA, MONDAY, monday
from triage.calibrate import expected_calibration_error
from triage.classify import LocalClassifier, beginning, in_parts
from triage.contracts import Classification, TicketText
from triage.embed import WordLlama, open_quick
from triage.learning.deferral import LEAST_ROWS, deferral_limit
from triage.learning.methods import METHODS
from triage.learning.train import train
from triage.llm.local import LEAST_EXAMPLES, SURE, open_local
from triage.local_cascade import LocalCascade
from triage.model_files import load_model, read_model, save_model
from triage.ports import Embedder
from triage.taxonomy import Taxonomy

BANKING = Path(__file__).resolve().parents[3] / "shared" / "data" / "banking77"
TEXTS = [
    "The VPN connector is offline since the update", "Invoice 4711 shows the wrong amount", "it does not work",
    "A file upload was blocked by the DLP policy though it holds no card numbers", "hello", "",
    "Users can not log in to the private application through ZTNA", "please call me", "firewall rule drops our traffic",
]  # fmt: skip
TICKETS = [TicketText(ticket_id=str(at), content=text) for at, text in enumerate(TEXTS)]


class Counting:
    """An embedder that keeps the texts it was asked about."""

    def __init__(self, embedder: Embedder) -> None:
        self.name, self.dimension = embedder.name, embedder.dimension
        self._embedder, self.texts = embedder, list[str]()

    def embed(self, texts: list[str]) -> np.ndarray:  # type: ignore[type-arg]
        self.texts += texts
        return self._embedder.embed(texts)


@pytest.fixture(scope="module")
def full_embedder(embedder: Embedder) -> Counting:
    return Counting(embedder)


@pytest.fixture(scope="module")
def cascade(taxonomy: Taxonomy, full_embedder: Counting) -> LocalCascade:
    opened = open_local(taxonomy, full_embedder, clock=monday, quick=WordLlama()).classifier
    assert isinstance(opened, LocalCascade)
    return opened


def core(claim: Classification) -> tuple[str, float, bool, str]:
    return claim.product, pytest.approx(claim.confidence, abs=1e-5), claim.needs_review, claim.model_used


def test_only_the_unsure_are_read_in_full(cascade: LocalCascade, taxonomy: Taxonomy, full_embedder: Counting) -> None:
    first = LocalClassifier(taxonomy, WordLlama(), clock=monday, read=in_parts).products(TICKETS)
    unsure = [at for at, claim in enumerate(first) if TEXTS[at] and claim.confidence < SURE]
    full_embedder.texts.clear()
    claims = cascade.products(TICKETS)
    read = [text for text in full_embedder.texts if text not in taxonomy.product.outside]
    assert read == [beginning(TICKETS[at])[0] for at in unsure]
    assert 0 < len(unsure) < len(TEXTS) - 1
    assert all(claims[at] == first[at] for at in range(len(TEXTS)) if at not in unsure)


def test_a_claim_depends_on_its_ticket_alone(cascade: LocalCascade) -> None:
    together = cascade.classify(TICKETS)
    assert [core(cascade.classify([ticket])[0]) for ticket in TICKETS] == [core(claim) for claim in together]


def test_all_claims_are_made_in_one_name(cascade: LocalCascade) -> None:
    assert {claim.model_used for claim in cascade.classify(TICKETS)} == {cascade.name}


def test_nothing_to_classify_is_nothing_claimed(cascade: LocalCascade) -> None:
    assert cascade.classify([]) == []


def test_an_embedder_chosen_by_hand_decides_alone() -> None:
    assert [open_quick(name) for name in ("minilm", "wordllama")] == [None] * 2
    assert [quick.name for quick in map(open_quick, ("auto", "cascade")) if quick] == [WordLlama.name] * 2


def test_few_examples_leave_all_to_the_full_one(taxonomy: Taxonomy, embedder: Embedder) -> None:
    few = (LEAST_EXAMPLES - 1) // len(taxonomy.product.labels)
    labels = {name: c.model_copy(update={"examples": c.examples[:few]}) for name, c in taxonomy.product.labels.items()}
    small = taxonomy.model_copy(update={"product": taxonomy.product.model_copy(update={"labels": labels})})
    assert isinstance(open_local(small, embedder, clock=monday, quick=WordLlama()).classifier, LocalClassifier)


def test_limit_loses_what_it_may_and_no_more() -> None:
    rows = 1000
    confidence = np.linspace(1, 0, rows)
    quick, full = np.ones(rows, dtype=bool), np.ones(rows, dtype=bool)
    quick[[400, 500, 600]] = False
    limit = deferral_limit(confidence, quick, full, lost=0.002)
    assert limit == confidence[599]
    assert (full.sum() - np.where(confidence >= limit, quick, full).sum()) / rows == 0.002


def test_equal_confidence_is_decided_alike() -> None:
    quick, full = np.arange(LEAST_ROWS) % 2 == 0, np.ones(LEAST_ROWS, dtype=bool)
    assert deferral_limit(np.full(LEAST_ROWS, 0.9), quick, full) is None


def test_few_rows_set_no_limit() -> None:
    right = np.ones(LEAST_ROWS - 1, dtype=bool)
    assert deferral_limit(np.linspace(0, 1, LEAST_ROWS - 1), right, right) is None


def test_cascade_costs_the_sample_no_accuracy(cascade: LocalCascade, classifier: LocalClassifier) -> None:
    file = DATA / "tickets" / "tickets.jsonl"
    if not file.exists():
        pytest.skip("the sample tickets are not made here: helmdesk sample")
    tickets, truth = read_sample(file)
    tickets = tickets[::3]
    labels = [truth[ticket.ticket_id]["product"] for ticket in tickets]
    full = classifier.products(tickets)
    found = cascade.products(tickets)
    right, alone = (
        np.array([claim.product == label for claim, label in zip(claims, labels, strict=True)])
        for claims in (found, full)
    )
    assert alone.mean() - right.mean() <= 0.01
    assert expected_calibration_error(np.array([claim.confidence for claim in found]), right) < 0.05


@pytest.mark.skipif(not BANKING.exists(), reason="../shared/data is not there")
def test_model_file_keeps_both_and_decides_as_trained(taxonomy: Taxonomy, embedder: Embedder, tmp_path: Path) -> None:
    rows, dev = read_rows(BANKING / "train_10shot.csv"), read_rows(BANKING / "dev.csv")[:300]
    quick = WordLlama()
    model = train(rows, embedder, at=MONDAY, methods=METHODS[:1], quick=quick)
    assert model.first is not None
    save_model(tmp_path / "b.model", model)
    again = read_model(tmp_path / "b.model")
    assert again.first is not None
    assert again.first.limit == model.first.limit
    labels = {label: next(iter(taxonomy.product.labels.values())) for label in model.labels}
    product = taxonomy.product.model_copy(update={"labels": labels, "fallback": model.labels[0]})
    theirs = taxonomy.model_copy(update={"product": product})
    alone = load_model(tmp_path / "b.model", embedder, taxonomy=theirs, clock=monday)
    both = load_model(tmp_path / "b.model", embedder, taxonomy=theirs, clock=monday, quick=quick)
    assert isinstance(both, LocalCascade)
    tickets = [TicketText(ticket_id=str(at), content=row.text) for at, row in enumerate(dev)]
    right = [
        np.mean([claim.product == row.label for claim, row in zip(one.products(tickets), dev, strict=True)])
        for one in (alone, both)
    ]  # fmt: skip
    assert right[0] - right[1] <= 0.01
