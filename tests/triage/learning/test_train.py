import numpy as np
import pytest

from engine.shared.errors import BadInput
from tests.triage.conftest import MONDAY
from triage.embed import WordLlama
from triage.learning.methods import METHODS
from triage.learning.product_model import LabelledText
from triage.learning.train import MOST_BYTES, Model, choose, train, working_memory
from triage.ports import Embedder
from triage.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def words() -> Embedder:
    return WordLlama()


@pytest.fixture(scope="module")
def rows(taxonomy: Taxonomy) -> list[LabelledText]:
    labels = taxonomy.product.labels
    return [LabelledText(text, label) for label, content in labels.items() for text in content.examples]


@pytest.fixture(scope="module")
def model(rows: list[LabelledText], words: Embedder) -> Model:
    return train(rows, words, at=MONDAY, outside=["what is the capital of Peru", "play some jazz"])


def test_every_method_is_measured_and_a_good_one_chosen(model: Model) -> None:
    scores = model.about["cross_validated_accuracy"]
    assert set(scores) == {method.name for method in METHODS}
    assert scores[model.about["method"]] > max(0.45, max(scores.values()) - 0.1)


def test_earlier_method_is_chosen_unless_clearly_beaten() -> None:
    best, close, far = np.arange(1000) < 900, np.arange(1000) >= 102, np.arange(1000) < 800
    assert choose([close, best]) == 0
    assert choose([far, best]) == 1
    assert choose([far, close, best]) == 1


def test_every_probability_row_is_a_distribution(model: Model, words: Embedder) -> None:
    texts = ["The connector is offline", "", "x" * 3000]
    found = model.probabilities(texts, words.embed(texts))
    said, confidence = model.best(texts, words.embed(texts))
    assert np.allclose(found.sum(axis=1), 1)
    assert np.allclose(found[np.arange(3), said], confidence)


def test_same_rows_give_the_same_model(model: Model, rows: list[LabelledText], words: Embedder) -> None:
    again = train([*rows, *rows], words, at=MONDAY, outside=["what is the capital of Peru", "play some jazz"])
    assert again.about == model.about
    assert np.array_equal(again.linear.weights, model.linear.weights)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_two_labels_are_enough(method: object, rows: list[LabelledText], words: Embedder) -> None:
    two = [row for row in rows if row.label in ("CASB", "ZTNA")]
    learned = train(two, words, at=MONDAY, methods=[method])  # type: ignore[list-item]
    said, _ = learned.best([row.text for row in two], words.embed([row.text for row in two]))
    assert np.mean([learned.labels[at] == row.label for at, row in zip(said, two, strict=True)]) > 0.9


@pytest.mark.parametrize(
    ("labels", "reason"), [(["a", "a"], "nothing to tell apart"), (["a", "a", "b"], "'b' has one text")]
)
def test_too_little_to_learn_from_is_refused(labels: list[str], reason: str, words: Embedder) -> None:
    rows = [LabelledText(f"text {at}", label) for at, label in enumerate(labels)]
    with pytest.raises(BadInput, match=reason):
        train(rows, words, at=MONDAY)


def test_more_labels_than_memory_holds_are_refused_before_learning(words: Embedder) -> None:
    rows = [LabelledText(f"text {at}", f"label {at // 2}") for at in range(20_000)]
    assert working_memory(methods=3, rows=20_000, labels=10_000) == 2_400_000_000
    assert working_memory(methods=3, rows=60_000, labels=1_000) < MOST_BYTES
    with pytest.raises(BadInput, match=r"10,000 labels in 20,000 texts are too many: .* 2\.2 GiB, more than 1\.0"):
        train(rows, words, at=MONDAY)


def test_the_same_rows_give_the_same_model_to_the_last_bit(rows: list[LabelledText], words: Embedder) -> None:
    first, *others = (train(rows, words, at=MONDAY, methods=METHODS[2:]) for _ in range(5))
    for other in others:
        assert (other.linear.weights == first.linear.weights).all()
        assert (other.temperature, other.platt, other.scope) == (first.temperature, first.platt, first.scope)
