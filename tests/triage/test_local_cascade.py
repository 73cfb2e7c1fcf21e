"""The quick classifier decides what it is sure of, the full one the rest."""

import pytest

from tests.triage.conftest import monday
from triage.classify import LocalCascade, LocalClassifier
from triage.contracts import TicketText
from triage.embed import MiniLM, WordLlama, open_quick
from triage.taxonomy import Taxonomy

TEXTS = [
    "The VPN connector is offline since the update", "Invoice 4711 shows the wrong amount", "it does not work",
    "A file upload was blocked by the DLP policy though it holds no card numbers", "hello", "",
    "Users can not log in to the private application through ZTNA", "please call me", "firewall rule drops our traffic",
]  # fmt: skip


@pytest.fixture(scope="module")
def quick(taxonomy: Taxonomy) -> LocalClassifier:
    return LocalClassifier(taxonomy, WordLlama(), clock=monday)


@pytest.fixture(scope="module")
def cascade(quick: LocalClassifier, classifier: LocalClassifier) -> LocalCascade:
    return LocalCascade(quick, classifier, clock=monday)


def test_the_least_certain_are_handed_over(
    cascade: LocalCascade, quick: LocalClassifier, classifier: LocalClassifier
) -> None:
    tickets = [TicketText(ticket_id=str(at), content=text) for at, text in enumerate(TEXTS)]
    claims, first, second = cascade.classify(tickets), quick.classify(tickets), classifier.classify(tickets)
    handed = [at for at, claim in enumerate(claims) if claim.model_used == classifier.name]
    sure = [at for at in range(len(TEXTS)) if at not in handed and TEXTS[at]]
    assert len(handed) == 3
    assert max(first[at].confidence for at in handed) <= min(first[at].confidence for at in sure)
    assert all(claims[at].reasoning == second[at].reasoning for at in handed)
    assert all(claims[at] == first[at].model_copy(update={"latency_ms": claims[at].latency_ms}) for at in sure)


def test_one_ticket_alone_is_read_in_full(cascade: LocalCascade, classifier: LocalClassifier) -> None:
    assert cascade.classify([TicketText(ticket_id="1", content=TEXTS[0])])[0].model_used == classifier.name


def test_nothing_to_classify_is_nothing_claimed(cascade: LocalCascade) -> None:
    assert cascade.classify([]) == []


def test_an_embedder_chosen_by_hand_decides_alone() -> None:
    assert [open_quick(name) for name in ("auto", "minilm", "wordllama")] == [None] * 3
    quick = open_quick("cascade")
    assert quick is not None
    assert quick.name != MiniLM.name
