import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from triage.embed import WordLlama
from triage.learning.methods import METHODS, Linear, Seen, fit_all
from triage.learning.product_model import nearness
from triage.learning.words import learn_words

TEXTS = ["card was declined", "my card is declined again", "refund is missing", "where is my refund",
         "the app crashes", "app crashed on start"]  # fmt: skip
OWNERS = np.array([0, 0, 1, 1, 2, 2])
PHRASES = ["declined card", "missing refund", "crash"]


@pytest.fixture(scope="module")
def learned() -> list[Linear]:
    embedder = WordLlama()
    phrases = Seen(PHRASES, embedder.embed(PHRASES), np.arange(3))
    return fit_all(METHODS, Seen(TEXTS, embedder.embed(TEXTS), OWNERS), phrases, 3)


def test_span_of_the_rows_gives_the_solution_of_all_features(learned: list[Linear]) -> None:
    texts, vectors = TEXTS + PHRASES, WordLlama().embed(TEXTS + PHRASES)
    meaning = np.float32(METHODS[0].meaning)
    features = np.hstack([learn_words(texts).matrix(texts).toarray(), vectors * meaning])
    plain = LogisticRegression(C=METHODS[0].strength, tol=1e-6).fit(features, [*OWNERS, 0, 1, 2])
    found = features @ learned[0].weights + learned[0].bias
    assert np.allclose(found, plain.decision_function(features), atol=0.02)


def test_nearest_labelled_texts_speak_for_their_label(learned: list[Linear]) -> None:
    vectors = WordLlama().embed(TEXTS)
    silent = learned[0]._replace(method=METHODS[0]._replace(nearness=0.0))
    gained = learned[0].logits(TEXTS, vectors) - silent.logits(TEXTS, vectors)
    assert (gained.argmax(axis=1) == OWNERS).all()
    assert gained.max() <= METHODS[0].nearness + 1e-6


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 3), max_size=12))
def test_nearness_is_the_mean_of_the_two_greatest_cosines_of_a_label(seed: int, more: list[int]) -> None:
    random = np.random.default_rng(seed)
    owners = random.permutation([0, 1, 2, 3, *more])
    known = random.integers(-1, 2, (len(owners), 3)).astype(np.float32) / 2
    vectors = random.integers(-1, 2, (5, 3)).astype(np.float32) / 2
    found = nearness(vectors, known, owners, 4)
    for row, vector in enumerate(vectors):
        for label in range(4):
            greatest = sorted((float(vector @ text) for text in known[owners == label]), reverse=True)[:2]
            assert found[row, label] == pytest.approx(sum(greatest) / len(greatest))


def test_methods_that_differ_by_nearness_share_one_line(learned: list[Linear]) -> None:
    plain, near = (linear for linear in learned if linear.method.name.startswith("support vectors on words and"))
    assert plain.weights is near.weights
    assert near.method.nearness > plain.method.nearness == 0


@pytest.mark.parametrize("at", range(len(METHODS)), ids=[method.name for method in METHODS])
def test_every_method_knows_what_it_has_read(learned: list[Linear], at: int) -> None:
    assert (learned[at].logits(TEXTS, WordLlama().embed(TEXTS)).argmax(axis=1) == OWNERS).all()
    assert learned[at].logits([], np.zeros((0, 256), dtype=np.float32)).shape == (0, 3)
